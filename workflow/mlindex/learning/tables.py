"""Tables of the data set, and of training."""

from __future__ import annotations

from mlindex.base.columns import BRAVAIS, ENTRY_ID, cell_columns, miller_columns
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT64, INT32, STRING, Column, Table, list_of

DATASET = Table(
    "dataset",
    "a unique entry of a lattice system with group and side",
    (
        ENTRY_ID,
        BRAVAIS,
        Column("hm_symbol", STRING, "Symbol in the reindexed setting"),
        Column("unique_axis", STRING, "Unique axis of the reindexed cell: a, b, c or nothing"),
        Column("group", STRING, "Group of the entry"),
        Column("structure_type", STRING, "Space group, anonymous formula, atoms a lattice point"),
        Column("composition_family", STRING, "Elements but hydrogen"),
        Column("side", STRING, "train or validation, by the split unit of the config"),
        Column("side_structure_type", STRING, "Side when split by structure type"),
        Column("side_composition_family", STRING, "Side when split by composition family"),
        Column("usable", BOOL, "Whether list 2 has the peaks that the model needs"),
        *cell_columns("", "the reindexed cell"),
        Column("volume_A3", FLOAT64, "Volume of the reindexed cell", "A³"),
        Column("present_q2_inv_A2", list_of(FLOAT64), "q² of list 1", "1/A²"),
        *miller_columns("present_", "list 1"),
        Column("observed_q2_inv_A2", list_of(FLOAT64), "q² of list 2", "1/A²"),
        *miller_columns("observed_", "list 2"),
        Column("observed_intensity", list_of(FLOAT64), "Pattern at the peaks of list 2"),
    ),
    places=(Place("dataset/{system}.parquet", reported="dataset"),),
    equally_long=(
        ("present_q2_inv_A2", "present_h", "present_k", "present_l"),
        ("observed_q2_inv_A2", "observed_h", "observed_k", "observed_l", "observed_intensity"),
    ),
)


GROUPS = Table(
    "groups",
    "a pattern of reflection conditions and the group that it went into",
    (
        Column("group", STRING, "Group, e.g. mP_b_00: Bravais lattice, unique axis, number"),
        BRAVAIS,
        Column("unique_axis", STRING, "Unique axis of the reindexed cell: a, b, c or nothing"),
        Column("conditions", STRING, "Reflection conditions of this pattern"),
        Column("hm_symbols", STRING, "Symbols with this pattern and their counts"),
        Column("entries", INT32, "Entries with this pattern"),
        Column("usable", INT32, "Those of them that have the peaks that the model needs"),
        Column("group_entries", INT32, "Entries of the whole group"),
        Column("merged", BOOL, "Whether the pattern was too rare for a group of its own"),
    ),
    places=(
        Place("groups/{system}.parquet", reported="groups"),
        Place("trained/{system}/groups.parquet"),
        Place("models/{system}/groups.parquet"),
    ),
)


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
    places=(
        Place("regression/{system}/training_{batch}.parquet", reported="training"),
        Place("assignment/{system}/training_{level}.parquet", reported="training"),
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
    places=(
        Place("regression/{system}/metrics_{batch}.parquet", reported="metrics"),
        Place("forest/{system}/metrics.parquet", reported="metrics"),
        Place("overlap/{system}.parquet", reported="overlap"),
        Place("assignment/{system}/metrics_{level}.parquet", reported="metrics"),
        Place("models/{system}/metrics.parquet"),
    ),
)
