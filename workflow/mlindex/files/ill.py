"""Layouts of the neutron diffractometers of the ILL: D1A and D2B, D1B and D20, and D1A5.

After the readers of CrysFML (Rodriguez-Carvajal & Gonzalez-Platas, the library of FullProf), which
has them as ``Ins`` 6, 3 and 5:

- D1A, D2B: a title, the step in columns 17 to 24, the start, two monitors; then ten points a line,
  each the number of detectors in two columns and the mean of their counts in six, down to -1000.
  Older files have start, step and end on one line above the points, and nothing else;
- D1B, D20: three lines of text; the monitor, start and step at fixed places; the number of points;
  then ten points a line, of two and eight columns;
- D1A5, also G4.1 of the LLB and other two-axis instruments: three lines of text; the number of
  points, two temperatures, whether uncertainties follow, and two monitors; start, step and end of
  2theta; counts, and the uncertainties. Here a title such as ``1.9114 A`` states the wavelength.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.assemble import Range, check_count, pattern
from mlindex.files.rows import number
from mlindex.files.source import MAX_POINTS, Format, Source
from mlindex.files.stepped import fields, steps_in, wavelength_in_title
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import from_header, stated

#: Lines that are looked at to tell the layouts apart.
_HEAD = 8
_FIELD = 8
#: Columns for the number of detectors and for their counts.
_D1A, _D1B = (2, 6), (2, 8)
#: The step of D1A, and the monitor, start and step of D1B, in columns counted from 0.
_D1A_STEP = slice(16, 24)
_D1B_MONITOR, _D1B_START, _D1B_STEP = slice(0, 13), slice(23, 31), slice(76, 85)
_END = -999.0
_LARGEST_STEP_DEG = 1.0
_COUNT = re.compile(r"\s*\d{2,6}\s*")
_PER_LINE = 10


@dataclass(frozen=True)
class _Head:
    """What the lines above the counts state: start and step in degrees, points (None: to the end
    mark), number of lines, columns of detectors and counts (None: counts alone), whether
    uncertainties follow, and the lines of text."""

    start: float
    step: float
    count: int | None
    lines: int
    widths: tuple[int, int] | None
    errors: bool
    title: list[str]


def sniff(source: Source) -> bool:
    """Whether the first lines are those of one of the layouts."""
    return source.is_text and _head(source.head(_HEAD)) is not None


def read(source: Source, given: Given) -> MeasuredPattern:
    """The scan."""
    name, lines = source.name, source.lines
    head = _head(lines[:_HEAD])
    if head is None:
        raise MlindexError(f"{name}: the lines above the counts are damaged; copy the file again")
    y, error = _detected(name, head, lines) if head.widths else _counted(name, head, lines)
    x = head.start + head.step * np.arange(len(y))
    first_A = from_header(head.title).wavelength_A or wavelength_in_title(head.title)
    return pattern(source, [Range(x, y, error)], stated(first_A, probe="neutron"), given)


def _head(lines: list[str]) -> _Head | None:
    if len(lines) < _HEAD:
        return None
    readers = (_two_axis, _d1b, _d1a, _old_d1a)
    return next((head for reader in readers if (head := reader(lines)) is not None), None)


def _two_axis(lines: list[str]) -> _Head | None:
    steps, numbers = steps_in(lines[4]), _numbers(lines[3])
    if steps is None or len(numbers) != 6 or numbers[3] not in (0, 1):
        return None
    if not abs(numbers[0] - steps.count) <= 1:
        return None
    return _Head(steps.start, steps.step, int(numbers[0]), 5, None, bool(numbers[3]), lines[:3])


def _d1b(lines: list[str]) -> _Head | None:
    monitor, start, step = (_at(lines[3], at) for at in (_D1B_MONITOR, _D1B_START, _D1B_STEP))
    if monitor is None or start is None or step is None or not _plausible(start, step):
        return None
    if not _COUNT.fullmatch(lines[4]) or not _is_points(lines[5], _D1B):
        return None
    return _Head(start, step, int(lines[4]), 5, _D1B, False, lines[:3])


def _d1a(lines: list[str]) -> _Head | None:
    step, start = _at(lines[1], _D1A_STEP), _numbers(lines[2])
    if step is None or len(start) != 1 or not _plausible(start[0], step):
        return None
    if len(_numbers(lines[3])) != 2 or not _is_points(lines[4], _D1A):
        return None
    return _Head(start[0], step, None, 4, _D1A, False, lines[:1])


def _old_d1a(lines: list[str]) -> _Head | None:
    steps = steps_in(lines[0])
    if steps is None or not _is_points(lines[1], _D1A):
        return None
    # Without detectors they are columns of eight, which are read as such.
    line, width = lines[1].rstrip(), sum(_D1A)
    points = [line[at : at + width] for at in range(0, len(line), width)]
    if len(points) < 2 or not all(one[:2].strip() and one[2:3] == " " for one in points):
        return None
    return _Head(steps.start, steps.step, steps.count, 1, _D1A, False, [])


def _plausible(start: float, step: float) -> bool:
    return 0 < step < _LARGEST_STEP_DEG and -180 < start < 180


def _numbers(line: str) -> list[float]:
    """The numbers of a line; none if it holds anything else."""
    cells = [number(cell) for cell in line[:200].split()]
    return [] if None in cells else [cell for cell in cells if cell is not None]


def _at(line: str, where: slice) -> float | None:
    """The number in these columns of a line; None if they hold none."""
    return number(line[where].strip())


def _is_points(line: str, widths: tuple[int, int]) -> bool:
    """Whether a line holds ten points, or fewer and nothing else."""
    try:
        return 0 < len(_points(line, widths)) <= _PER_LINE
    except ValueError:
        return False


def _points(line: str, widths: tuple[int, int]) -> list[tuple[float, float]]:
    """Detectors and counts of the points in a line; blank for one detector."""
    found = []
    line = line.rstrip()
    for at in range(0, len(line), sum(widths)):
        detectors, counts = line[at : at + widths[0]], line[at + widths[0] : at + sum(widths)]
        found.append((float(int(detectors.strip() or 1)), float(counts)))
    return found


def _counted(name: str, head: _Head, lines: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Counts (n,) and, where they follow, their uncertainties (n,)."""
    count = check_count(name, head.count or 0)
    wanted = 2 * count if head.errors else count
    values = fields(name, lines[head.lines :], _FIELD, wanted)
    check_count(name, wanted, len(values))
    return values[:count], values[count:] if head.errors else None


def _detected(name: str, head: _Head, lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean counts (n,) of the detectors that saw each angle, and their uncertainties (n,)."""
    most = MAX_POINTS if head.count is None else check_count(name, head.count)
    found: list[tuple[float, float]] = []
    ended = False
    for line in lines[head.lines :]:
        if len(found) >= most or ended:
            break
        try:
            points = _points(line, head.widths or _D1A)
        except ValueError:
            raise MlindexError(f"{name}: expected counts, got {line.strip()[:60]!r}") from None
        kept = [one for one in points if not one[1] <= _END]
        ended = len(kept) < len(points)
        found += kept
    if head.count is None and not ended:
        raise MlindexError(f"{name}: ends without the mark -1000: it is truncated; copy it again")
    check_count(name, head.count or len(found), len(found))
    detectors, counts = np.array(found[:most]).T
    return counts, np.sqrt(np.maximum(counts, 1) / np.maximum(detectors, 1))


FORMAT = Format("ILL (D1A, D1B, D2B, D20) and two-axis layouts", (".dat",), sniff, read)
