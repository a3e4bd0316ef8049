"""Tables of the simulated patterns and of their peaks."""

from mlindex.base.columns import ENTRY_ID, miller_columns
from mlindex.base.place import Place
from mlindex.base.schema import FLOAT32, FLOAT64, INT16, INT32, Column, Table, list_of

REFLECTIONS = Table(
    "reflections",
    "an entry's reflections that are not systematically absent, by falling spacing",
    (
        ENTRY_ID,
        *miller_columns("", "each reflection, conventional setting"),
        Column("q2_inv_A2", list_of(FLOAT64), "1/d² of each reflection", "1/A²"),
        Column("two_theta_deg", list_of(FLOAT64), "2theta, NaN beyond the pattern", "degree"),
        Column("multiplicity", list_of(INT16), "Symmetry-equivalent reflections in each line"),
        Column("intensity", list_of(FLOAT64), "Intensity, strongest 100; 0 beyond the pattern"),
    ),
    places=(Place("reflections/{source}/{shard}.parquet", rule="simulate"),),
    equally_long=(("h", "k", "l", "q2_inv_A2", "two_theta_deg", "multiplicity"),),
)

PATTERNS = Table(
    "patterns",
    "an entry's powder pattern",
    (
        ENTRY_ID,
        Column("scale", FLOAT64, "Pattern at a lone line of intensity 1 (strongest line: 100)"),
        Column("intensity", list_of(FLOAT32), "Pattern with sum(I²) = 1 on the grid"),
    ),
    places=(Place("patterns/{source}/{shard}.parquet", rule="simulate"),),
)

PEAKS = Table(
    "peaks",
    "an entry's two peak lists, Miller indices in the reindexed setting",
    (
        ENTRY_ID,
        Column("n_present", INT32, "Reflections in list 1 (not systematically absent)"),
        Column("present_q2_inv_A2", list_of(FLOAT64), "q² of list 1", "1/A²"),
        *miller_columns("present_", "list 1"),
        Column("n_observed", INT32, "Peaks in list 2 (would be seen)"),
        Column("observed_q2_inv_A2", list_of(FLOAT64), "q² of list 2", "1/A²"),
        *miller_columns("observed_", "list 2"),
        Column("observed_intensity", list_of(FLOAT64), "Pattern at the peaks of list 2"),
    ),
    places=(Place("peaks/{source}/{shard}.parquet"),),
    equally_long=(
        ("present_q2_inv_A2", "present_h", "present_k", "present_l"),
        ("observed_q2_inv_A2", "observed_h", "observed_k", "observed_l", "observed_intensity"),
    ),
    counted=(("n_present", "present_q2_inv_A2"), ("n_observed", "observed_q2_inv_A2")),
)
