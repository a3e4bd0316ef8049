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

import pandas as pd

from mlindex.errors import MlindexError
from mlindex.provenance import code_digest, file_digest, package_versions
from mlindex.schema import INT64, Column, Table, read_table, write_table
from mlindex.settings.sources import FolderSource, Shards
from mlindex.tables.entries import FILES

_SUFFIXES = (".cif", ".cif.gz", ".mcif")

#: What an earlier start saw of a source: files with another date or size are read again.
STATE = Table(
    "manifest_state",
    "a file as it was seen last",
    (
        *FILES.columns,
        Column("modified_ns", INT64, "Date of the file", "ns"),
    ),
)


def shard_count(n_files: int, settings: Shards) -> int:
    """Number of shards for so many files: a power of two, within the config's bounds."""
    count = 1
    while count * settings.files_per_shard < n_files and count * 2 <= settings.max_shards:
        count *= 2
    return count


def update_manifest(source: FolderSource, settings: Shards, directory: Path) -> list[str]:
    """Bring the shard lists in ``directory`` up to date with the source's folder.

    Returns:
        The names of the shards, in order.

    Raises:
        MlindexError: the folder is missing or holds no CIF file.
    """
    state_path = directory / ".state.parquet"
    known = read_table(state_path, STATE) if state_path.exists() else STATE.empty()
    files = _scan(source, known)
    if not len(files.index):
        raise MlindexError(
            f"source {source.name!r}: no CIF file below {source.path!r} (looked for "
            f"{', '.join(_SUFFIXES)}); set its path in the config"
        )
    shards = shard_count(len(files.index), settings)
    which = files["path"].map(lambda path: _shard_of(path, shards))
    names = [shard_name(index) for index in range(shards)]
    for index, name in enumerate(names):
        rows = files.loc[which == index, FILES.names].reset_index(drop=True)
        _write_if_changed(directory / f"{name}.files.parquet", rows, source)
    for stale in set(directory.glob("*.files.parquet")) - {
        directory / f"{name}.files.parquet" for name in names
    }:
        stale.unlink()
    if not files.equals(known):
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


def _scan(source: FolderSource, known: pd.DataFrame) -> pd.DataFrame:
    root = Path(source.path).expanduser()
    if not root.is_dir():
        raise MlindexError(
            f"source {source.name!r}: {source.path!r} is not a folder; set its path in the config"
        )
    seen = {row.path: row for row in known.itertuples()}
    try:
        found = sorted(_walk(root))
    except OSError as error:
        raise MlindexError(
            f"source {source.name!r}: {error.filename!r} can't be read ({error.strerror}); bring "
            "it back or leave the source out"
        ) from None
    rows = []
    for path, size, modified in found:
        if any(fnmatchcase(path, pattern) for pattern in source.exclude):
            continue
        row = seen.get(path)
        same = row is not None and (row.size_bytes, row.modified_ns) == (size, modified)
        digest = row.digest if same else _digest(root / path)
        rows.append((source.name, path, digest, size, modified))
    return pd.DataFrame(rows, columns=STATE.names)


def _digest(path: Path) -> str:
    # A file that can't be read is still listed: quality control rejects it with its reason.
    try:
        if not path.is_file():
            return "unreadable: no regular file"
        return file_digest(path)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _walk(root: Path) -> Iterator[tuple[str, int, int]]:
    waiting = [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.name.lower().endswith(_SUFFIXES):
                    size, modified = _status(entry)
                    relative = Path(entry.path).relative_to(root).as_posix()
                    yield _as_text(relative), size, modified


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
