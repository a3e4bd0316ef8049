"""PSI's layout of the neutron diffractometers DMC and HRPT, which FullProf reads as ``Ins = 8``.

A title; ``lambda=`` and the conditions; start, step and end of 2theta with the monitor; then the
counts in fields of eight characters, ten a line, as many standard uncertainties, and free text.
After the reader of CrysFML (Rodriguez-Carvajal & Gonzalez-Platas, the library of FullProf).
"""

from __future__ import annotations

import re

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.assemble import Range, check_count, pattern
from mlindex.files.source import Format, Source
from mlindex.files.stepped import Steps, fields, steps_in
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import from_header, stated

_LAMBDA = re.compile(r"\s*lambda\s*=", re.IGNORECASE)
_TEXT_LINES, _WIDTH = 3, 8


def sniff(source: Source) -> bool:
    """Whether the second line begins with the wavelength and the third holds the steps."""
    return source.is_text and _steps(source.head(_TEXT_LINES)) is not None


def read(source: Source, given: Given) -> MeasuredPattern:
    """The counts and, where they follow, their uncertainties."""
    lines = source.lines
    steps = _steps(lines[:_TEXT_LINES])
    if steps is None:
        raise MlindexError(f"{source.name}, line 3: expected start, step and end of 2theta")
    count = check_count(source.name, steps.count)
    values = fields(source.name, lines[_TEXT_LINES:], _WIDTH, 2 * count)
    check_count(source.name, count if len(values) <= count else 2 * count, len(values))
    error = values[count:] if len(values) > count else None
    one = Range(steps.start + steps.step * np.arange(count), values[:count], error)
    found = from_header(lines[1:2])
    return pattern(source, [one], stated(found.wavelength_A, probe="neutron"), given)


def _steps(lines: list[str]) -> Steps | None:
    """The steps on the third line, below one with the wavelength."""
    if len(lines) < _TEXT_LINES or not _LAMBDA.match(lines[1][:40]):
        return None
    return steps_in(lines[2])


FORMAT = Format("PSI (DMC, HRPT)", (".dat",), sniff, read)
