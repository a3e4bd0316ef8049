"""Tables declared once: columns with type, unit and meaning, checked on write and on read.

A table is written to a temporary file beside its destination and renamed, so that no reader
ever meets a half-written one. The provenance of a table travels in its Parquet metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.base.place import Place

if TYPE_CHECKING:
    # Frames are the workflow's; the command writes its tables without pandas.
    import pandas as pd

    #: What can be written as a table.
    Rows = pd.DataFrame | pa.Table | Mapping[str, Any] | Sequence[dict]

_TABLE_KEY = b"mlindex.table"
_PROVENANCE_KEY = b"mlindex.provenance"
#: Rows of a row group at most, and at least where a table is written in blocks.
_ROWS_PER_GROUP, _LEAST_ROWS = 10_000, 1000

#: Types of numbers as rows of dictionaries hold them; bool is not one of them.
_NUMBERS = {int, float, np.int32, np.int64, np.float32, np.float64}

STRING = pa.string()
BOOL = pa.bool_()
INT16 = pa.int16()
INT32 = pa.int32()
INT64 = pa.int64()
FLOAT32 = pa.float32()
FLOAT64 = pa.float64()


def list_of(item: pa.DataType) -> pa.DataType:
    """The type of a column whose every row is a list of ``item``."""
    return pa.list_(item)


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    dtype: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A declared table: its name, what a row is, its columns in order, and where its files lie.

    ``equally_long`` names list columns whose lists are equally long in every row, and ``counted``
    pairs of a column and the list column whose items it counts. Where ``extended``, files may have
    further columns behind these.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    places: tuple[Place, ...] = ()
    equally_long: tuple[tuple[str, ...], ...] = ()
    counted: tuple[tuple[str, str], ...] = ()
    extended: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema that files of this table have."""
        fields = [
            pa.field(c.name, c.dtype, c.nullable, {"unit": c.unit, "meaning": c.meaning})
            for c in self.columns
        ]
        return pa.schema(fields, {_TABLE_KEY: self.name.encode()})

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [c.name for c in self.columns]

    def place(self, folder: str = "") -> str:
        """Where rules find its files: the first place, or the first one below a folder.

        Raises:
            MlindexError: the table declares no such place.
        """
        for place in self.places:
            if not folder or place.pattern.startswith(f"{folder}/"):
                return place.path
        raise MlindexError(f"table {self.name}: no place {folder or 'at all'} is declared")

    def empty(self) -> pd.DataFrame:
        """A frame with this table's columns and no row."""
        return self.schema.empty_table().to_pandas()

    def arrow(self, data: Rows) -> pa.Table:
        """``data`` as an Arrow table of exactly this schema.

        Raises:
            MlindexError: a column is missing or unknown, has the wrong type, or is null
                where the declaration allows none.
        """
        if isinstance(data, pa.Table):
            return self._checked(data)
        columns = _columns(data, self.names)
        missing = [n for n in self.names if n not in columns]
        unknown = [n for n in columns if n not in self.names]
        if missing or unknown:
            raise MlindexError(f"table {self.name}: missing columns {missing}, unknown {unknown}")
        arrays = [self._array(column, columns[column.name]) for column in self.columns]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _array(self, column: Column, values: pd.Series | np.ndarray) -> pa.Array:
        # NaN means "not a number" in list columns and "absent" only where a column may be null.
        if not len(values):
            # Of a column without values pandas guesses a type that Arrow may not convert.
            return pa.array([], column.dtype)
        try:
            array = pa.Array.from_pandas(values, type=column.dtype)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise MlindexError(f"table {self.name}, column {column.name}: {error}") from error
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        self._require_values(column, array)
        return array

    def _checked(self, data: pa.Table) -> pa.Table:
        if not data.schema.equals(self.schema):
            raise MlindexError(f"table {self.name}: columns {data.column_names} are not its own")
        for column in self.columns:
            self._require_values(column, data[column.name])
        return data

    def _require_values(self, column: Column, array: pa.Array | pa.ChunkedArray) -> None:
        if not column.nullable and array.null_count:
            row = int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
            raise MlindexError(
                f"table {self.name}, column {column.name}: {array.null_count} empty values, the "
                f"first in row {row}, where the table allows none"
            )


def _columns(data: Rows, names: list[str]) -> Mapping[str, Any]:
    """The columns of rows or columns, of a frame itself."""
    if not isinstance(data, Mapping) and isinstance(data, Sequence):
        found = dict.fromkeys(names) if not data else dict.fromkeys(n for row in data for n in row)
        return {name: _plain([row.get(name) for row in data]) for name in found}
    if isinstance(data, Mapping):
        import pandas as pd

        return pd.DataFrame({name: _column(values) for name, values in data.items()})
    return data


def _plain(values: list[Any]) -> np.ndarray:
    """Values as a frame would hold them: numbers with NaN for what is not there, else objects."""
    if all(value is None or type(value) in _NUMBERS for value in values):
        numbers = [np.nan if value is None else value for value in values]
        return np.array(numbers, dtype=None if numbers else object)
    objects = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        objects[i] = value
    return objects


def _column(values: Any) -> Any:
    # pandas refuses two-dimensional columns; a list column is one row per first index.
    return list(values) if isinstance(values, np.ndarray) and values.ndim == 2 else values


class TableWriter:
    """Writes a table block by block, so that no stage needs all its rows in memory."""

    def __init__(self, path: str | Path, table: Table, provenance: Mapping[str, Any] | None = None):
        self.table = table
        self.rows = 0
        self._waiting: list[pa.Table] = []
        self._schema = table.schema.with_metadata(
            {
                **table.schema.metadata,
                _PROVENANCE_KEY: json.dumps(provenance or {}, sort_keys=True).encode(),
            }
        )
        self._atomic = atomic_path(path)

    def __enter__(self) -> TableWriter:
        temporary = self._atomic.__enter__()
        try:
            self._writer = pq.ParquetWriter(temporary, self._schema, compression="zstd")
        except BaseException as failed:
            self._atomic.__exit__(type(failed), failed, failed.__traceback__)
            raise
        return self

    def write(self, data: Rows) -> None:
        """Append rows; a few are kept back until there are enough for a row group."""
        block = self.table.arrow(data)
        self.rows += block.num_rows
        self._waiting.append(block.cast(self._schema))
        if sum(part.num_rows for part in self._waiting) >= _LEAST_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            rows = pa.concat_tables(self._waiting)
            self._writer.write_table(rows, row_group_size=_ROWS_PER_GROUP)
            self._waiting = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        except BaseException as failed:
            # The end of the file may be what a full disk has no room for.
            self._atomic.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._atomic.__exit__(kind, error, trace)


def write_table(
    path: str | Path,
    table: Table,
    data: Rows,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write all rows of a table, atomically."""
    with TableWriter(path, table, provenance) as writer:
        writer.write(data)


def read_arrow(
    path: str | Path,
    table: Table,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Any] | None = None,
) -> pa.Table:
    """Read a table after checking that the file is one.

    Args:
        path: the file.
        table: the table it must be.
        columns: only these columns, all by default.
        where: only the rows in which these columns have these values.

    Raises:
        MlindexError: the file is missing, not Parquet, or not of this table.
    """
    _check_file(path, table)
    filters = [(name, "=", value) for name, value in (where or {}).items()] or None
    return pq.read_table(path, columns=None if columns is None else list(columns), filters=filters)


def read_table(
    path: str | Path,
    table: Table,
    columns: Sequence[str] | None = None,
    where: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Like :func:`read_arrow`, as a frame."""
    return read_arrow(path, table, columns, where).to_pandas()


def read_blocks(
    path: str | Path,
    table: Table,
    columns: Sequence[str] | None = None,
    rows: int = _ROWS_PER_GROUP,
    where: Mapping[str, Any] | None = None,
) -> Iterator[pd.DataFrame]:
    """A table in blocks of about so many rows, one frame at a time.

    Args:
        where: only the rows in which these columns, which must be among ``columns``, have these
            values.
    """
    wanted = None if columns is None else list(columns)
    with _check_file(path, table) as file:
        batches = _batches(file, rows, wanted)
        yield from (
            _chosen(batches, rows, where) if where else (batch.to_pandas() for batch in batches)
        )


def _batches(
    file: pq.ParquetFile, rows: int, columns: list[str] | None
) -> Iterator[pa.RecordBatch]:
    # Asked for all row groups at once, Arrow keeps something of each that it has read.
    for group in range(file.num_row_groups):
        yield from file.iter_batches(rows, row_groups=[group], columns=columns)


def _chosen(
    batches: Iterator[pa.RecordBatch], rows: int, where: Mapping[str, Any]
) -> Iterator[pd.DataFrame]:
    """What is wanted of each batch, gathered until there are about so many rows."""
    found: list[pa.RecordBatch] = []
    for batch in batches:
        for name, value in where.items():
            batch = batch.filter(pc.equal(batch[name], value))
        if batch.num_rows:
            found.append(batch)
        if sum(part.num_rows for part in found) >= rows:
            yield pa.Table.from_batches(found).to_pandas()
            found = []
    if found:
        yield pa.Table.from_batches(found).to_pandas()


def _check_file(path: str | Path, table: Table) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise MlindexError(
            f"{path}: not a readable Parquet file ({error}); remove it and run again"
        ) from error
    found = file.schema_arrow
    if not found.equals(table.schema):
        raise MlindexError(
            f"{path}: not a table {table.name!r} of this version of mlindex (found columns "
            f"{found.names}, expected {table.names}); remove the file and run again"
        )
    return file


def read_provenance(path: str | Path) -> dict[str, Any]:
    """The provenance that was written with a table."""
    metadata = pq.read_schema(path).metadata or {}
    return json.loads(metadata.get(_PROVENANCE_KEY, b"{}"))


def stack(values: Sequence[Sequence[float]] | pd.Series, dtype: Any = float) -> np.ndarray:
    """A list column whose rows are equally long, as an array of shape (rows, length)."""
    rows = list(values)
    return np.array(rows, dtype=dtype) if rows else np.empty((0, 0), dtype=dtype)


def document(tables: Sequence[Table]) -> str:
    """The declarations as Markdown."""
    lines = ["# Tables", "", "Generated from the `tables.py` of each wing; do not edit.", ""]
    for table in tables:
        lines += [f"## {table.name}", "", f"One row: {table.row}.", ""]
        if table.places:
            places = ", ".join(f"`{place.path}`" for place in table.places)
            lines += [f"Files: {places}", ""]
        lines += [
            "| column | type | unit | may be empty | meaning |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{c.name}` | {c.dtype} | {c.unit} | {'yes' if c.nullable else ''} | {c.meaning} |"
            for c in table.columns
        ]
        lines.append("")
    return "\n".join(lines)
