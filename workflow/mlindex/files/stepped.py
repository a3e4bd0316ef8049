"""Scans of equal steps in fixed columns: the line of start, step and end, and what follows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.files.rows import number
from mlindex.files.source import MAX_POINTS

_LONGEST_LINE = 300
_LARGEST_STEP_DEG = 5.0
#: The end may be written with fewer digits than the step asks for.
_WHOLE = 0.02
_TITLE_A = re.compile(r"(?<![\w.])(\d\.\d{2,6})\s*(?:A\b|\u00c5|\u212b|Angstr)", re.IGNORECASE)


@dataclass(frozen=True)
class Steps:
    """Start, step and end in degrees of 2theta, and how many points these are."""

    start: float
    step: float
    end: float

    @property
    def count(self) -> int:
        """Points from start to end."""
        return round((self.end - self.start) / self.step) + 1


def steps_in(line: str) -> Steps | None:
    """The start, step and end that a line begins with; None if it does not."""
    cells = [number(cell) for cell in line[:_LONGEST_LINE].replace(",", " ").split()[:3]]
    if len(cells) < 3 or None in cells:
        return None
    start, step, end = cells
    if not (0 < step < _LARGEST_STEP_DEG and -180 < start < end <= 180):
        return None
    steps = (end - start) / step
    if not steps < MAX_POINTS:
        return None
    whole = abs(steps - round(steps)) < max(_WHOLE, 1e-4 * steps)
    return Steps(start, step, end) if whole else None


def fields(name: str, lines: list[str], width: int, most: int) -> np.ndarray:
    """Numbers (n,) in lines of them, at most so many; lines of anything else end them.

    Blanks part them, and where there are none, every ``width`` characters.

    Raises:
        MlindexError: a line begins with a number and goes on with something else.
    """
    found: list[float] = []
    for line in lines:
        if len(found) >= most:
            break
        words = line.split()
        if any(len(word) > width for word in words):
            line = line.rstrip()
            words = [line[at : at + width].strip() for at in range(0, len(line), width)]
            words = [word for word in words if word]
        values = [number(word) for word in words]
        if not values or values[0] is None:
            break
        if None in values:
            raise MlindexError(f"{name}: expected numbers, got {line.strip()[:60]!r}")
        found += values
    return np.array(found[:most])


def wavelength_in_title(lines: list[str]) -> float | None:
    """A wavelength such as ``1.9114 A`` in the lines of a title; None if none names one."""
    matches = (_TITLE_A.search(line[:_LONGEST_LINE]) for line in lines)
    return next((float(match[1]) for match in matches if match), None)
