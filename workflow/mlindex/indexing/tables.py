"""Tables of what indexing found. Those of many samples can be put below each other."""

from mlindex.base.columns import BRAVAIS, LATTICE_SYSTEM, cell_columns
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT64, INT16, INT32, INT64, STRING, Column, Table, list_of

_SAMPLE = Column("sample", STRING, "Where the lines came from")
_RANK = Column("rank", INT32, "Rank of the candidate, from 1")
_LINE = Column("line", INT32, "Number of the observed line, from 1")
_SECONDS = Column("seconds", FLOAT64, "Time taken; empty where it is left out", "s", True)


def _indices(nullable: bool) -> tuple[Column, ...]:
    return tuple(Column(n, INT16, f"Miller index {n}", nullable=nullable) for n in "hkl")


INDEXED_SAMPLES = Table(
    "indexed_samples",
    "a sample and the verdict on its best candidate",
    (
        _SAMPLE,
        Column("wavelength_A", FLOAT64, "Wavelength, where known", "A", nullable=True),
        Column("convincing", BOOL, "Whether the best candidate is convincing"),
        Column("reason", STRING, "Why (not)"),
        Column("observed_lines", INT32, "Lines in the list"),
        Column("candidates", INT32, "Candidates found"),
        _SECONDS,
        Column("notes", list_of(STRING), "Remarks on the lines and the search"),
        Column("options", STRING, "What was asked for, as JSON"),
        Column("mlindex_version", STRING, "Version that found it"),
    ),
    places=(Place("indexed/{sample}/indexed_samples.parquet"),),
)

CANDIDATE_CELLS = Table(
    "candidate_cells",
    "a candidate for the unit cell of a sample, best first",
    (
        _SAMPLE,
        _RANK,
        BRAVAIS,
        LATTICE_SYSTEM,
        Column("centring", STRING, "Centring letter of the cell: R for hR; A, C or I for mC"),
        Column("setting", STRING, "Axes of the cell; hR is given on hexagonal axes, obverse"),
        *cell_columns("", "the cell on these axes"),
        *cell_columns("uncertainty_", "the cell: standard uncertainty, 0 where fixed"),
        Column(
            "other_setting",
            STRING,
            "Other axes that such cells are often given on, if any",
            "",
            True,
        ),
        Column("other_centring", STRING, "Centring letter there", nullable=True),
        *cell_columns("other_", "the cell there", nullable=True),
        *cell_columns("niggli_", "its reduced cell"),
        Column("volume_A3", FLOAT64, "Volume of the cell", "A³"),
        Column(
            "formula_units",
            FLOAT64,
            "Units of the formula that it has room for; empty where none is known",
            nullable=True,
        ),
        Column("m20", FLOAT64, "de Wolff's M; empty where the fit is exact", nullable=True),
        Column(
            "f_n",
            FLOAT64,
            "Smith and Snyder's F; empty without a wavelength or where the fit is exact",
            nullable=True,
        ),
        Column(
            "m20_reversed",
            FLOAT64,
            "Oishi-Tomiyasu's reversed M: predicted lines not seen lower it",
            nullable=True,
        ),
        Column(
            "m20_symmetric",
            FLOAT64,
            "Symmetric M: the product of reversed M and of M over the same lines",
            nullable=True,
        ),
        Column("n_figure", INT32, "Lines that M and F are calculated from: 20, or all if fewer"),
        Column("log_evidence", FLOAT64, "Natural logarithm of the evidence", nullable=True),
        Column(
            "probability",
            FLOAT64,
            "Probability that this is the lattice, by the ranking of all candidates",
        ),
        Column(
            "probability_with_partners",
            FLOAT64,
            "Probability of it and of its partners among the candidates together",
        ),
        Column(
            "zero_shift_deg",
            FLOAT64,
            "Zero shift: observed 2theta is true 2theta + it + displacement_deg cos(theta)",
            "degree",
        ),
        Column("zero_shift_error_deg", FLOAT64, "Its standard uncertainty", "degree"),
        Column("displacement_deg", FLOAT64, "Shift by a sample out of place", "degree"),
        Column("displacement_error_deg", FLOAT64, "Its standard uncertainty", "degree"),
        Column("n_indexed", INT32, "Lines indexed"),
        Column("n_used", INT32, "Lines used"),
        Column("n_calculated", INT32, "Different lines allowed up to the last line used"),
        Column(
            "r_wp",
            FLOAT64,
            "Weighted R factor of the fit to the whole profile; this and the next three are empty "
            "for lists",
            nullable=True,
        ),
        Column("goodness", FLOAT64, "R_wp over what counting allows for", nullable=True),
        Column(
            "explained",
            FLOAT64,
            "Share of the intensity over the background that the lines of the cell explain",
            nullable=True,
        ),
        Column(
            "profile_log_evidence",
            FLOAT64,
            "Natural logarithm of the evidence of the profile; differences between candidates of "
            "one sample count",
            nullable=True,
        ),
    ),
    places=(Place("indexed/{sample}/candidate_cells.parquet"),),
)

OBSERVED_LINES = Table(
    "observed_lines",
    "a line of a sample's peak list, as measured",
    (
        _SAMPLE,
        _LINE,
        Column("q2_inv_A2", FLOAT64, "1/d²", "1/A²"),
        Column("d_A", FLOAT64, "Spacing", "A"),
        Column("two_theta_deg", FLOAT64, "2theta, with a wavelength", "degree", nullable=True),
        Column("two_theta_error_deg", FLOAT64, "Its uncertainty, where known", "degree", True),
        Column("fwhm_deg", FLOAT64, "Width, where known", "degree", nullable=True),
        Column("intensity", FLOAT64, "Intensity, where known", nullable=True),
        Column("phase", STRING, "Phases that it belongs to, if several are known", "", True),
    ),
    places=(Place("indexed/{sample}/observed_lines.parquet"),),
)

CANDIDATE_LINES = Table(
    "candidate_lines",
    "an observed line and the reflection that a candidate gives it",
    (
        _SAMPLE,
        _RANK,
        _LINE,
        Column("indexed", BOOL, "Whether the candidate explains it"),
        *_indices(nullable=True),
        Column("q2_corrected_inv_A2", FLOAT64, "Observed 1/d², the shift taken off", "1/A²"),
        Column("q2_calculated_inv_A2", FLOAT64, "Calculated 1/d²", "1/A²", nullable=True),
        Column("d_calculated_A", FLOAT64, "Calculated spacing", "A", nullable=True),
        Column("two_theta_calculated_deg", FLOAT64, "Calculated 2theta", "degree", nullable=True),
        Column(
            "q2_difference_inv_A2",
            FLOAT64,
            "Corrected minus calculated 1/d²",
            "1/A²",
            nullable=True,
        ),
        Column(
            "two_theta_difference_deg",
            FLOAT64,
            "Corrected minus calculated 2theta",
            "degree",
            nullable=True,
        ),
    ),
    places=(Place("indexed/{sample}/candidate_lines.parquet"),),
)

ABSENT_LINES = Table(
    "absent_lines",
    "a line that a candidate predicts inside the measured range and that was not observed",
    (
        _SAMPLE,
        _RANK,
        *_indices(nullable=False),
        Column("q2_inv_A2", FLOAT64, "1/d²", "1/A²"),
        Column("d_A", FLOAT64, "Spacing", "A"),
        Column("two_theta_deg", FLOAT64, "2theta, with a wavelength", "degree", nullable=True),
    ),
    places=(Place("indexed/{sample}/absent_lines.parquet"),),
)

EXTINCTION_SYMBOLS = Table(
    "extinction_symbols",
    "an extinction symbol that a candidate may have, most probable first",
    (
        _SAMPLE,
        _RANK,
        Column("symbol", STRING, "The symbol, as in International Tables A"),
        Column("space_groups", list_of(STRING), "Space groups that have it"),
        Column("probability", FLOAT64, "Probability among all symbols of the Bravais lattice"),
        Column(
            "contradicted", INT32, "Observed lines that only reflections forbidden by it explain"
        ),
    ),
    places=(Place("indexed/{sample}/extinction_symbols.parquet"),),
)

PARTNER_LATTICES = Table(
    "partner_lattices",
    "another lattice with the same line positions as a candidate",
    (
        _SAMPLE,
        _RANK,
        BRAVAIS,
        Column("centring", STRING, "Centring letter of the cell"),
        Column("setting", STRING, "Axes of the cell; hR is given on hexagonal axes, obverse"),
        *cell_columns("", "the other lattice"),
        Column("relation", STRING, "How the two are related"),
        Column(
            "distinguishing_q2_inv_A2",
            list_of(FLOAT64),
            "1/d² of lines that only one of them has",
            "1/A²",
        ),
        Column(
            "probability",
            FLOAT64,
            "Its probability as a candidate; empty where it is not among the candidates",
            nullable=True,
        ),
    ),
    places=(Place("indexed/{sample}/partner_lattices.parquet"),),
)

SEARCHED_LATTICES = Table(
    "searched_lattices",
    "a Bravais lattice and how far it was searched for a sample",
    (
        _SAMPLE,
        BRAVAIS,
        Column("status", STRING, "complete, cut off or not reached"),
        Column("trials", INT64, "Cells tried"),
        _SECONDS,
    ),
    places=(Place("indexed/{sample}/searched_lattices.parquet"),),
)

#: All that is written of one sample.
OF_A_SAMPLE: tuple[Table, ...] = (
    INDEXED_SAMPLES,
    CANDIDATE_CELLS,
    OBSERVED_LINES,
    CANDIDATE_LINES,
    ABSENT_LINES,
    EXTINCTION_SYMBOLS,
    PARTNER_LATTICES,
    SEARCHED_LATTICES,
)
