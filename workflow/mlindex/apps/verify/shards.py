"""The counts of every shard: each entry is kept or rejected by each stage, and only once."""

from __future__ import annotations

import gzip
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from mlindex.apps.verify.layout import written_together
from mlindex.apps.verify.tree import Tree, some
from mlindex.base.schema import Table
from mlindex.patterns.tables import PATTERNS, PEAKS, REFLECTIONS
from mlindex.structures.tables import CELLS, ENTRIES, FILES, REJECTS

#: Of lattice system: the identifiers of its entries after quality control.
EntriesOfSystem = dict[str, set[str]]
_GENERATED = ".cif.gz"


def check_shards(tree: Tree, progress: Callable[[Iterable], Iterable]) -> EntriesOfSystem:
    """Check the counts of every shard; the entries that passed quality control."""
    entries: EntriesOfSystem = defaultdict(set)
    met: set[str] = set()
    for files in progress(tree.matching("sources/*/*.files.parquet")):
        shard = f"{files.parent.name}/{files.name.removesuffix('.files.parquet')}"
        tree.checked["shards"] += 1
        _check_outputs(tree, shard)
        kept = _check_quality(tree, files, shard, met)
        if kept is None:
            continue
        for system, rows in kept.groupby("lattice_system"):
            entries[system].update(rows["entry_id"])
        _check_stages(tree, shard, kept["entry_id"])
    return entries


def _check_outputs(tree: Tree, shard: str) -> None:
    for rule, kinds in written_together().items():
        paths = [tree.path(f"{kind}/{shard}.parquet") for kind in kinds]
        missing = [p for p in paths if not p.exists()]
        if len(missing) < len(paths):
            for path in missing:
                if path not in tree.bad:
                    seen = f"is missing, though other tables of its rule {rule} are there"
                    tree.break_(path, seen, "run snakemake again to make it")


def _check_quality(tree: Tree, files: Path, shard: str, met: set[str]) -> pd.DataFrame | None:
    """Files in, entries kept or rejected; the kept ones, None if unknown."""
    kept_name, rejects_name = (f"{kind}/{shard}.parquet" for kind in ("entries", "rejects/quality"))
    if files in tree.bad or not tree.has(kept_name, rejects_name):
        return None
    kept = tree.table(kept_name, ENTRIES, ["entry_id", "path", "lattice_system"])
    rejected = tree.table(rejects_name, REJECTS, ["entry_id", "path"])
    ids = pd.concat([kept["entry_id"], rejected["entry_id"]])
    tree.checked["entries"] += len(ids)
    twice = ids[ids.duplicated() | ids.isin(met)]
    if len(twice):
        tree.add(tree.path(kept_name), f"{len(twice)} entries are met twice: {some(twice)}")
    met.update(ids)
    listed = pd.read_parquet(files, columns=FILES.names)["path"]
    _compare(tree, tree.path(kept_name), listed, {"file": kept["path"], "": rejected["path"]})
    _check_blocks(tree, files, listed, len(ids))
    return kept


def _compare(
    tree: Tree, path: Path, whole: Iterable[str], parts: Mapping[str, Iterable[str]]
) -> None:
    """Files listed against files read: none without an entry, none that is not in the list."""
    listed = set(whole)
    found = set().union(*parts.values())
    if lost := listed - found:
        tree.add(path, f"{len(lost)} files of the shard gave no entry and no reject: {some(lost)}")
    if foreign := found - listed:
        seen = f"entries of {len(foreign)} files that the shard does not list: {some(foreign)}"
        tree.add(path, seen)


def _check_blocks(tree: Tree, files: Path, listed: pd.Series, met: int) -> None:
    """Generated crystals are counted in their CIF file: one data block is one entry."""
    made = [files.parent / name for name in listed if name.endswith(_GENERATED)]
    if not made or not all(path.is_file() for path in made):
        return
    try:
        blocks = sum(_blocks(path) for path in made)
    except (OSError, EOFError, zlib.error) as error:
        tree.break_(made[0], f"can't be read ({error})")
        return
    if blocks != met:
        tree.add(files, f"{blocks} crystals were made, {met} were kept or rejected")


def _blocks(path: Path) -> int:
    with gzip.open(path, "rb") as stream:
        return sum(line.startswith(b"data_") for line in stream)


def _check_stages(tree: Tree, shard: str, kept: pd.Series) -> None:
    cells, patterns = f"cells/{shard}.parquet", f"patterns/{shard}.parquet"
    reflections, peaks = f"reflections/{shard}.parquet", f"peaks/{shard}.parquet"
    unreduced, unsimulated = (
        f"rejects/{stage}/{shard}.parquet" for stage in ("reduction", "simulation")
    )
    add_up(tree, kept, {cells: CELLS, unreduced: REJECTS})
    add_up(tree, kept, {patterns: PATTERNS, unsimulated: REJECTS})
    if tree.has(patterns):
        add_up(tree, tree.ids(patterns, PATTERNS), {reflections: REFLECTIONS})
    if tree.has(cells, reflections):
        both = tree.ids(cells, CELLS)
        both = both[both.isin(set(tree.ids(reflections, REFLECTIONS)))]
        add_up(tree, both, {peaks: PEAKS})


def add_up(tree: Tree, whole: Iterable[str], parts: Mapping[str, Table]) -> None:
    """Find entries that are in none of the tables, in several, or in one only by mistake."""
    if not tree.has(*parts):
        return
    found = pd.concat([tree.ids(name, table) for name, table in parts.items()])
    expected = set(whole)
    lost, foreign = expected - set(found), set(found) - expected
    twice = found[found.duplicated()]
    problems = [
        f"{len(names)} {what} ({some(names)})"
        for names, what in (
            (lost, "entries went in and did not come out"),
            (foreign, "entries came out that had not gone in"),
            (twice, "entries came out twice"),
        )
        if len(names)
    ]
    if problems:
        name = next(iter(parts))
        beside = "".join(f" with {tree.name(tree.path(n))}" for n in list(parts)[1:])
        tree.add(tree.path(name), f"{'; '.join(problems)}, counted{beside or ' alone'}")
