"""Results of mlindex among the files of a batch: they are recognized by what they hold."""

from __future__ import annotations

import re
from pathlib import Path

from mlindex.files.own import PARQUET, table_in

_HEAD_BYTES = 400
#: How results begin of which only one file was kept.
_TEXTS = {
    ".txt": re.compile(r"^ +a/Å +b/Å +c/Å +α/° +β/° +γ/° "),
    ".cif": re.compile(r"^data_\S*\s+_audit_creation_method 'mlindex "),
}


def is_result(path: str | Path) -> bool:
    """Whether a file is a result: by what it holds, wherever it lies."""
    path = Path(path)
    if path.suffix.lower() in PARQUET:
        return table_in(path) is not None
    begins = _TEXTS.get(path.suffix.lower())
    if begins is None:
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return begins.match(head.decode("utf-8", errors="replace")) is not None
