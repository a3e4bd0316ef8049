"""``.jcpds`` cards of Dioptas and the programs before it: d, I and hkl of a phase.

After the description in Dioptas (Prescher & Prakapenka 2015, High Pressure Res. 35, 223; reader of
M. Rivers): version 4 has a keyword before each value, ``DIHKL:`` before each line; the older ones
have a title, the cell and the equation of state, the names of the columns, and the lines below.
"""

from __future__ import annotations

import re

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.peak_lists import peaks_from_columns
from mlindex.files.rows import number
from mlindex.files.source import Format, Source
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import choose, stated

_VERSION = re.compile(r"\s*VERSION\s*:\s*\d", re.IGNORECASE)
_LINE = re.compile(r"\s*DIHKL\s*:", re.IGNORECASE)
#: The names of the columns of older cards, below at least two other lines.
_NAMES = re.compile(r"\s*d\S*\s*(?:\(\w+\))?\s+I\S*\s+h\s+k\s+l\s*", re.IGNORECASE)
_HEAD, _FEWEST_ABOVE = 12, 2
_NOTE = "a card of a phase: its lines were read, not its cell"


def sniff(source: Source) -> bool:
    """Whether it begins as one of the versions does."""
    if not source.is_text:
        return False
    lines = source.head(_HEAD)
    return bool(lines) and (bool(_VERSION.match(lines[0][:40])) or _names_at(lines) is not None)


def read(source: Source, given: Given) -> PeakList:
    """The lines of the card."""
    lines = source.lines
    if _VERSION.match(lines[0][:40]):
        rows = [(n, x.partition(":")[2]) for n, x in enumerate(lines, 1) if _LINE.match(x[:20])]
    else:
        start = (_names_at(lines[:_HEAD]) or 0) + 1
        rows = [(n, x) for n, x in enumerate(lines[start:], start + 1) if x.strip()]
    if not rows:
        raise MlindexError(f"{source.name}: is a card without lines; there is no d on it")
    values = np.array([_values(source.name, n, text) for n, text in rows])
    used = choose(stated(None), given)
    return peaks_from_columns(
        source.name,
        "d",
        values[:, 0],
        used.wavelength_A,
        intensity=values[:, 1],
        lines=[n for n, _ in rows],
        notes=(_NOTE, *used.notes),
    )


def _names_at(lines: list[str]) -> int | None:
    """Where the columns of an older card are named: below a title and the cell in numbers."""
    for index, line in enumerate(lines):
        if index >= _FEWEST_ABOVE and _NAMES.fullmatch(line[:100]):
            cells = re.split(r"[\s,]+", lines[index - 1].strip()[:200])
            return index if all(number(cell) is not None for cell in cells) else None
    return None


def _values(name: str, index: int, text: str) -> tuple[float, float]:
    cells = [number(cell) for cell in text.replace(",", " ").split()[:2]]
    if len(cells) < 2 or None in cells:
        raise MlindexError(
            f"{name}, line {index}: expected d, I, h, k and l, got {text.strip()[:60]!r}"
        )
    return cells[0], cells[1]


FORMAT = Format("JCPDS cards of Dioptas", (".jcpds",), sniff, read)
