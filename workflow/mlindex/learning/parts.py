"""Parts of the examples: to train on, to calibrate with, to test on.

Whole units stand in one part: structure types, composition families, or single entries (a random
split, which shows how much it flatters). All lists of an entry go with it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.sides import VALIDATION
from mlindex.learning.split import assign_sides

#: With fewer lists nothing can be learnt.
_FEWEST_LISTS = 200
TRAIN, CALIBRATION, TEST = "train", "calibration", "test"
#: Columns of SYMMETRY_EXAMPLES by which examples can be kept together.
UNITS = ("structure_type", "composition_family", "entry_id")


def lacking(examples: pd.DataFrame, level: str) -> str:
    """Why nothing can be learnt from these rows of SYMMETRY_EXAMPLES; "" where something can."""
    numbers = examples["spacegroup_number"].to_numpy()
    n_classes = len(np.unique(classes_of(level).of(numbers)))
    if len(examples) >= _FEWEST_LISTS and n_classes > 1:
        return ""
    return f"{len(examples)} lists of {n_classes} classes; {_FEWEST_LISTS} of 2 are needed"


def assign_parts(
    examples: pd.DataFrame,
    unit: str,
    test_share: float,
    calibration_share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The part (n,) of each example.

    Units are drawn within the Bravais lattice that most of their entries have, so that every
    lattice has its share in each part.

    Args:
        examples: rows with ``entry_id``, ``bravais_lattice`` and ``unit``.
        unit: one of :data:`UNITS`.
        test_share, calibration_share: shares of the entries.
        rng: source of the draw; the result does not depend on the order of the rows.
    """
    columns = list(dict.fromkeys(["entry_id", "bravais_lattice", unit]))
    entries = examples[columns].drop_duplicates("entry_id").sort_values("entry_id")
    # The stratum of assign_sides is a column of this name.
    entries = entries.rename(columns={"bravais_lattice": "hm_symbol"})
    if unit == "entry_id":
        entries = entries.assign(unit=entries["entry_id"])
        unit = "unit"
    is_test = assign_sides(entries, unit, test_share, rng) == VALIDATION
    part = np.where(is_test, TEST, TRAIN).astype(object)
    rest = entries[~is_test]
    share = calibration_share / (1 - test_share)
    held_out = assign_sides(rest, unit, share, rng) == VALIDATION
    part[np.flatnonzero(~is_test)[held_out]] = CALIBRATION
    of_entry = dict(zip(entries["entry_id"], part, strict=True))
    return np.array([of_entry[entry] for entry in examples["entry_id"]], dtype=object)
