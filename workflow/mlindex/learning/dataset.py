"""The dataset of a lattice system: unique entries with peaks, group and side (Moreau 2.1.2, 2.1.3).

Only the entries that deduplication kept come in, so that no duplicate stands on both sides.
Groups and sides are made from the usable entries: those with as many observed peaks as the
models need. The others stay in the table, marked, and are listed among the rejects.

Peak lists are by far the most of it, and nothing here looks into them: shards are joined one at
a time without them, groups and sides are made from what is left (about 0.3 kB an entry), and the
peaks then pass through block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_blocks, read_table
from mlindex.crystal.lattice import LatticeSystem, bravais_of
from mlindex.learning.grouping import group_entries, operator_keys
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.settings import Grouping, Split
from mlindex.learning.split import (
    SPLIT_UNITS,
    TRAIN,
    VALIDATION,
    assign_sides,
    composition_family,
    structure_type,
)
from mlindex.learning.tables import DATASET, GROUPS
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, ENTRIES, REJECTS

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
    "observed_intensity",
)

STAGE = "dataset"
_RULES = {
    1: ("no cell", "its cell could not be reduced"),
    2: ("no peaks", "its pattern could not be simulated"),
    3: ("too few peaks", "it has fewer observed peaks than the models need"),
}


#: Columns of the kept entries that groups and sides are made from, the peaks left out.
_SLIM_COLUMNS = (
    *("entry_id", "source", "path", "bravais_lattice", "hm_symbol", "hall_symbol", "unique_axis"),
    *("reindexed_operator", "structure_type", "composition_family", "usable", "n_observed"),
    *cell_names(""),
    "volume_A3",
)
_ROWS = 1000


@dataclass(frozen=True)
class Dataset:
    """The tables DATASET, GROUPS and REJECTS of a lattice system."""

    dataset: pd.DataFrame
    groups: pd.DataFrame
    rejects: pd.DataFrame


@dataclass(frozen=True)
class Shard:
    """Files of the tables ENTRIES, CELLS and PEAKS of one shard."""

    entries: Path
    cells: Path
    peaks: Path


@dataclass(frozen=True)
class Joined:
    """Kept entries of a shard, without their peak lists, and those that have no cell or peaks."""

    frame: pd.DataFrame
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
    """Join, group and split the kept entries of a lattice system, all in memory.

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
    peaks = peaks.sort_values("entry_id", ignore_index=True)
    joined = join(system, cells, peaks, entries, kept_entries(duplicates, system))
    frame, groups, rejects = arrange(system, [joined], grouping, split, rng)
    return Dataset(with_peaks(frame, peaks), groups, rejects)


def stream_dataset(
    system: LatticeSystem,
    shards: Sequence[Shard],
    duplicates: pd.DataFrame,
    grouping: Grouping,
    split: Split,
    rng: np.random.Generator,
    write: Callable[[pd.DataFrame], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Like :func:`build_dataset` from files, block by block.

    Args:
        shards: in the order that deduplication took them, which is that of the dataset's rows.
        duplicates: at least DUPLICATE_COLUMNS.
        write: takes the rows of DATASET, some at a time.

    Returns:
        The tables GROUPS and REJECTS.

    Raises:
        MlindexError: the entries are not those that deduplication met.
    """
    joined = list(_join_files(system, shards, duplicates))
    frame, groups, rejects = arrange(system, joined, grouping, split, rng)
    start = 0
    for shard, part in zip(shards, joined, strict=True):
        rows = frame.iloc[start : start + len(part.frame)]
        start += len(part.frame)
        for block in read_blocks(shard.peaks, PEAKS, PEAK_COLUMNS, _ROWS) if len(rows) else ():
            write(with_peaks(rows, block))
    return groups, rejects


def _join_files(
    system: LatticeSystem, shards: Sequence[Shard], duplicates: pd.DataFrame
) -> Iterator[Joined]:
    where = {"lattice_system": system.name}
    start = 0
    for shard in shards:
        entries = read_table(shard.entries, ENTRIES, ENTRY_COLUMNS, where)
        # Deduplication met the entries in this order: none need be looked for among all others.
        here = duplicates.iloc[start : start + len(entries)]
        start += len(entries)
        if here["entry_id"].tolist() != entries["entry_id"].tolist():
            raise MlindexError(
                f"{shard.entries}: not the entries that deduplication met; remove the table of "
                f"duplicates of {system.name} and run again"
            )
        yield join(
            system,
            read_table(shard.cells, CELLS, CELL_COLUMNS, where),
            read_table(shard.peaks, PEAKS, ["entry_id", "n_observed"]),
            entries,
            kept_entries(here, system),
        )


def kept_entries(duplicates: pd.DataFrame, system: LatticeSystem) -> pd.Series:
    """Identifiers of the entries of a lattice system that are no duplicates."""
    lattices = [b.symbol for b in bravais_of(system.name)]
    wanted = duplicates["kept"].astype(bool) & duplicates["bravais_lattice"].isin(lattices)
    return duplicates.loc[wanted, "entry_id"]


def join(
    system: LatticeSystem,
    cells: pd.DataFrame,
    peaks: pd.DataFrame,
    entries: pd.DataFrame,
    kept: pd.Series,
) -> Joined:
    """The kept ones of some entries with what groups and sides need, in the order of ``peaks``.

    Args:
        peaks: ``entry_id`` and ``n_observed`` of PEAKS.
        kept: identifiers, of other entries too.
    """
    entries = entries.loc[entries["entry_id"].isin(kept), list(ENTRY_COLUMNS)]
    in_cells = entries["entry_id"].isin(cells["entry_id"])
    in_peaks = entries["entry_id"].isin(peaks["entry_id"])
    joined = (
        peaks[["entry_id", "n_observed"]]
        .merge(entries, on="entry_id", validate="1:1")
        .merge(cells[list(CELL_COLUMNS)], on="entry_id", validate="1:1")
    )
    rejects = [_rejects(entries[~in_cells], 1), _rejects(entries[in_cells & ~in_peaks], 2)]
    return Joined(_described(joined, system), pd.concat(rejects, ignore_index=True))


def arrange(
    system: LatticeSystem,
    parts: Sequence[Joined],
    grouping: Grouping,
    split: Split,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Group and split the entries of all shards: the joined frame, GROUPS and REJECTS."""
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    frame["group"], groups = group_entries(frame, grouping)
    _add_sides(frame, split, rng)
    few = frame[~frame["usable"]]
    seen = few["n_observed"].map(lambda n: f"{n} of {n_peaks_of(system)} peaks")
    rejects = pd.concat(
        [*(part.rejects for part in parts), _rejects(few, 3, seen)], ignore_index=True
    ).sort_values(["rule", "entry_id"], ignore_index=True)
    columns = [n for n in DATASET.names if n in frame.columns]
    return frame[columns], groups if len(groups) else GROUPS.empty(), rejects


def with_peaks(frame: pd.DataFrame, peaks: pd.DataFrame) -> pd.DataFrame:
    """Rows of DATASET: those of ``peaks`` that :func:`arrange` knows, in the order of ``peaks``."""
    rows = peaks[list(PEAK_COLUMNS)].merge(frame, on="entry_id", validate="1:1")
    return rows[DATASET.names] if len(rows) else DATASET.empty()


def _described(joined: pd.DataFrame, system: LatticeSystem) -> pd.DataFrame:
    columns = {f"reindexed_{name}": name for name in cell_names("")}
    frame = joined.rename(columns={**columns, "reindexed_hm_symbol": "hm_symbol"})
    keys = operator_keys(joined["reindexed_operator"])
    # The reindexed cell may hold fewer lattice points than the conventional one.
    ratio = {key: abs(np.linalg.det(np.reshape(key, (3, 3)))) for key in set(keys)}
    per_volume = np.array([ratio[key] for key in keys], dtype=float)
    frame["reindexed_operator"] = pd.Series(keys, index=frame.index, dtype=object)
    frame["volume_A3"] = joined["volume_A3"].to_numpy() * per_volume
    frame["usable"] = frame["n_observed"].to_numpy(dtype=int) >= n_peaks_of(system)
    types = zip(
        frame["spacegroup_number"],
        frame["elements"],
        frame["element_counts"],
        frame["n_atoms"] / frame["n_points"],
        strict=True,
    )
    frame["structure_type"] = _texts([structure_type(*values) for values in types], frame)
    families = [composition_family(e) for e in frame["elements"]]
    frame["composition_family"] = _texts(families, frame)
    return frame[list(_SLIM_COLUMNS)]


def _texts(values: list[str], frame: pd.DataFrame) -> pd.Series:
    return pd.Series(values, index=frame.index, dtype=frame["entry_id"].dtype)


def _add_sides(frame: pd.DataFrame, split: Split, rng: np.random.Generator) -> None:
    usable = frame["usable"].to_numpy(dtype=bool)
    for unit, stream in zip(SPLIT_UNITS, rng.spawn(len(SPLIT_UNITS)), strict=True):
        part = frame.loc[usable, ["hm_symbol", unit]]
        sides = assign_sides(part, unit, split.validation_fraction, stream)
        held_out = part.loc[sides == VALIDATION, unit].unique()
        # Entries that are not usable follow their unit, should anyone ever use them.
        side = np.where(frame[unit].isin(held_out), VALIDATION, TRAIN).astype(object)
        frame[f"side_{unit}"] = side
    frame["side"] = frame[f"side_{split.unit}"]


def _rejects(rows: pd.DataFrame, rule: int, seen: str | pd.Series = "") -> pd.DataFrame:
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
