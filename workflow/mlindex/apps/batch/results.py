"""Results of mlindex among the files of a batch: they are recognized by what they hold.

A list of peaks that ``index --out`` wrote can be edited and indexed, so it looks like any other: it
is a result as long as it lies beside the other files of that result.
"""

from __future__ import annotations

import re
from pathlib import Path

from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.files.own import OBSERVED, PARQUET, table_in
from mlindex.indexing.tables import INDEXED_SAMPLES

#: How the names of the tables end that a batch writes.
SUFFIX = ".parquet"
_HEAD_BYTES = 400
#: How results begin of which only one file was kept.
_TEXTS = {
    ".txt": re.compile(r"^ +a/Å +b/Å +c/Å +α/° +β/° +γ/° "),
    ".cif": re.compile(r"^data_\S*\s+_audit_creation_method 'mlindex "),
    ".json": re.compile(r'^\{"schema": [^,]{1,20}, "mlindex_version": "'),
}
#: What else lies in the folder of a result, see :mod:`mlindex.apps.command`.
_BESIDE = frozenset({"result.html", "result.txt", "best.cif", "phase_2.cif", "phase_3.cif"}) | {
    "peaks.txt",
    "peaks.before.txt",
}


def is_result(path: str | Path) -> bool:
    """Whether a file is a result: by what it holds, or lies beside."""
    path = Path(path)
    if path.suffix.lower() in PARQUET:
        return _table(path) is not None
    return _begins_as_result(path) or (path.name in _BESIDE and _is_folder_of_result(path.parent))


def refused(path: str | Path) -> str | None:
    """What a result is, and what to give instead; None for what can be indexed if it is named."""
    path = Path(path)
    table = _table(path)
    if table is not None and table != OBSERVED:
        return (
            f"is the table {table!r} that mlindex wrote, no peak list; give the pattern or the "
            "peak list itself"
        )
    if _begins_as_result(path):
        return "is a result of mlindex; give the pattern or the peak list that it came from"
    return None


def require_table_name(out: Path) -> None:
    """Raise MlindexError if a table is to have a name that tables don't have."""
    if out.suffix != SUFFIX:
        raise MlindexError(
            f"{shown(out)}: the results are a Parquet table; end its name in {SUFFIX}"
        )


def require_own(place: Path) -> None:
    """Raise MlindexError if a file of someone else's would be written over."""
    if place.is_file() and place.stat().st_size and table_in(place) is None:
        raise MlindexError(
            f"{shown(place)}: is there, and no table that mlindex wrote; it is not written over: "
            "give another --out, or remove it"
        )


def _is_folder_of_result(folder: Path) -> bool:
    table = folder / f"{INDEXED_SAMPLES.name}.parquet"
    return _table(table) == INDEXED_SAMPLES.name or _begins_as_result(folder / "result.json")


def _table(path: Path) -> str | None:
    try:
        # A pipe of that name would be waited for without end.
        return table_in(path) if path.is_file() else None
    except Exception:
        # Whatever stands there, whoever reads it says what is wrong with it.
        return None


def _begins_as_result(path: Path) -> bool:
    begins = _TEXTS.get(path.suffix.lower())
    if begins is None or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return begins.match(head.decode("utf-8", errors="replace")) is not None
