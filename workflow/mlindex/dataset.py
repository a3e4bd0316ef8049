"""The dataset of a lattice system: unique entries with peaks, group and side (Moreau 2.1.2, 2.1.3).

Only the entries that deduplication kept come in, so that no duplicate stands on both sides.
Groups and sides are made from the usable entries: those with as many observed peaks as the
models need. The others stay in the table, marked, and are listed among the rejects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.grouping import group_entries
from mlindex.lattice import LatticeSystem, bravais_of
from mlindex.settings.data import Grouping, Split
from mlindex.split import (
    SPLIT_UNITS,
    TRAIN,
    VALIDATION,
    assign_sides,
    composition_family,
    structure_type,
)
from mlindex.tables.columns import cell_names
from mlindex.tables.entries import REJECTS
from mlindex.tables.training import DATASET, GROUPS

#: Columns of the tables that :func:`build_dataset` needs; the others need not be read.
ENTRY_COLUMNS = ("entry_id", "source", "path", "elements", "element_counts", "n_atoms")
DUPLICATE_COLUMNS = ("entry_id", "bravais_lattice", "kept")
CELL_COLUMNS = (
    "entry_id",
    "bravais_lattice",
    "spacegroup_number",
    "hall_symbol",
    "reindexed_hm_symbol",
    "unique_axis",
    "reindexed_operator",
    "n_points",
    *cell_names("reindexed_"),
    "volume_A3",
)
PEAK_COLUMNS = (
    "entry_id",
    "n_observed",
    *(f"{kind}_{name}" for kind in ("present", "observed") for name in ("q2_inv_A2", *"hkl")),
)

STAGE = "dataset"
_RULES = {
    1: ("no cell", "its cell could not be reduced"),
    2: ("no peaks", "its pattern could not be simulated"),
    3: ("too few peaks", "it has fewer observed peaks than the models need"),
}


@dataclass(frozen=True)
class Dataset:
    """The tables DATASET, GROUPS and REJECTS of a lattice system."""

    dataset: pd.DataFrame
    groups: pd.DataFrame
    rejects: pd.DataFrame


def build_dataset(
    system: LatticeSystem,
    cells: pd.DataFrame,
    peaks: pd.DataFrame,
    entries: pd.DataFrame,
    duplicates: pd.DataFrame,
    grouping: Grouping,
    split: Split,
    rng: np.random.Generator,
) -> Dataset:
    """Join, group and split the kept entries of a lattice system.

    Args:
        system: the lattice system; entries of others are passed over.
        cells, peaks, entries, duplicates: tables CELLS, PEAKS, ENTRIES and DUPLICATES, at least
            with CELL_COLUMNS, PEAK_COLUMNS, ENTRY_COLUMNS and DUPLICATE_COLUMNS; in any order.
        grouping, split: settings.
        rng: source of the split. The result does not depend on the order of rows.

    Returns:
        The dataset by entry_id; groups; and rejects. An entry without cell or peaks is only
        among the rejects, one with too few peaks also in the dataset, with ``usable`` False.
    """
    lattices = [b.symbol for b in bravais_of(system.name)]
    wanted = duplicates["kept"].astype(bool) & duplicates["bravais_lattice"].isin(lattices)
    kept = duplicates.loc[wanted, ["entry_id"]].sort_values("entry_id")
    kept = kept.merge(entries[list(ENTRY_COLUMNS)], on="entry_id", validate="1:1")
    in_cells = kept["entry_id"].isin(cells["entry_id"])
    in_peaks = kept["entry_id"].isin(peaks["entry_id"])
    joined = (
        kept[in_cells & in_peaks]
        .merge(cells[list(CELL_COLUMNS)], on="entry_id", validate="1:1")
        .merge(peaks[list(PEAK_COLUMNS)], on="entry_id", validate="1:1")
    )
    frame = _described(joined, system)
    group, groups = group_entries(frame, grouping)
    frame["group"] = group
    _add_sides(frame, split, rng)
    few = frame[~frame["usable"]]
    seen = few["n_observed"].map(lambda n: f"{n} of {system.n_peaks} peaks")
    rejects = pd.concat(
        [
            _rejects(kept[~in_cells], 1, ""),
            _rejects(kept[in_cells & ~in_peaks], 2, ""),
            _rejects(few, 3, seen),
        ],
        ignore_index=True,
    )
    dataset = frame[DATASET.names].reset_index(drop=True) if len(frame) else DATASET.empty()
    return Dataset(dataset, groups if len(groups) else GROUPS.empty(), rejects)


def _described(joined: pd.DataFrame, system: LatticeSystem) -> pd.DataFrame:
    columns = {f"reindexed_{name}": name for name in cell_names("")}
    frame = joined.rename(columns={**columns, "reindexed_hm_symbol": "hm_symbol"})
    # The reindexed cell may hold fewer lattice points than the conventional one.
    per_volume = [
        abs(np.linalg.det(np.reshape(np.asarray(p, dtype=float), (3, 3))))
        for p in joined["reindexed_operator"]
    ]
    frame["volume_A3"] = joined["volume_A3"].to_numpy() * np.array(per_volume, dtype=float)
    frame["usable"] = frame["n_observed"].to_numpy(dtype=int) >= system.n_peaks
    types = zip(
        frame["spacegroup_number"],
        frame["elements"],
        frame["element_counts"],
        frame["n_atoms"] / frame["n_points"],
        strict=True,
    )
    frame["structure_type"] = [structure_type(*values) for values in types]
    frame["composition_family"] = [composition_family(e) for e in frame["elements"]]
    return frame


def _add_sides(frame: pd.DataFrame, split: Split, rng: np.random.Generator) -> None:
    usable = frame["usable"].to_numpy(dtype=bool)
    for unit, stream in zip(SPLIT_UNITS, rng.spawn(len(SPLIT_UNITS)), strict=True):
        part = frame[usable]
        sides = assign_sides(part, unit, split.validation_fraction, stream)
        held_out = set(part.loc[sides == VALIDATION, unit])
        # Entries that are not usable follow their unit, should anyone ever use them.
        side = np.where(frame[unit].isin(held_out), VALIDATION, TRAIN).astype(object)
        frame[f"side_{unit}"] = side
    frame["side"] = frame[f"side_{split.unit}"]


def _rejects(rows: pd.DataFrame, rule: int, seen: str | pd.Series) -> pd.DataFrame:
    name, reason = _RULES[rule]
    if rows.empty:
        return REJECTS.empty()
    frame = rows[["entry_id", "source", "path"]].assign(
        stage=STAGE,
        rule=rule,
        rule_name=name,
        seen=seen,
        reason=f"Left out of training: {reason}.",
    )
    return frame[REJECTS.names]
