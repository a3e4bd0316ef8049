"""McMaille's input for its black-box mode: title; wavelength, zero point, mode; then the peaks.

After the program's short manual (Le Bail 2004, Powder Diffraction 19, 249): lines that begin with
an exclamation mark are left out, the zero point is added to 2theta, and positions that fall
are d in A. A negative wavelength asks for long output.
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

_SECOND_LINE = re.compile(r"^\s*-?\d*\.\d+[\s,]+-?\d*\.?\d+[\s,]+-?[0-4]\b(?!\.)")
_BLACK_BOX = (3, 4)


def sniff(source: Source) -> bool:
    """Whether the second line holds a wavelength, a zero point and a mode, and two numbers follow.

    Rows of three measured numbers look alike, so the row after it must not hold a third.
    """
    lines = _lines(source)
    if not source.is_text or len(lines) < 3 or not _SECOND_LINE.match(lines[1][1][:100]):
        return False
    wavelength = abs(number(_words(lines[1][1])[0]) or 0)
    words = [number(word) for word in _words(lines[2][1])[:3]]
    third = len(words) > 2 and words[2] is not None
    return 0.1 < wavelength < 10 and len(words) > 1 and None not in words[:2] and not third


def read(source: Source, given: Given) -> PeakList:
    """The peaks with the zero point added, a note saying so."""
    lines = _lines(source)
    words = _words(lines[1][1])[:3]
    wavelength, zero, mode = (number(word) or 0.0 for word in words)
    if abs(mode) not in _BLACK_BOX:
        raise MlindexError(
            f"{source.name}: a McMaille input for mode {words[2][:20]}; only the black-box modes 3 "
            "and 4 are read, the others hold search limits: give the peaks alone"
        )
    used = choose(stated(abs(wavelength)), given)
    values, numbers = [], []
    for index, line in lines[2:]:
        row = [number(word) for word in _words(line)[:2]]
        if len(row) < 2 or None in row:
            raise MlindexError(
                f"{source.name}, line {index}: expected position and intensity, got "
                f"{line.strip()[:60]!r}"
            )
        values.append(row)
        numbers.append(index)
    position, intensity = np.array(values).T
    falls = len(position) > 1 and position[1] < position[0]
    notes = list(used.notes)
    if zero and not falls:
        position = position + zero
        notes.append(f"the zero point of {zero:g} degrees in the file was added")
    return peaks_from_columns(
        source.name,
        "d" if falls else "2theta",
        position,
        used.wavelength_A,
        intensity=intensity,
        lines=numbers,
        notes=tuple(notes),
    )


def _words(line: str) -> list[str]:
    return line.replace(",", " ").split()


def _lines(source: Source) -> list[tuple[int, str]]:
    return [
        (index, line)
        for index, line in enumerate(source.lines, 1)
        if line.strip() and not line.lstrip().startswith("!")
    ]


FORMAT = Format("McMaille input (black-box mode)", (".dat",), sniff, read)
