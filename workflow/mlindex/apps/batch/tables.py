"""What a batch says of each sample; its candidates are rows of ``candidate_cells``."""

from mlindex.base.schema import FLOAT64, INT32, STRING, Column, Table, list_of

#: Verdicts on a sample.
CONVINCING, NOT_CONVINCING, FAILED = "convincing", "not convincing", "failed"

BATCH_SAMPLES = Table(
    "batch_samples",
    "a sample of a batch, in the order given",
    (
        Column("sample", STRING, "The file, or what the table of peak lists calls it"),
        Column("verdict", STRING, "On the best candidate: convincing, not convincing, or failed"),
        Column("reason", STRING, "Why (not); empty where it failed"),
        Column("error", STRING, "Why it was not indexed; empty where it was", nullable=True),
        Column("n_lines", INT32, "Lines in the list, where it could be read", nullable=True),
        Column("candidates", INT32, "Candidates found"),
        Column(
            "further_cells",
            list_of(STRING),
            "Cells of further phases: lattice, a, b, c (A), alpha, beta, gamma (degrees)",
        ),
        Column("wavelength_A", FLOAT64, "Wavelength, where known", "A", nullable=True),
        Column("seconds", FLOAT64, "Time the search took, if there was one", "s", nullable=True),
        Column("notes", list_of(STRING), "Remarks on the lines and the search"),
    ),
)
