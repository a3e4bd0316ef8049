"""Tables of training and validation results."""

from mlindex.base.columns import BRAVAIS, ENTRY_ID, cell_columns
from mlindex.base.schema import FLOAT64, INT32, STRING, Column, Table

TRAINING = Table(
    "training",
    "an epoch of the training of one network",
    (
        Column("model", STRING, "Group, or noise level"),
        Column("network", STRING, "mean, variance or assignment"),
        Column("epoch", INT32, "Epoch, counted through the cycles"),
        Column("loss", FLOAT64, "Training loss"),
        Column("validation_loss", FLOAT64, "Validation loss"),
    ),
)

METRICS = Table(
    "metrics",
    "one figure of one model, measured on validation entries that are not augmented",
    (
        Column("model", STRING, "Group, or noise level"),
        Column("estimator", STRING, "network, forest, both, assignment network or nearest"),
        Column("metric", STRING, "What was measured"),
        Column("parameter", STRING, "Cell parameter it concerns, or nothing"),
        Column("value", FLOAT64, "The figure"),
        Column("unit", STRING, "Its unit"),
        Column("entries", INT32, "Validation entries it was measured on"),
    ),
)

VALIDATION = Table(
    "validation",
    "a validation entry and what indexing made of it",
    (
        ENTRY_ID,
        BRAVAIS,
        Column("group", STRING, "Group of the entry"),
        Column("method", STRING, "How indices were assigned: nearest or network"),
        *cell_columns("true_", "the true cell, standard setting"),
        *cell_columns("best_", "the best cell found, standard setting; NaN where none was"),
        Column("outcome", STRING, "found, explained (other cell, all lines), or missed"),
        Column("rank", INT32, "Rank of the true lattice among the cells found, 0 where absent"),
        Column("m20", FLOAT64, "M of the best cell (de Wolff 1968)"),
        Column("true_m20", FLOAT64, "M of the true cell"),
        Column("indexed", INT32, "Lines that the best cell indexes"),
        Column("lines", INT32, "Lines used"),
        Column("candidates", INT32, "Candidates at the start"),
        Column("iterations", INT32, "Steps made"),
        Column(
            "best_initial_distance_A", FLOAT64, "Nearest initial candidate to the true cell", "A"
        ),
    ),
)

RATES = Table(
    "rates",
    "an indexing rate on validation entries",
    (
        BRAVAIS,
        Column("method", STRING, "How indices were assigned: nearest or network"),
        Column("outcome", STRING, "found, or found or explained"),
        Column("successes", INT32, "Entries with the outcome"),
        Column("entries", INT32, "Entries indexed"),
        Column("rate", FLOAT64, "Share"),
        Column("low", FLOAT64, "Lower end of the 95 % interval (Wilson)"),
        Column("high", FLOAT64, "Upper end of the 95 % interval (Wilson)"),
        Column("published", STRING, "The author's figure, in percent"),
    ),
)
