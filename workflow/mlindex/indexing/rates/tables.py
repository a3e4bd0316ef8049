"""The table of ab initio indexing of validation entries."""

from mlindex.base.columns import BRAVAIS, ENTRY_ID
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT64, INT32, STRING, Column, Table

INDEXING_RATES = Table(
    "indexing_rates",
    "a validation entry, a way its list was spoiled, and the outcome of ab initio indexing",
    (
        ENTRY_ID,
        BRAVAIS,
        Column("degradation", STRING, "exact, shift, noise, impurities or missing"),
        Column(
            "amount",
            FLOAT64,
            "How much: degrees of 2theta (shift; standard deviation of noise), or lines of 20 "
            "(impurities, missing; of cubic lists, 10 lines, as large a share, rounded up)",
        ),
        Column("lines", INT32, "Lines in the list"),
        Column("rank", INT32, "Rank of the true lattice, from 1; 0 where it was not found"),
        Column("first", BOOL, "Whether the true lattice is first"),
        Column("named", BOOL, "Whether another is first and names it as a partner"),
        Column("listed", BOOL, "Whether it is among the first 20"),
        Column("convincing", BOOL, "Whether the first candidate was called convincing"),
        Column(
            "wrong",
            BOOL,
            "Whether it was called convincing while the true lattice is neither first nor named",
        ),
        Column("candidates", INT32, "Candidates found"),
        Column("best_bravais_lattice", STRING, "Bravais lattice of the first candidate, or empty"),
        Column("m20", FLOAT64, "M of the first candidate (de Wolff 1968)", nullable=True),
    ),
    places=(Place("indexing_rates/{system}.parquet", reported="indexing_rates"),),
)
