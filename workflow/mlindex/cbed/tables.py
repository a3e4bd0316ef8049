"""Tables of stacks and of what is learnt from them."""

from __future__ import annotations

from mlindex.base.columns import BRAVAIS, ENTRY_ID, cell_columns
from mlindex.base.place import Place
from mlindex.base.schema import (
    BOOL,
    FLOAT32,
    FLOAT64,
    INT16,
    INT32,
    STRING,
    Column,
    Table,
    list_of,
)

_STACK = Column("stack", INT32, "Number of the stack among those of its crystal, from 0")

CBED_FEATURES = Table(
    "cbed_features",
    "a stack of patterns of a crystal, and what classifiers see of it",
    (
        ENTRY_ID,
        _STACK,
        Column("formula", STRING, "Elements and their numbers in the cell"),
        Column("spacegroup_number", INT16, "Space group, 1 to 230"),
        BRAVAIS,
        Column("structure_type", STRING, "Space group, anonymous formula, atoms a lattice point"),
        Column("composition_family", STRING, "Elements but hydrogen"),
        *cell_columns("", "the cell"),
        *cell_columns("niggli_", "the Niggli cell"),
        Column("volume_A3", FLOAT64, "Volume of the cell", "A³"),
        Column("n_points", INT32, "Lattice points in the cell"),
        Column("energy_keV", FLOAT64, "Energy of the electrons", "keV"),
        Column("thickness_A", FLOAT64, "Thickness, where it is known", "A", nullable=True),
        Column("zones", list_of(INT32), "Zone axes [uvw], three numbers each"),
        Column("reasoning", STRING, "Diffraction groups and point groups that agree with it"),
        Column("features", list_of(FLOAT32), "What classifiers see of it; NaN where unknown"),
    ),
    places=(Place("cbed/features/{crystals}.parquet", rule="cbed_stacks"),),
)

CBED_REJECTS = Table(
    "cbed_rejects",
    "a crystal, stack or file that was left out, with the reason",
    (
        Column("entry_id", STRING, "Crystal, or the file of stacks"),
        Column("sample", STRING, "Name of the stack in its file; empty for all of it"),
        Column("seen", STRING, "What was seen"),
        Column("reason", STRING, "What is wrong, in a sentence"),
    ),
    places=(Place("cbed/rejects/{crystals}.parquet", rule="cbed_stacks"),),
)

CBED_EXAMPLES = Table(
    "cbed_examples",
    "a stack in coarse, to be looked at: one of each job, drawn by the names of crystals",
    (
        ENTRY_ID,
        _STACK,
        Column("shape", list_of(INT32), "Patterns, and pixels along y and x"),
        Column(
            "pixels", list_of(INT16), "Grey of each pixel, 0 to 255: intensity to the power 1/4"
        ),
    ),
    places=(Place("cbed/examples/{crystals}.parquet", rule="cbed_stacks"),),
)

CBED_PARTS = Table(
    "cbed_parts",
    "a crystal, and the part that all its stacks belong to",
    (
        ENTRY_ID,
        Column("spacegroup_number", INT16, "Space group, 1 to 230"),
        Column("structure_type", STRING, "Space group, anonymous formula, atoms a lattice point"),
        Column("part", STRING, "train, validation (chooses), calibration or test"),
        Column("stacks", INT32, "Its stacks"),
    ),
    places=(Place("cbed/parts.parquet", rule="train_cbed"),),
)

CBED_SCORES = Table(
    "cbed_scores",
    "a learner on the stacks of the test part, at one level of symmetry",
    (
        Column("level", STRING, "space_group, point_group or crystal_system"),
        Column("learner", STRING, "Kind of learner"),
        Column("chosen", BOOL, "Whether it is that of the model"),
        Column("stacks", INT32, "Stacks"),
        Column("crystals", INT32, "Crystals that they are of"),
        Column("accuracy", FLOAT64, "Share of right classes"),
        Column("accuracy_low", FLOAT64, "Lower end of its 95 % interval, for so many crystals"),
        Column("accuracy_high", FLOAT64, "Upper end"),
        Column("top_5", FLOAT64, "Share with the right class among the first five"),
        Column("macro_f1", FLOAT64, "Mean F1 over the classes that occur"),
        Column("log_loss", FLOAT64, "Mean log-loss", "nat"),
        Column("calibration_error", FLOAT64, "Expected calibration error, ten bins"),
        Column(
            "validation_log_loss",
            FLOAT64,
            "Mean log-loss of the validation part; none of random answers",
            "nat",
            nullable=True,
        ),
    ),
    places=(Place("cbed/scores.parquet", rule="train_cbed"),),
)

CBED_TESTS = Table(
    "cbed_tests",
    "a stack of the test part, and what the model says of it",
    (
        ENTRY_ID,
        _STACK,
        Column("true_group", INT16, "Space group of the crystal"),
        Column("predicted_group", INT16, "Most probable space group"),
        Column("probability", FLOAT64, "Its probability"),
        Column("true_probability", FLOAT64, "Probability of the space group of the crystal"),
        Column("rank", INT16, "Place of the true group, from 1"),
    ),
    places=(Place("cbed/tests.parquet", rule="train_cbed"),),
)
