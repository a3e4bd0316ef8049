"""Columns of numbers: ``.xy``, ``.xye``, ``.csv``, ``.chi``, ``.dat``, ``.txt``.

A whole pattern differs from a peak list by its steps: hundreds of points, nearly equidistant. A
peak list goes on to :mod:`mlindex.patterns.peaklist`. Also FIT2D's ``.chi`` (four header lines, the
second names the abscissa) and the ``start step stop`` header of FullProf and DBWS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.files import rows
from mlindex.files.assemble import Range, pattern, two_theta_from
from mlindex.files.list_layouts import doubled
from mlindex.files.peak_lists import Q_NOTES, parse_peak_list
from mlindex.files.source import MAX_POINTS, Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import choose, from_header

_PATTERN_SUFFIXES = (".xy", ".xye", ".chi")
_UNNAMED = rows.Layout("2theta", 0, 1.0, {})
#: Steps of a pattern differ by less than this factor (between their 5th and 95th percentile).
_LARGEST_STEP_RATIO = 4.0
_LARGEST_STEP_DEG = 0.25
_MIN_POINTS = 100
#: A short scan is believed to be one if its steps are this equal.
_EQUAL_STEP_RATIO = 1.5
_MIN_EQUAL_POINTS = 20
#: More rows of numbers than this outside the table mean that the table is interrupted.
_MAX_STRAY_ROWS = 3
_HEADER_LINES = 200
#: Where counts are highest, their uncertainty is less than this share of them; else it is a
#: calculated pattern or a background.
_TOP_PERCENTILE, _LARGEST_ERROR_REL = 99, 0.8


@dataclass(frozen=True)
class NumberRows:
    """A run of rows of numbers: ``values`` (n, columns), what stands above it.

    ``first_line`` is its line number, ``stray`` those of rows of numbers outside the run.
    """

    values: np.ndarray
    header: list[str]
    first_line: int
    stray: tuple[int, ...] = ()


def read(source: Source, given_A: float | None) -> PeakList | MeasuredPattern:
    """A pattern or a peak list from columns."""
    table = _stepped(source)
    if table is not None:
        return _pattern(source, table, _UNNAMED, given_A)
    table = find_table(source.lines)
    if table is not None:
        layout = _layout(source, table)
        if _is_pattern(source, table, layout):
            _check_whole(source, table)
            return _pattern(source, table, layout, given_A)
    stated = from_header(line for line in source.lines if rows.is_comment(line))
    used = choose(stated, given_A)
    return parse_peak_list(source.text, source.name, used.wavelength_A, used.notes)


def looks_like_pattern(quantity: str, x: np.ndarray, sure: bool = False) -> bool:
    """Whether positions are those of a whole pattern.

    Args:
        quantity: 2theta (degrees), d, q or Q. q² is never stepped.
        x: positions (n,).
        sure: whether the name of the file says so, too.
    """
    if quantity == "q2" or len(x) < _MIN_EQUAL_POINTS or not np.isfinite(x).all():
        return False
    if quantity == "d":
        if x.min() <= 0:
            return False
        x = np.log(x)
    steps = np.diff(x)
    steps = np.abs(steps[steps != 0])
    if len(steps) < 0.9 * (len(x) - 1) or not len(steps):
        return False
    low, middle, high = np.percentile(steps, [5, 50, 95])
    fine = quantity != "2theta" or middle <= _LARGEST_STEP_DEG
    if len(x) >= _MIN_POINTS and fine and high < _LARGEST_STEP_RATIO * low:
        return True
    return (sure or fine) and high < _EQUAL_STEP_RATIO * low


def find_table(lines: list[str]) -> NumberRows | None:
    """The longest run of rows with two or more numbers each, or None."""
    runs: list[tuple[list[int], list[list[float]]]] = []
    open_run = False
    for index, line in enumerate(lines):
        numbers = _row(line)
        if numbers is None:
            # Blank lines and comments don't end a table.
            open_run = open_run and (not line.strip() or rows.is_comment(line))
            continue
        if not (open_run and len(numbers) == len(runs[-1][1][0])):
            runs.append(([], []))
            open_run = True
        runs[-1][0].append(index)
        runs[-1][1].append(numbers)
    if not runs:
        return None
    longest = max(runs, key=lambda run: len(run[0]))
    stray = tuple(i + 1 for run in runs if run is not longest for i in run[0])
    first = longest[0][0]
    return NumberRows(np.array(longest[1]), lines[:first], first + 1, stray)


def _row(line: str) -> list[float] | None:
    if rows.is_comment(line):
        return None
    numbers = [rows.number(cell) if cell else float("nan") for cell in rows.split_row(line)]
    if len(numbers) < 2 or None in numbers:
        return None
    return numbers


def _layout(source: Source, table: NumberRows) -> rows.Layout:
    above = [line for line in table.header if line.strip()][-4:]
    if len(above) == 4 and above[3].strip().isdigit():
        # FIT2D: title, abscissa, ordinate, number of points.
        label = above[1].strip()
        for name, quantity in (("2-theta", "2theta"), ("2theta", "2theta"), ("q", "Q")):
            if label.lower().startswith(name):
                factor = 0.1 if "nm" in label.lower() else 1.0
                return rows.Layout(quantity, 0, factor if quantity == "Q" else 1.0, {})
    if above:
        names = rows.split_row(above[-1].lstrip(" #!%'*/"))
        found = rows.layout(names)
        if found is not None and found.position < table.values.shape[1]:
            return found
    return _UNNAMED


def _is_pattern(source: Source, table: NumberRows, layout: rows.Layout) -> bool:
    if table.values.shape[1] < 2 or "hkl" in layout.columns or "fwhm" in layout.columns:
        return False
    x = table.values[:, layout.position]
    return looks_like_pattern(layout.quantity, x, source.suffix in _PATTERN_SUFFIXES)


def _pattern(
    source: Source, table: NumberRows, layout: rows.Layout, given_A: float | None
) -> MeasuredPattern:
    values = table.values
    intensity = layout.columns.get("intensity", 1 if layout.position == 0 else 0)
    named_error = layout.columns.get("intensity_error")
    error = 2 if layout is _UNNAMED or not layout.columns else named_error
    width = values.shape[1]
    if intensity >= width:
        raise MlindexError(f"{source.name}: the column of intensities has no numbers")
    found = from_header(table.header[:_HEADER_LINES])
    x = values[:, layout.position] * layout.factor
    wavelength = choose(found, given_A).wavelength_A
    x = two_theta_from(source.name, layout.quantity, x, wavelength)
    esd = values[:, error] if error and error < width else None
    later = sum(line > table.first_line for line in table.stray)
    notes = doubled(layout)
    notes += [Q_NOTES["q"]] if layout.quantity == "q" else []
    if later:
        notes.insert(
            0, f"{later} rows below the table have a different number of columns; left out"
        )
    if named_error is None and esd is not None and not _can_be_error(esd, values[:, intensity]):
        notes.append(f"column {error + 1} is too large for uncertainties of the counts; left out")
        esd = None
    one = Range(x, values[:, intensity], esd)
    return pattern(source, [one], found, given_A, notes)


def _can_be_error(error: np.ndarray, counts: np.ndarray) -> bool:
    """Whether a column without a name can hold uncertainties: at the peaks they are small."""
    known = np.isfinite(error) & np.isfinite(counts)
    if not known.any():
        return True
    error, counts = error[known], counts[known]
    top = counts >= np.percentile(counts, _TOP_PERCENTILE)
    return bool(np.median(error[top]) <= _LARGEST_ERROR_REL * np.abs(np.median(counts[top])))


def _check_whole(source: Source, table: NumberRows) -> None:
    stray = table.stray
    if len(stray) > _MAX_STRAY_ROWS:
        raise MlindexError(
            f"{source.name}: the columns of numbers are interrupted (the longest run has "
            f"{len(table.values)} rows from line {table.first_line}, {len(stray)} rows stand "
            f"apart, lines {stray[0]} to {stray[-1]}); correct the lines in between or put # "
            "before them"
        )


def _stepped(source: Source) -> NumberRows | None:
    """A table from intensities that follow a line with start, step and stop in degrees."""
    for index, line in enumerate(source.lines[:8]):
        cells = [rows.number(cell) for cell in line.split()[:3]]
        if len(cells) < 3 or None in cells:
            continue
        start, step, stop = cells
        if not (0 < step < 1 and -10 < start < stop < 180):
            return None
        count = (stop - start) / step + 1
        if not _MIN_EQUAL_POINTS <= count <= MAX_POINTS:
            return None
        words = " ".join(source.lines[index + 1 :]).split()
        if abs(len(words) - count) > 1.5:
            return None
        numbers = [rows.number(word) for word in words]
        if None in numbers:
            return None
        x = start + step * np.arange(len(numbers))
        return NumberRows(np.column_stack([x, numbers]), source.lines[:index], index + 1)
    return None


def sniff(source: Source) -> bool:
    """Whether it is text; asked last, since most formats are."""
    return source.is_text


FORMAT = Format(
    "columns of text: 2theta, d, q or Q against intensity (whole patterns), or peak lists",
    (".xy", ".xye", ".csv", ".chi", ".dat", ".txt", ".asc", ".tsv"),
    sniff,
    read,
)
