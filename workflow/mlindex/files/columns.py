"""Columns of numbers: ``.xy``, ``.xye``, ``.csv``, ``.chi``, ``.dat``, ``.txt``.

A whole pattern differs from a peak list by its steps: hundreds of points, nearly equidistant. A
peak list goes on to :mod:`mlindex.files.peak_lists`. Also FIT2D's ``.chi`` (four header lines, the
second names the abscissa), the ``start step stop`` header of FullProf and DBWS, and DASH's ``.xye``
with the wavelength alone on its first line. A pattern over d or Q needs no wavelength.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files import rows
from mlindex.files.assemble import Range, on_two_theta, pattern, refuse_time_of_flight
from mlindex.files.list_layouts import doubled
from mlindex.files.peak_lists import Q_NOTES, parse_peak_list
from mlindex.files.source import MAX_POINTS, Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import Radiation, choose, from_header, stated

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
#: A wavelength alone on the first line, in A.
_ALONE = re.compile(r"\s*\d{0,2}\.\d{1,10}\s*")
_SHORTEST_ALONE_A, _LONGEST_ALONE_A = 0.1, 10.0
_TIME = re.compile(r"time[-_ ]of[-_ ]flight|\btof\b", re.IGNORECASE)
_LONGEST_HEADER = 300
#: FIT2D's names of the abscissa, and units that are a tenth of 1/A.
_FIT2D = (("2-theta", "2theta"), ("2theta", "2theta"), ("q", "Q"))
_INVERSE_NM = re.compile(r"nm|nano-?met", re.IGNORECASE)
#: 1/d in 1/A that no pattern reaches: beyond it, small q is 2 pi/d, as most programs have it.
_FARTHEST_Q = 2.0


@dataclass(frozen=True)
class NumberRows:
    """A run of rows of numbers: ``values`` (n, columns), what stands above it.

    ``first_line`` is its line number, ``stray`` those of rows of numbers outside the run.
    """

    values: np.ndarray
    header: list[str]
    first_line: int
    stray: tuple[int, ...] = ()


def read(source: Source, given: Given) -> PeakList | MeasuredPattern:
    """A pattern or a peak list from columns."""
    table = _stepped(source)
    if table is not None:
        return _pattern(source, table, _UNNAMED, given)
    table = find_table(source.lines)
    if table is not None:
        layout = _layout(table, given)
        _check_time(source, table, layout)
        if _is_pattern(source, table, layout):
            _check_whole(source, table)
            return _pattern(source, table, layout, given)
    used = choose(from_header(line for line in source.lines if rows.is_comment(line)), given)
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


def _layout(table: NumberRows, given: Given) -> rows.Layout:
    above = [line for line in table.header if line.strip()][-4:]
    if len(above) == 4 and above[3].strip().isdigit():
        # FIT2D: title, abscissa, ordinate, number of points.
        label = above[1].strip().lower()
        for name, quantity in _FIT2D:
            if label.startswith(name):
                tenth = quantity == "Q" and _INVERSE_NM.search(label[:_LONGEST_HEADER])
                return rows.Layout(quantity, 0, 0.1 if tenth else 1.0, {})
    if above:
        # SPEC names columns behind #L.
        names = rows.split_row(above[-1].removeprefix("#L ").lstrip(" #!%'*/"))
        known = given is not None or _radiation(table).wavelength_A is not None
        for first in ("2theta",) if known else ("d", "Q", "q", "2theta"):
            found = rows.layout(names, first)
            if found is None or found.position >= table.values.shape[1]:
                continue
            if found.quantity == first or first == "2theta":
                return found
    return _UNNAMED


def _radiation(table: NumberRows) -> Radiation:
    """What the lines above a table state."""
    above = [line for line in table.header if line.strip()]
    found = from_header(above[:_HEADER_LINES])
    if found.wavelength_A is None and len(above) == 1 and _ALONE.fullmatch(above[0][:40]):
        alone = float(above[0])
        if _SHORTEST_ALONE_A < alone < _LONGEST_ALONE_A:
            note = f"{alone:g}, alone on the first line, is the wavelength in A, as in DASH"
            found = replace(stated(alone), notes=(note,))
    return found


def _check_time(source: Source, table: NumberRows, layout: rows.Layout) -> None:
    """Raise MlindexError if the positions are times of flight."""
    x = table.values[:, layout.position]
    if layout.quantity != "2theta" or len(x) < _MIN_EQUAL_POINTS:
        return
    header = table.header[:_HEADER_LINES] if layout is _UNNAMED else []
    if any(_TIME.search(line[:_LONGEST_HEADER]) for line in header):
        raise refuse_time_of_flight(source.name, "the lines above the columns name it")
    if np.isfinite(x).all() and x[0] >= 180 and np.all(np.diff(x) > 0):
        raise refuse_time_of_flight(
            source.name, f"the positions run from {x[0]:g} to {x[-1]:g}, not 2theta"
        )


def _is_pattern(source: Source, table: NumberRows, layout: rows.Layout) -> bool:
    if table.values.shape[1] < 2 or "hkl" in layout.columns or "fwhm" in layout.columns:
        return False
    x = table.values[:, layout.position]
    return looks_like_pattern(layout.quantity, x, source.suffix in _PATTERN_SUFFIXES)


def _pattern(
    source: Source, table: NumberRows, layout: rows.Layout, given: Given
) -> MeasuredPattern:
    values = table.values
    intensity = layout.columns.get("intensity", 1 if layout.position == 0 else 0)
    named_error = layout.columns.get("intensity_error")
    error = 2 if layout is _UNNAMED or not layout.columns else named_error
    width = values.shape[1]
    if intensity >= width:
        raise MlindexError(f"{source.name}: the column of intensities has no numbers")
    found = _radiation(table)
    quantity, x = layout.quantity, values[:, layout.position] * layout.factor
    notes = doubled(layout)
    if quantity == "q":
        quantity, note = which_q(x)
        notes.append(note)
    x, nominal_A = on_two_theta(quantity, x, choose(found, given).wavelength_A)
    esd = values[:, error] if error and error < width else None
    later = sum(line > table.first_line for line in table.stray)
    if later:
        notes.insert(
            0, f"{later} rows below the table have a different number of columns; left out"
        )
    if named_error is None and esd is not None and not _can_be_error(esd, values[:, intensity]):
        notes.append(f"column {error + 1} is too large for uncertainties of the counts; left out")
        esd = None
    one = Range(x, values[:, intensity], esd)
    return pattern(source, [one], found, given, notes, nominal_A)


def which_q(q: np.ndarray) -> tuple[str, str]:
    """Whether positions (n,) called q are 1/d or 2 pi/d, and what to say of it."""
    last = np.max(q[np.isfinite(q)], initial=0.0)
    if last <= _FARTHEST_Q:
        return "q", Q_NOTES["q"]
    return "Q", f"q was read as 2 pi/d: as 1/d it would end at d = {1 / last:.2g} A"


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
