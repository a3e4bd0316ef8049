"""Tables that training reads and writes, one file for each lattice system."""

from mlindex.base.columns import BRAVAIS, ENTRY_ID, cell_columns, miller_columns
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT64, INT16, INT32, STRING, Column, Table, list_of

SCALING = Table(
    "scaling",
    "a quantity and how it is scaled: (value - mean) / scale",
    (
        Column("quantity", STRING, "q2_inv_A2, length_A or angle_rad"),
        Column("mean", FLOAT64, "Subtracted; pi/2 for angles"),
        Column("scale", FLOAT64, "Divided by"),
        Column("values", INT32, "Training values it was fitted to"),
    ),
    places=(
        Place("scaling/{system}.parquet", reported="scaling"),
        Place("trained/{system}/scaling.parquet"),
        Place("models/{system}/scaling.parquet"),
    ),
)

SPLITS = Table(
    "splits",
    "an error of random forests on the validation side of one of the two splits",
    (
        Column("split_unit", STRING, "structure_type or composition_family"),
        BRAVAIS,
        Column("parameter", STRING, "Cell parameter, reindexed cell, or volume"),
        Column("metric", STRING, "median or percentile_90 of the absolute relative error"),
        Column("value", FLOAT64, "The error"),
        Column("entries", INT32, "Validation entries it was measured on"),
    ),
    places=(Place("splits/{system}.parquet", reported="splits"),),
)

REFERENCE = Table(
    "reference",
    "a reference reflection; its row number is the label; the last row is (0 0 0), none of them",
    (
        Column("h", INT16, "Miller index h, standard setting"),
        Column("k", INT16, "Miller index k, standard setting"),
        Column("l", INT16, "Miller index l, standard setting"),
        Column("mean_q_inv_A", FLOAT64, "Mean of 1/d over the training entries", "1/A"),
    ),
    places=(
        Place("reference/{system}.parquet"),
        Place("trained/{system}/reference.parquet"),
        Place("models/{system}/reference.parquet"),
    ),
)

EXAMPLES = Table(
    "examples",
    "a training or validation example, as it is or augmented",
    (
        Column("example_id", STRING, "Entry, and #n for its n-th augmentation"),
        Column("parent_id", STRING, "Entry it comes from"),
        Column("augmented", BOOL, "Whether it is augmented"),
        Column("side", STRING, "train or validation"),
        BRAVAIS,
        Column("hm_symbol", STRING, "Symbol in the reindexed setting"),
        Column("unique_axis", STRING, "Unique axis of the reindexed cell: a, b, c or nothing"),
        Column("group", STRING, "Group of the entry"),
        *cell_columns("", "the reindexed cell"),
        Column("q2_inv_A2", list_of(FLOAT64), "q² of the model's peaks", "1/A²"),
        *miller_columns("", "the model's peaks, reindexed setting"),
        Column("label", list_of(INT16), "Row of each peak's reflection in the reference list"),
    ),
    places=(Place("examples/{system}.parquet"),),
    equally_long=(("q2_inv_A2", "h", "k", "l", "label"),),
)

FIRST_PEAK = Table(
    "first_peak",
    "a position in list 1 and how often the first observed peak is there",
    (
        Column("position", INT32, "Position in list 1, from 0"),
        Column("probability", FLOAT64, "Share of the training entries"),
    ),
    places=(Place("augmentation/{system}/first_peak.parquet", reported="first_peak"),),
)

ACCEPTANCE = Table(
    "acceptance",
    "a bin of separations in which the share of observed peaks was counted (eq. 19)",
    (
        Column("separation_inv_A2", FLOAT64, "Middle of the bin", "1/A²"),
        Column("peaks", INT32, "Peaks of list 1 in the bin"),
        Column("observed", FLOAT64, "Share of them in list 2"),
        Column("fitted", FLOAT64, "Eq. 19 at the middle of the bin and the mean q²"),
        Column("r0", FLOAT64, "r0 of eq. 19"),
        Column("r1", FLOAT64, "r1 of eq. 19", "A²"),
        Column("c_intercept", FLOAT64, "c(q²) at q² = 0"),
        Column("c_slope", FLOAT64, "Slope of c(q²)", "A²"),
    ),
    places=(Place("augmentation/{system}/acceptance.parquet", reported="acceptance"),),
)

#: Kinds of entries that HISTOGRAMS compares.
HISTOGRAM_KINDS = ("original", "augmented")
HISTOGRAMS = Table(
    "histograms",
    "a bin of a figure that compares original and augmented entries (Moreau, figures 1 to 5)",
    (
        Column("figure", STRING, "cell, cell_scaled, peaks, peaks_scaled, separations or labels"),
        Column("panel", STRING, "Quantity, e.g. a_A, or Bravais lattice and peak"),
        Column("kind", STRING, "original or augmented"),
        Column("left", FLOAT64, "Left edge of the bin"),
        Column("right", FLOAT64, "Right edge of the bin"),
        Column("count", FLOAT64, "Values in the bin"),
    ),
    places=(Place("augmentation/{system}/histograms.parquet", reported="histograms"),),
)

TEMPLATES = Table(
    "templates",
    "a set of reference reflections that some of the first lines of training entries often have",
    (
        Column("line", list_of(INT32), "Positions of the lines, from 0"),
        Column("label", list_of(INT32), "Row of each line's reflection in the reference list"),
        Column("examples", INT32, "Training examples with it"),
    ),
    places=(
        Place("templates/{system}.parquet"),
        Place("trained/{system}/templates.parquet"),
        Place("models/{system}/templates.parquet"),
    ),
    equally_long=(("line", "label"),),
)


VALIDATION = Table(
    "validation",
    "a validation entry and the outcome of indexing it",
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
    places=(Place("validation/{system}.parquet", reported="validation"),),
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
    places=(
        Place("rates/{system}.parquet", reported="rates"),
        Place("models/{system}/rates.parquet"),
    ),
)
