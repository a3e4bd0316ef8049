"""Inputs of :mod:`scale`: shards of generated crystals, and the same rows many times over.

A copy of an entry has a new identifier, a cell scaled by up to 3 % either way (positions of lines
follow) and, with the next copy, one more atom of its first element for each pair of copies before
it: copies of a pair share a composition, and many of them a volume within the tolerance. Others
meet by chance, too: of a million entries half are duplicates. The table counts
unique entries for stages after deduplication. Site lists, which only stages of single shards read,
are left empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlindex.base.columns import cell_names
from mlindex.base.schema import Table, TableWriter
from mlindex.patterns.tables import PEAKS
from mlindex.structures.manifest import shard_count
from mlindex.structures.sources import Shards
from mlindex.structures.tables import CELLS, ENTRIES, REJECTS

_JITTER = 0.03
_LENGTHS = [name for prefix in ("", "reindexed_", "niggli_") for name in cell_names(prefix)[:3]]
_SITES = [name for name in ENTRIES.names if name.startswith("site_")]


@dataclass(frozen=True)
class Copies:
    """Rows ``first`` to ``first + len(rows)`` of the multiplied table are these rows, changed."""

    rows: np.ndarray
    copy: np.ndarray
    factor: np.ndarray


def multiply(base: Path, shards: list[str], target: Path, entries: int, source: str) -> None:
    """Write ENTRIES, CELLS and PEAKS of so many entries, in the shards the manifest would make."""
    read = {
        table.name: pa.concat_tables(
            pq.read_table(base / table.name / source / f"{shard}.parquet") for shard in shards
        )
        for table in (ENTRIES, CELLS, PEAKS)
    }
    whole = _common(read)
    count = len(whole["entries"])
    number = shard_count(entries, Shards())
    bounds = np.linspace(0, entries, number + 1).astype(int)
    # The factor of an entry must be the same in all three tables.
    factors = 1 + np.random.default_rng(7).uniform(-_JITTER, _JITTER, entries)
    for index in range(number):
        rows = np.arange(bounds[index], bounds[index + 1])
        copies = Copies(rows % count, rows // count, factors[rows])
        for table, change in ((ENTRIES, _entries), (CELLS, _cells), (PEAKS, _peaks)):
            path = target / table.name / source / f"{index:03d}.parquet"
            _write(path, table, whole[table.name], copies, change)
        for stage in ("quality", "reduction", "simulation"):
            with TableWriter(target / f"rejects/{stage}/{source}/{index:03d}.parquet", REJECTS):
                pass


def _common(read: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The entries that all tables have, in one order."""
    ids = read["peaks"]["entry_id"].combine_chunks()
    return {
        name: table.take(pc.index_in(ids, value_set=table["entry_id"].combine_chunks()))
        for name, table in read.items()
    }


def _write(
    path: Path,
    table: Table,
    rows: pa.Table,
    copies: Copies,
    change: Callable[[pa.Table, Copies], dict[str, pa.Array]],
) -> None:
    with TableWriter(path, table) as writer:
        for start in range(0, len(copies.rows), 5000):
            part = slice(start, start + 5000)
            chosen = Copies(copies.rows[part], copies.copy[part], copies.factor[part])
            block = rows.take(chosen.rows).combine_chunks()
            suffix = pa.array([f"~{n}" for n in chosen.copy])
            changed = {
                "entry_id": pc.binary_join_element_wise(block["entry_id"], suffix, ""),
                **change(block, chosen),
            }
            columns = [
                _plain(changed.get(name, block[name])).cast(table.schema.field(name).type)
                for name in table.names
            ]
            writer.write(pa.Table.from_arrays(columns, schema=table.schema))


def _plain(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _scaled(values: pa.ChunkedArray, factor: np.ndarray, power: int) -> pa.Array:
    return pc.multiply(values.combine_chunks(), pa.array(factor**power))


def _scaled_lists(values: pa.ChunkedArray, factor: np.ndarray, power: int) -> pa.Array:
    lists = _plain(values)
    lengths = np.diff(lists.offsets.to_numpy())
    repeated = pa.array(np.repeat(factor**power, lengths))
    return pa.ListArray.from_arrays(lists.offsets, pc.multiply(lists.flatten(), repeated))


def _entries(block: pa.Table, copies: Copies) -> dict[str, pa.Array]:
    counts = _plain(block["element_counts"])
    values = counts.flatten().to_numpy().copy()
    values[counts.offsets.to_numpy()[:-1]] += copies.copy // 2
    empty = np.zeros(len(block) + 1, dtype=np.int32)
    sites = {
        name: pa.ListArray.from_arrays(
            empty, pa.array([], ENTRIES.schema.field(name).type.value_type)
        )
        for name in _SITES
    }
    return {
        **{n: _scaled(block[n], copies.factor, 1) for n in _LENGTHS if n in block.column_names},
        "volume_A3": _scaled(block["volume_A3"], copies.factor, 3),
        "element_counts": pa.ListArray.from_arrays(counts.offsets, pa.array(values)),
        **sites,
    }


def _cells(block: pa.Table, copies: Copies) -> dict[str, pa.Array]:
    lengths = {n: _scaled(block[n], copies.factor, 1) for n in _LENGTHS}
    return {**lengths, "volume_A3": _scaled(block["volume_A3"], copies.factor, 3)}


def _peaks(block: pa.Table, copies: Copies) -> dict[str, pa.Array]:
    names = ("present_q2_inv_A2", "observed_q2_inv_A2")
    return {n: _scaled_lists(block[n], copies.factor, -2) for n in names}
