"""Which entries stand for a lattice system where not all can."""

from __future__ import annotations

import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.provenance import derive_seed
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.reindexed import standard_order
from mlindex.learning.sides import VALIDATION

#: Columns of DATASET that :func:`choose_entries` and :func:`validate` need.
CHOICE_COLUMNS = ("entry_id", "bravais_lattice", "side", "usable")


COLUMNS = (
    *CHOICE_COLUMNS,
    *("hm_symbol", "unique_axis", "group"),
    *cell_names(""),
    "observed_q2_inv_A2",
)


def choose_entries(dataset: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """At most ``count`` usable validation entries, as evenly as can be over Bravais lattices."""
    usable = dataset[dataset["usable"] & (dataset["side"] == VALIDATION)]
    keys = [derive_seed(seed, "choose", entry) for entry in usable["entry_id"]]
    shuffled = usable.assign(_key=keys).sort_values(["_key", "entry_id"], kind="stable")
    turn = shuffled.groupby("bravais_lattice").cumcount()
    chosen = shuffled.assign(_turn=turn).sort_values(["_turn", "_key"], kind="stable").head(count)
    return chosen.drop(columns=["_key", "_turn"]).sort_values("entry_id").reset_index(drop=True)


def centring_of(hm_symbol: str, system: LatticeSystem, unique_axis: str) -> str:
    """Centring letter in the standard setting from a symbol in the reindexed setting."""
    letter = hm_symbol.strip()[0].upper()
    if letter == "R":
        # Reindexing puts these on rhombohedral axes, where the lattice is primitive.
        return "P"
    faces = "ABC"
    if letter not in faces:
        return letter
    position = standard_order(system, unique_axis).index(faces.index(letter))
    return faces[position]
