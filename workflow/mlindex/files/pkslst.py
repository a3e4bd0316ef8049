"""GSAS-II ``.pkslst``: one peak a line, ``[2theta, refined, intensity, refined, sigma, ...]``.

Each line is the list of numbers and flags of one fitted peak as GSAS-II (Toby & Von Dreele 2013,
J. Appl. Cryst. 46, 544) writes it: position, intensity, Gaussian variance (hundredths of a degree,
squared) and Lorentzian width (hundredths of a degree), each followed by a flag. The numbers are
taken out by their form; nothing in the file is evaluated.
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
from mlindex.patterns.radiation import check_given as check_wavelength
from mlindex.patterns.radiation import choose, from_header

_WRAPPED = re.compile(r"np\.float\d*\(([^()]*)\)")
_START = re.compile(r"^\s*\[\s*(?:np\.float\d*\()?[-+.\d]")
_FWHM_OF_SIGMA = np.sqrt(8 * np.log(2))
#: Thompson, Cox & Hastings (1987), J. Appl. Cryst. 20, 79, eq. 3: width of both together.
_BOTH = (1.0, 2.69269, 2.42843, 4.47163, 0.07842, 1.0)


def sniff(source: Source) -> bool:
    """Whether one of the first lines is such a list."""
    return source.is_text and any(_START.match(line) for line in source.lines[:20])


def read(source: Source, given: Given) -> PeakList:
    """The peaks; lines of other content (headers, dictionaries of parameters) are left out."""
    found, lines = [], []
    for index, line in enumerate(source.lines, 1):
        if line.lstrip().startswith("["):
            found.append(_peak(source.name, index, line))
            lines.append(index)
    values = np.array(found)
    stated = from_header(line for line in source.lines if not line.lstrip().startswith("["))
    used = choose(stated, given)
    check_wavelength(source.name, used.wavelength_A)
    width = values[:, 2:].max(axis=1) > 0
    return peaks_from_columns(
        source.name,
        "2theta",
        values[:, 0],
        used.wavelength_A,
        intensity=values[:, 1],
        fwhm_deg=_fwhm_deg(values[:, 2], values[:, 3]) if width.all() else None,
        lines=lines,
        notes=used.notes,
    )


def _peak(name: str, index: int, line: str) -> tuple[float, float, float, float]:
    content = _WRAPPED.sub(r"\1", line).strip().strip("[],")
    cells = [cell.strip() for cell in content.split(",")]
    numbers = [number(cell) for cell in cells[0:8:2]]
    if len(cells) < 3 or None in numbers:
        raise MlindexError(
            f"{name}, line {index}: expected a GSAS-II peak such as "
            f"[12.3, True, 100.0, True, ...], got {line.strip()[:60]!r}"
        )
    numbers += [0.0] * (4 - len(numbers))
    return tuple(numbers)


def _fwhm_deg(variance: np.ndarray, lorentzian: np.ndarray) -> np.ndarray:
    gauss = _FWHM_OF_SIGMA * np.sqrt(np.clip(np.nan_to_num(variance), 0, 1e8)) / 100
    lorentz = np.clip(np.nan_to_num(lorentzian), 0, 1e4) / 100
    total = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(_BOTH))
    return total**0.2


FORMAT = Format("GSAS-II peak lists", (".pkslst",), sniff, read)
