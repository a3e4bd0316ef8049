"""A table of peak lists: Parquet or CSV, a row for each line, the rows of a sample together.

A column ``sample`` (or ``sample_id``, ``entry_id``) tells the samples apart; the others are named
as in a single list (:mod:`mlindex.patterns.peaklist`): a position and, if there are, intensity,
fwhm and 2theta_error. A column ``wavelength_A``, the Parquet metadata or a comment above the CSV
states the wavelength. Tables are read a few rows at a time.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TextIO

from mlindex.apps.batch.task import Lines, Task
from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.files import parquet_columns as arrow
from mlindex.files.rows import SAMPLE_NAMES, Layout, layout, number
from mlindex.patterns.radiation import from_header, stated

_WAVELENGTH = "wavelength_a"
_PARQUET, _CSV = (".parquet", ".pq"), (".csv", ".tsv")
_DELIMITERS = ";\t,"
_BATCH_ROWS = 65_536
#: No peak list has more; what has is not sorted by sample, or a pattern.
_MOST_LINES = 20_000
_HEADER_LINES = 200
#: No row of a table is longer, in characters.
_LONGEST_ROW = 1_000_000


@dataclass(frozen=True)
class Row:
    """A row: its number, its sample, and its cells by role; NaN where a cell holds no number."""

    number: int
    sample: str
    cells: dict[str, float]
    problem: str | None = None


@dataclass(frozen=True)
class Columns:
    """Where the sample, the wavelength and the columns of the list stand, by name."""

    sample: str
    wavelength: str | None
    roles: dict[str, str]
    quantity: str
    factor: float
    wavelength_A: float | None = None
    delimiter: str = ","

    @property
    def wanted(self) -> list[str]:
        """The columns that are read."""
        own = [self.wavelength] if self.wavelength else []
        return list(dict.fromkeys([self.sample, *self.roles.values(), *own]))


def columns_of(path: Path, wavelength_known: bool) -> Columns | None:
    """The columns of a table of peak lists; None if the file is not one.

    Raises:
        MlindexError: it has a column of samples, but none of positions.
    """
    if path.suffix.lower() in _PARQUET:
        return _parquet_columns(path, wavelength_known)
    if path.suffix.lower() in _CSV:
        return _csv_columns(path, wavelength_known)
    return None


def tasks(path: Path, columns: Columns) -> Iterator[Task]:
    """The samples of a table one after the other; what can't be read further is a last one."""
    count = 0
    try:
        for sample, rows in groupby(_rows(path, columns), key=lambda row: row.sample):
            yield _task(sample, rows, path, columns)
            count += 1
    except Exception as error:
        # Whatever a table holds, what was read of it before is indexed.
        problem = f"{shown(path)}: reading ended after {count} samples ({str(error)[:200]})"
        yield Task("(rest of the table)", error=f"{problem}; the table is damaged, write it again")


def count(path: Path, columns: Columns) -> int:
    """How many samples a table has, as far as it can be read."""
    only = Columns(columns.sample, None, {}, columns.quantity, 1.0, delimiter=columns.delimiter)
    return sum(1 for _ in tasks(path, only))


def _rows(path: Path, columns: Columns) -> Iterator[Row]:
    rows = _parquet_rows if path.suffix.lower() in _PARQUET else _csv_rows
    return rows(path, columns)


def _task(sample: str, rows: Iterator[Row], path: Path, columns: Columns) -> Task:
    kept = list(islice(rows, _MOST_LINES + 1))
    if len(kept) > _MOST_LINES:
        return Task(sample, error=f"has more than {_MOST_LINES} lines, which no peak list has")
    where = shown(path)
    if not sample:
        return Task(sample, error=f"{where}, row {kept[0].number}: the name of the sample is empty")
    problem = next((row.problem for row in kept if row.problem), None)
    if problem is not None or not columns.roles:
        return Task(sample, error=problem)
    wavelengths = {row.cells.get(_WAVELENGTH, math.nan) for row in kept}
    known = {w for w in wavelengths if not math.isnan(w)}
    if len(known) > 1:
        return Task(sample, error=f"holds lines measured at {len(known)} wavelengths")
    found = {role: [row.cells[role] for row in kept] for role in columns.roles}
    positions = [value * columns.factor for value in found.pop("position")]
    extra = {role: v for role, v in found.items() if not all(map(math.isnan, v))}
    if columns.quantity != "2theta":
        extra.pop("fwhm", None)
    wavelength = next(iter(known), columns.wavelength_A)
    return Task(
        sample,
        lines=Lines(columns.quantity, positions, wavelength, [r.number for r in kept], **extra),
    )


def _named(
    path: Path, names: list[str], usable: list[str], wavelength_known: bool
) -> Columns | None:
    """Columns from the names of all and of those that hold single values."""
    plain = {name.strip().lower(): name for name in reversed(names)}
    sample = _sample_column(names)
    if sample is None:
        return None
    wavelength = plain.get(_WAVELENGTH)
    first = _first(wavelength is not None or wavelength_known)
    lists: Layout | None = layout(["" if name == sample else name for name in usable], first)
    if lists is None:
        raise MlindexError(
            f"{shown(path)}: is a table of samples, but none of its columns "
            f"{', '.join(names)[:200]} is a position; name one {arrow.POSITION_NAMES}"
        )
    roles = {"position": usable[lists.position]}
    for role in ("intensity", "fwhm", "two_theta_error"):
        if role in lists.columns:
            roles[role] = usable[lists.columns[role]]
    return Columns(sample, wavelength, roles, lists.quantity, lists.factor)


def _sample_column(names: list[str]) -> str | None:
    plain = {name.strip().lower(): name for name in reversed(names)}
    return next((plain[name] for name in SAMPLE_NAMES if name in plain), None)


def _first(wavelength_known: bool) -> str:
    """The quantity taken where a table has several."""
    return "2theta" if wavelength_known else "d"


def _parquet_columns(path: Path, wavelength_known: bool) -> Columns | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException):
        # Whoever reads it as a single list says what is wrong with it.
        return None
    text = (schema.metadata or {}).get(b"wavelength_A", b"").decode("ascii", errors="replace")
    above = stated(number(text)).wavelength_A
    sample = _sample_column(schema.names)
    if sample is None:
        return None
    known = wavelength_known or above is not None or _WAVELENGTH in map(str.lower, schema.names)
    arrow.check_samples(shown(path), schema, sample)
    usable = arrow.usable(shown(path), schema, _first(known), without=sample)
    found = _named(path, schema.names, usable, wavelength_known or above is not None)
    if found and found.wavelength:
        arrow.check_numbers(shown(path), schema.field(found.wavelength), "a wavelength")
    return found and Columns(**{**vars(found), "wavelength_A": above})


def _parquet_rows(path: Path, columns: Columns) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    by_role = {**columns.roles} | ({_WAVELENGTH: columns.wavelength} if columns.wavelength else {})
    position = columns.roles.get("position")
    with pq.ParquetFile(path) as file:
        row = 0
        # A group at a time: what stands before a damaged one can be read.
        batches = (
            batch
            for group in range(file.num_row_groups)
            for batch in file.iter_batches(_BATCH_ROWS, [group], columns.wanted)
        )
        for batch in batches:
            names = batch[columns.sample].cast(pa.string()).to_pylist()
            cells = {role: arrow.floats(batch[name]).tolist() for role, name in by_role.items()}
            texts = batch[position] if position and arrow.is_text(batch[position].type) else None
            for i, name in enumerate(names):
                row += 1
                problem = None
                if texts is not None and math.isnan(cells["position"][i]):
                    problem = _not_a_number(f"{shown(path)}, row {row}", position, texts[i].as_py())
                found = {role: values[i] for role, values in cells.items()}
                yield Row(row, name or "", found, problem)


def _not_a_number(where: str, column: str, cell: str | None) -> str:
    seen = repr(cell[:40]) if cell else "nothing"
    return f"{where}: expected a number in column {column!r}, got {seen}"


def _csv_columns(path: Path, wavelength_known: bool) -> Columns | None:
    try:
        with _opened(path) as file:
            head = list(islice(_lines(file), _HEADER_LINES))
    except (OSError, ValueError):
        return None
    comments = [line for line in head if line.lstrip().startswith("#")]
    header = next((x for x in head if x.strip() and not x.lstrip().startswith("#")), "")
    delimiter = max(_DELIMITERS, key=header.count)
    names = [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    above = from_header(comments).wavelength_A
    found = _named(path, names, names, wavelength_known or above is not None)
    return found and Columns(**{**vars(found), "wavelength_A": above, "delimiter": delimiter})


def _csv_rows(path: Path, columns: Columns) -> Iterator[Row]:
    by_role = {**columns.roles} | ({_WAVELENGTH: columns.wavelength} if columns.wavelength else {})
    with _opened(path) as file:
        lines = csv.reader(_lines(file), delimiter=columns.delimiter)
        rows = (row for row in lines if any(row) and not row[0].lstrip().startswith("#"))
        places = {name.strip(): i for i, name in reversed(list(enumerate(next(rows, []))))}
        for row in rows:
            at = places[columns.sample]
            sample = row[at].strip() if at < len(row) else ""
            cells, problem = {}, None
            for role, name in by_role.items():
                cell = row[places[name]].strip() if places[name] < len(row) else ""
                if columns.delimiter != ",":
                    cell = cell.replace(",", ".")
                value = number(cell)
                if value is None and (cell or role == "position"):
                    problem = _not_a_number(f"{shown(path)}, line {lines.line_num}", name, cell)
                cells[role] = math.nan if value is None else value
            yield Row(lines.line_num, sample, cells, problem)


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a table.

    Raises:
        ValueError: one is longer than any row.
    """
    while line := file.readline(_LONGEST_ROW):
        if len(line) == _LONGEST_ROW:
            raise ValueError(f"a line of more than {_LONGEST_ROW} characters")
        yield line
