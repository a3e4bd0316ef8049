"""Which CIF files a folder source has, and how they are cut into shards.

A file's shard follows from its path alone, so adding one touches one shard; a shard's list is
rewritten only when the content of one of its files has changed, so a new date reruns nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlindex.base.errors import MlindexError
from mlindex.base.imports import code_digest
from mlindex.base.place import Place
from mlindex.base.provenance import UNREADABLE, file_digest, package_versions
from mlindex.base.schema import (
    INT64,
    Column,
    Table,
    read_arrow,
    read_blocks,
    read_table,
    write_table,
)
from mlindex.structures.sources import FolderSource, Shards
from mlindex.structures.tables import FILES

_SUFFIXES = (".cif", ".cif.gz", ".mcif")

#: Text of a generated crystal; the mean of a lattice system is at most half as much.
_BYTES_PER_CRYSTAL = 5000
_FILES_PER_BLOCK = 100_000
#: What a look at the folder tells.
_SEEN = pa.schema(
    [
        pa.field("path", pa.string(), False),
        pa.field("size_bytes", pa.int64(), False),
        pa.field("modified_ns", pa.int64(), False),
    ]
)

#: What an earlier start saw of a source: files with another date or size are read again.
STATE = Table(
    "manifest_state",
    "a file as it was seen last",
    (
        *FILES.columns,
        Column("modified_ns", INT64, "Date of the file", "ns"),
    ),
    places=(Place("sources/{source}/.state.parquet"),),
)


def shard_count(n_files: int, settings: Shards) -> int:
    """Number of shards for so many files: a power of two, within the config's bounds."""
    count = 1
    while count * settings.files_per_shard < n_files and count * 2 <= settings.max_shards:
        count *= 2
    return count


def crystals_in_shard(crystals: int, settings: Shards, max_file_MB: float) -> int:
    """Generated crystals in one shard of a source that makes so many.

    As the config says; doubled while there would be more shards than it allows, so that it
    changes only when the source doubles; and not too many for quality control, which rejects a
    file above ``max_file_MB`` unread: a shard is one file.
    """
    size = settings.crystals_per_shard
    while size * settings.max_shards < crystals:
        size *= 2
    return max(1, min(size, int(max_file_MB * 1e6 / _BYTES_PER_CRYSTAL)))


def update_manifest(source: FolderSource, settings: Shards, directory: Path) -> list[str]:
    """Bring the shard lists in ``directory`` up to date with the source's folder.

    Returns:
        The names of the shards, in order.

    Raises:
        MlindexError: the folder is missing or holds no CIF file.
    """
    state_path = directory / ".state.parquet"
    found = _scan(source)
    if not found.num_rows:
        raise MlindexError(
            f"source {source.name!r}: no CIF file below {source.path!r} (looked for "
            f"{', '.join(_SUFFIXES)}); set its path in the config"
        )
    names = [shard_name(index) for index in range(shard_count(found.num_rows, settings))]
    if known_shards(directory) == names and _is_known(found, state_path):
        return names
    files = _with_digests(found, source, state_path)
    which = np.array([_shard_of(path, len(names)) for path in files["path"].to_pylist()])
    for index, name in enumerate(names):
        rows = files.select(FILES.names).take(np.flatnonzero(which == index))
        _write_if_changed(directory / f"{name}.files.parquet", rows.to_pandas(), source)
    for stale in set(directory.glob("*.files.parquet")) - {
        directory / f"{name}.files.parquet" for name in names
    }:
        stale.unlink()
    write_table(state_path, STATE, files)
    return names


def known_shards(directory: Path) -> list[str]:
    """The shards that an earlier :func:`update_manifest` made, without looking at the source."""
    return sorted(p.name.removesuffix(".files.parquet") for p in directory.glob("*.files.parquet"))


def shard_name(index: int) -> str:
    """Name of a folder's shard."""
    return f"{index:03d}"


def _shard_of(path: str, shards: int) -> int:
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") % shards


def _scan(source: FolderSource) -> pa.Table:
    """Path, size and date of every CIF file of a source, by path."""
    root = Path(source.path).expanduser()
    if not root.is_dir():
        raise MlindexError(
            f"source {source.name!r}: {source.path!r} is not a folder; set its path in the config"
        )
    files = _walk(root)
    if source.exclude:
        files = (f for f in files if not any(fnmatchcase(f[0], p) for p in source.exclude))
    try:
        parts = list(_tables(files))
    except OSError as error:
        raise MlindexError(
            f"source {source.name!r}: {error.filename!r} can't be read ({error.strerror}); bring "
            "it back or leave the source out"
        ) from None
    return pa.concat_tables([_SEEN.empty_table(), *parts]).sort_by("path").combine_chunks()


def _tables(files: Iterator[tuple[str, int, int]]) -> Iterator[pa.Table]:
    """Tables of so many files each: a million paths take a tenth of what Python's objects do."""
    # Three lists rather than one of tuples, which Python would look through for cycles.
    columns: tuple[list, list, list] = [], [], []
    paths, sizes, dates = columns
    for path, size, date in files:
        paths.append(path)
        sizes.append(size)
        dates.append(date)
        if len(paths) == _FILES_PER_BLOCK:
            yield pa.Table.from_arrays([pa.array(c) for c in columns], schema=_SEEN)
            for column in columns:
                column.clear()
    if paths:
        yield pa.Table.from_arrays([pa.array(c) for c in columns], schema=_SEEN)


def _is_known(found: pa.Table, state_path: Path) -> bool:
    """Whether an earlier start saw just these files, and could read them all."""
    if not state_path.exists():
        return False
    if not read_arrow(state_path, STATE, found.column_names).combine_chunks().equals(found):
        return False
    digests = (block["digest"] for block in read_blocks(state_path, STATE, ["digest"]))
    return not any(block.str.startswith(UNREADABLE).any() for block in digests)


def _with_digests(found: pa.Table, source: FolderSource, state_path: Path) -> pa.Table:
    """The table STATE of the files found; only those not seen before, or changed, are read."""
    known = read_arrow(state_path, STATE) if state_path.exists() else STATE.schema.empty_table()
    row = pc.index_in(found["path"], value_set=known["path"].combine_chunks())
    digests = known["digest"].take(row)
    same = pc.and_(
        pc.equal(found["size_bytes"], known["size_bytes"].take(row)),
        pc.equal(found["modified_ns"], known["modified_ns"].take(row)),
    )
    # What could not be read may be readable now, with the date that it had.
    same = pc.and_(same, pc.invert(pc.starts_with(digests, UNREADABLE))).fill_null(False)
    new = np.flatnonzero(~same.to_numpy(zero_copy_only=False))
    root = Path(source.path).expanduser()
    read = [_digest(root / path) for path in found["path"].take(new).to_pylist()]
    mask = pc.invert(same)
    digests = pc.replace_with_mask(
        digests.combine_chunks(), mask.combine_chunks(), pa.array(read, pa.string())
    )
    columns = {
        "source": pa.array([source.name], pa.string()).take(np.zeros(found.num_rows, int)),
        "digest": digests,
        **{name: found[name] for name in found.column_names},
    }
    return pa.table([columns[name] for name in STATE.names], schema=STATE.schema)


def _digest(path: Path) -> str:
    # A file that can't be read is still listed: quality control rejects it with its reason.
    try:
        if not path.is_file():
            return f"{UNREADABLE} no regular file"
        return file_digest(path)
    except OSError as error:
        return f"{UNREADABLE} {error.strerror}"


def _walk(root: Path) -> Iterator[tuple[str, int, int]]:
    below = len(os.path.join(root, ""))
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        start = os.path.join(folder, "")[below:].replace(os.sep, "/")
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.lower().endswith(_SUFFIXES):
                    path = start + entry.name
                    yield path if path.isascii() else _as_text(path), *_status(entry)


def _status(entry: os.DirEntry) -> tuple[int, int]:
    """Size and date; zero for a link that leads nowhere, which quality control rejects."""
    try:
        status = entry.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _as_text(path: str) -> str:
    # A name that is not valid UTF-8 can't be written to a table: it is listed as it looks, and
    # no such file is found by that name.
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _write_if_changed(path: Path, rows: pd.DataFrame, source: FolderSource) -> None:
    if path.exists() and read_table(path, FILES).equals(rows):
        return
    # The rows themselves are the digests of the inputs.
    provenance = {
        "rule": "manifest",
        "settings": source.model_dump(mode="json"),
        "code": code_digest(__file__),
        "packages": package_versions(),
        "inputs": {},
    }
    write_table(path, FILES, rows, provenance)
