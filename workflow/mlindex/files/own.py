"""Tables that mlindex wrote itself: results, which are no input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: The table whose rows are the lines of a sample as they were read: it can be indexed again.
OBSERVED = "observed_lines"
PARQUET = (".parquet", ".pq")
_TABLE_KEY = b"mlindex.table"


def table_of(metadata: Mapping[bytes, bytes] | None) -> str | None:
    """The name of the declared table that Parquet metadata state; None for other files."""
    name = (metadata or {}).get(_TABLE_KEY)
    return None if name is None else name.decode("utf-8", errors="replace")


def table_in(path: str | Path) -> str | None:
    """The name of the declared table in a file; None for all other files."""
    if Path(path).suffix.lower() not in PARQUET:
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return table_of(pq.read_schema(path).metadata)
    except (OSError, pa.ArrowException):
        return None
