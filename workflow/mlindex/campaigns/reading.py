"""Tables that people make: CSV as Excel writes it anywhere in the world, or Parquet."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from mlindex.base.errors import MlindexError, explained
from mlindex.base.names import printable, shown

#: More than any campaign has.
_MOST_BYTES, _MOST_ROWS, _MOST_COLUMNS = 100_000_000, 200_000, 5000
_PARQUET = (".parquet", ".pq")
_DELIMITERS = ";\t,"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
#: What people write where there is no value.
_NOTHING = frozenset({"", "-", "n/a", "na", "none", "null"})
_LONGEST_SHOWN = 40
#: Squares of numbers above have no place in a float.
_LARGEST = 1e150

Cell = str | float


@dataclass(frozen=True)
class Rows:
    """The rows of a table as they stand, each with its line; cells that hold nothing are absent.

    ``decimal_comma`` says whether a comma stands for the decimal point.
    """

    path: str
    names: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, Cell]], ...]
    decimal_comma: bool = False

    def where(self, line: int) -> str:
        """The place of a row, for an error."""
        return f"{self.path}, line {line}"

    def number(self, cell: Cell) -> float:
        """A finite number from a cell.

        Raises:
            ValueError: it is none.
        """
        text = str(cell).strip()
        plain = text.replace(",", ".") if self.decimal_comma and text.count(",") == 1 else text
        try:
            value = float(plain)
        except ValueError:
            comma = "; write the decimal sign as a point" if "," in text else ""
            raise ValueError(
                f"expected a number, got {printable(text[:_LONGEST_SHOWN])!r}{comma}"
            ) from None
        if _LARGEST < abs(value) < math.inf:
            raise ValueError(f"{value:g} is too large to calculate with; take another unit")
        if not math.isfinite(value):
            raise ValueError(
                f"expected a finite number, got {printable(text[:_LONGEST_SHOWN])!r}; leave the "
                "cell empty where there is no result"
            )
        return value


def read_rows(path: str | Path) -> Rows:
    """The rows of a CSV or Parquet file.

    Raises:
        MlindexError: it can't be read, is empty, too large, or no table.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise MlindexError(f"{shown(path)}: is a folder; give a table, .csv or .parquet")
        if size > _MOST_BYTES:
            raise MlindexError(
                f"{shown(path)}: has {size / 1e6:.0f} MB, more than {_MOST_BYTES / 1e6:.0f} MB, "
                "which no table of experiments has; split it"
            )
        if path.suffix.lower() in _PARQUET:
            return _parquet(path)
        return rows_of_text(decoded(path.read_bytes()), shown(path))
    except OSError as error:
        raise MlindexError(f"{shown(path)}: can't be read: {explained(error, False)}") from None


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, or else as Windows writes it."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def rows_of_text(text: str, path: str) -> Rows:
    """The rows of a CSV text, whose delimiter is found in its header.

    Raises:
        MlindexError: it is empty, too long, or no table.
    """
    if "\0" in text:
        raise MlindexError(f"{path}: is no text; give a table as .csv or .parquet")
    lines = text.splitlines(keepends=True)
    header = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    names: tuple[str, ...] = ()
    rows: list[tuple[int, dict[str, Cell]]] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            if not names:
                names = _header(cells, path)
                continue
            rows.append((reader.line_num, _cells(cells, names, f"{path}, line {reader.line_num}")))
            _check_count(len(rows), path)
    except csv.Error as error:
        raise MlindexError(f"{path}, line {reader.line_num}: no CSV: {error}") from None
    if not names:
        raise MlindexError(f"{path}: is empty; it needs a line with the names of columns")
    return Rows(path, names, tuple(rows), delimiter != ",")


def _header(cells: list[str], path: str) -> tuple[str, ...]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > _MOST_COLUMNS:
        raise MlindexError(f"{path}: has {len(names)} columns, more than {_MOST_COLUMNS}")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise MlindexError(f"{path}: two columns are named {twice!r}; name them differently")
    return tuple(names)


def _cells(cells: list[str], names: tuple[str, ...], where: str) -> dict[str, Cell]:
    if any(cell.strip() for cell in cells[len(names) :]):
        raise MlindexError(
            f"{where}: has {len(cells)} cells, but the header {len(names)}; a decimal comma needs "
            "another delimiter (;), a comma in a text needs quotes"
        )
    found = zip(names, (cell.strip() for cell in cells), strict=False)
    return {name: cell for name, cell in found if name and cell.lower() not in _NOTHING}


def _check_count(count: int, path: str) -> None:
    if count > _MOST_ROWS:
        raise MlindexError(f"{path}: has more than {_MOST_ROWS:,} rows; split it")


def _parquet(path: Path) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_count(file.metadata.num_rows, shown(path))
            table = file.read()
    except pa.ArrowException as error:
        raise MlindexError(f"{shown(path)}: is no readable Parquet file ({error})") from None
    names = _header(table.column_names, shown(path))
    rows = []
    for n, row in enumerate(table.to_pylist(), 1):
        cells = {name: _plain(value) for name, value in row.items() if value is not None}
        rows.append((n, {name: cell for name, cell in cells.items() if cell != ""}))
    return Rows(shown(path), names, tuple(rows))


def _plain(value: object) -> Cell:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        # No value, as frames have it.
        return "" if value != value else value
    return str(value).strip()
