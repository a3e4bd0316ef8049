"""GSAS histograms with constant steps: STD, ESD, ALT, FXY and FXYE.

Layouts after the GSAS manual (Larson & Von Dreele 2004, LAUR 86-748, "Powder data files"): a
title, a BANK line with the number of points and of records, bin type, start and step (in
hundredths of a degree for a constant wavelength), then fixed columns. The wavelength stands in an
instrument file beside it, so it has to be given.
"""

from __future__ import annotations

import re

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.assemble import Range, check_count, pattern, refuse_time_of_flight
from mlindex.files.rows import number
from mlindex.files.source import Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import from_header

_BANK = re.compile(r"^BANK\s+\d+\s+(\d+)\s+\d+\s+([A-Za-z_]\w*)(.*)$")
_CONSTANT = ("CONS", "CONST")
_KINDS = ("STD", "ESD", "ALT", "FXY", "FXYE")
_CENTI = 100.0
#: ALT positions are written in 1/32 of the unit.
_ALT_PARTS = 32.0
_LARGEST_CENTIDEGREES = 18_000
_HEAD_BYTES, _HEAD_LINES = 20_000, 200
#: GSAS itself reads files that hold a little less than they state.
_MAY_LACK = 0.02


def sniff(source: Source) -> bool:
    """Whether one of the first lines is a BANK line; titles may hold bytes of any kind."""
    head = source.data[:_HEAD_BYTES]
    if b"BANK" not in head or head.startswith((b"PK", b"RAW", b"PAR1")):
        return False
    return any(_BANK.match(line) for line in source.lines[:_HEAD_LINES])


def read(source: Source, given: Given) -> MeasuredPattern:
    """All banks of a file."""
    starts = [i for i, line in enumerate(source.lines) if _BANK.match(line)]
    ends = [*starts[1:], len(source.lines)]
    notes: list[str] = []
    ranges = [
        _bank(source, start, source.lines[start + 1 : end], notes)
        for start, end in zip(starts, ends, strict=True)
    ]
    comments = [line for line in source.lines[: starts[0]] if line.startswith("#")]
    return pattern(source, ranges, from_header(comments), given, notes)


def _bank(source: Source, index: int, lines: list[str], notes: list[str]) -> Range:
    name = source.name
    match = _BANK.match(source.lines[index])
    assert match is not None
    words = match[3].split()
    kind = words[-1].upper() if words and words[-1].upper() in _KINDS else "STD"
    if match[2].upper() not in _CONSTANT:
        raise refuse_time_of_flight(name, f"a GSAS bank with bins of type {match[2]}")
    numbers = [v for v in map(number, words) if v is not None]
    if len(numbers) < 2:
        raise MlindexError(f"{name}, line {index + 1}: the BANK line lacks start and step")
    lines = [line for line in lines if not line.startswith("#")]
    count = check_count(name, float(match[1]))
    if not kind.startswith("FXY") and numbers[0] + numbers[1] * (count - 1) > _LARGEST_CENTIDEGREES:
        raise refuse_time_of_flight(
            name, f"a GSAS bank from {numbers[0]:g} in steps of {numbers[1]:g}"
        )
    x, y, error = _values(name, kind, lines, count)
    if (1 - _MAY_LACK) * count <= len(y) < count:
        notes.append(f"the header states {count} points, the file holds {len(y)}")
        count = len(y)
    check_count(name, count, len(y))
    if x is None:
        x = numbers[0] + numbers[1] * np.arange(count)
    elif kind == "ALT":
        x = x / _ALT_PARTS if abs(x[0] / _ALT_PARTS - numbers[0]) < abs(x[0] - numbers[0]) else x
    if np.nanmax(x[:count]) > _LARGEST_CENTIDEGREES:
        raise refuse_time_of_flight(name, f"GSAS positions up to {np.nanmax(x[:count]):g}")
    return Range(x[:count] / _CENTI, y[:count], None if error is None else error[:count])


def _values(
    name: str, kind: str, lines: list[str], count: int
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
    if kind == "STD":
        counters, counts = _fixed(name, lines, count, (2, 6))
        counters = np.maximum(np.nan_to_num(counters, nan=1.0), 1)
        # The value is the mean over the counters that saw this angle.
        error = np.sqrt(np.maximum(counts, 1) / counters)
        return None, counts, error
    if kind == "ESD":
        return None, *_fixed(name, lines, count, (8, 8))
    if kind == "ALT":
        x, y, error = _fixed(name, lines, count, (8, 7, 5), decimals=(0, 4, 4))
        return x, y, error
    wanted = 3 if kind == "FXYE" else 2
    table = [line.split()[:wanted] for line in lines if line.strip()]
    numbers = [[number(word) for word in row] for row in table]
    for row, line in zip(numbers, (line for line in lines if line.strip()), strict=True):
        if len(row) < wanted or None in row:
            raise MlindexError(f"{name}: expected {wanted} numbers, got {line.strip()[:60]!r}")
    if not numbers:
        raise MlindexError(f"{name}: no data follow the BANK line; the file is truncated")
    columns = np.array(numbers).T
    return columns[0], columns[1], columns[2] if wanted == 3 else None


def _fixed(
    name: str,
    lines: list[str],
    count: int,
    widths: tuple[int, ...],
    decimals: tuple[int, ...] = (),
) -> list[np.ndarray]:
    """Columns of fixed width, as many groups of them as go into a line of 80; ``count`` in all."""
    width = sum(widths)
    found: list[list[float]] = []
    for line in lines:
        if len(found) >= count:
            break
        line = line.expandtabs().rstrip()[:80]
        for start in range(0, len(line), width):
            group, at = [], start
            for index, size in enumerate(widths):
                cell = line[at : at + size].strip()
                at += size
                value = number(cell) if cell else np.nan
                if value is None:
                    raise MlindexError(f"{name}: expected numbers, got {line.strip()[:60]!r}")
                if decimals and cell and "." not in cell:
                    value /= 10 ** decimals[index]
                group.append(value)
            found.append(group)
    if not found:
        raise MlindexError(f"{name}: no data follow the BANK line; the file is truncated")
    return list(np.array(found).T)


FORMAT = Format(
    "GSAS histograms over 2theta (STD, ESD, ALT, FXY, FXYE)",
    (".gsas", ".gsa", ".gda", ".gss", ".raw", ".xra", ".cwn", ".fxye", ".dat"),
    sniff,
    read,
)
