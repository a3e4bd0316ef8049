"""Tables of the learned ranking."""

from mlindex.base.columns import BRAVAIS, ENTRY_ID
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT64, INT32, STRING, Column, Table
from mlindex.indexing.ranking.meanings import MEANINGS

RANKING_EXAMPLES = Table(
    "ranking_examples",
    "a candidate from the ab initio indexing of a spoiled list; a list without candidates "
    "has one row, number 0",
    (
        ENTRY_ID,
        BRAVAIS,
        Column("side", STRING, "train or validation: the side of the entry"),
        Column("shift_deg", FLOAT64, "Zero shift put on", "degree"),
        Column("noise_deg", FLOAT64, "Standard deviation of the noise put on", "degree"),
        Column("impurities", INT32, "Impurities put in, of 20 lines"),
        Column("missing", INT32, "Lines left out, of the first 20"),
        Column(
            "intensities", BOOL, "Whether the list has intensities, as a peak search makes them"
        ),
        Column("second_share", FLOAT64, "Share of the intensity that a second crystal has"),
        Column("n_lines", INT32, "Lines of the list"),
        Column("candidate", INT32, "Number of the candidate by evidence, from 1"),
        Column("right", BOOL, "Whether it is the true lattice"),
        *(Column(f"x_{name}", FLOAT64, meaning) for name, meaning in MEANINGS.items()),
    ),
    places=(Place("ranking/examples/{system}.parquet"),),
)

RANKING_FIGURES = Table(
    "ranking_figures",
    "a way of ranking and how often it puts the true lattice first, on validation lists",
    (
        Column("ranked_by", STRING, "evidence, evidence and absences, or learned"),
        Column("lists", STRING, "exact, spoiled, with intensities, or all"),
        Column("n_lists", INT32, "Lists"),
        Column("found", INT32, "Lists with the true lattice among the candidates"),
        Column("first", INT32, "Lists with it first"),
        Column("convincing", INT32, "Lists whose first has a probability of 0.9 or more"),
        Column("wrong", INT32, "Of these, lists whose first is another lattice"),
        Column(
            "log_loss",
            FLOAT64,
            "Mean of -ln of the probability given to what is right",
        ),
    ),
    places=(Place("ranking/figures.parquet"),),
)
