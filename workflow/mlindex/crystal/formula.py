"""What a chemical formula says of the cell: the volume that its atoms take.

A primitive cell holds a whole number of formula units. Their volume is about the sum of those of
the atoms (Kempster & Lipson 1972, Acta Cryst. B28, 3674, with 18 A³ for each; here each element has
its own, fitted to known crystals), so that a lattice too small for one unit, or with room for one
and a half, is less probable.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from math import gcd

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.base.packaged import packaged

_VOLUMES = packaged(__file__, "atomic_volumes.csv")
#: Student's t of ln(volume / sum of the atoms'): degrees of freedom and scale, of crystals that
#: the volumes were not fitted to (resources/fit_atomic_volumes.py prints it).
_FREEDOM, _SCALE = 2.05, 0.089
#: ln of gamma((f + 1) / 2) / (gamma(f / 2) sqrt(f pi)) for that number f of degrees of freedom.
_LOG_NORM = -1.0369423310383863
#: So many formula units are summed over; with more, neighbours can't be distinguished.
_MOST_UNITS = 400
#: Between the parts of a hydrate or a salt, such as CuSO4·5H2O.
_DOTS = "[·•∙⋅*]"
#: CuSO4.5H2O would be read as four and a half oxygen atoms.
_POINT = re.compile(r"\d\.\d*\(?H2O")
_LARGEST = 1e5
#: An element or a closing bracket with its number, or an opening bracket.
_PIECE = re.compile(r"\s*(?:(?:([A-Z][a-z]?)|([(\[{])|([)\]}]))\s*(\d+\.?\d*|\.\d+)?)\s*")
_HEAVY_HYDROGEN = ("D", "T")


@dataclass(frozen=True)
class Formula:
    """A formula unit as given, and the volume that it takes, in A³."""

    text: str
    volume_A3: float


def formula_of(text: str) -> Formula:
    """The formula unit, such as ``CuO``, ``C8 H9 N O2``, ``CuSO4·5H2O`` or ``La0.7Ca0.3MnO3``.

    Without carbon and hydrogen it is reduced to its least whole numbers: only molecules are units
    by themselves.

    Raises:
        MlindexError: it is no formula, or has an element whose volume is not known.
    """
    counts = _counts(text)
    known = atomic_volumes_A3()
    for element in counts:
        if element not in known:
            raise MlindexError(
                f"formula {text!r}: {element} is no element whose volume is known; leave the "
                "formula out"
            )
    if not {"C", "H"} <= set(counts):
        counts = _reduced(counts)
    return Formula(text, sum(n * known[element] for element, n in counts.items()))


def _counts(text: str) -> dict[str, float]:
    wrong = f"formula {text[:40]!r} can't be read; give one such as CuO, C8H9NO2 or CuSO4*5H2O"
    if _POINT.search(text):
        raise MlindexError(f"{wrong}, with * or · before the water")
    total: dict[str, float] = {}
    for part in re.split(_DOTS, text):
        times, unit = re.fullmatch(r"\s*(\d*\.?\d*)\s*(.*?)\s*", part, re.DOTALL).groups()
        try:
            found = _unit(unit, float(times or 1))
        except ValueError as error:
            raise MlindexError(wrong) from error
        for element, n in found.items():
            total[element] = total.get(element, 0.0) + n
    if not 0 < sum(total.values()) < _LARGEST:
        raise MlindexError(wrong)
    return total


def _unit(text: str, times: float) -> dict[str, float]:
    """So many times the atoms of a unit without dots, ``Ca(OH)2``; ValueError if it is none."""
    if not text:
        raise ValueError("nothing")
    # Atoms of the unit and of each bracket that is open, the innermost last.
    levels: list[dict[str, float]] = [{}]
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ValueError(text[at:])
        symbol, opened, _, count = piece.groups()
        at = piece.end()
        if opened:
            levels.append({})
            continue
        group = {_element(symbol): 1.0} if symbol else levels.pop()
        if not levels:
            raise ValueError("a bracket closes that none opens")
        for element, n in group.items():
            levels[-1][element] = levels[-1].get(element, 0.0) + n * float(count or 1)
    if len(levels) > 1:
        raise ValueError("a bracket is open")
    return {element: n * times for element, n in levels[0].items() if n}


def _element(symbol: str) -> str:
    if symbol in _HEAVY_HYDROGEN:
        return "H"
    if gemmi.Element(symbol).atomic_number == 0:
        raise ValueError(symbol)
    return symbol


def _reduced(counts: dict[str, float]) -> dict[str, float]:
    """Divided by what they have in common, if they are whole numbers."""
    if any(n != round(n) for n in counts.values()):
        return counts
    common = gcd(*(round(n) for n in counts.values()))
    return {element: n / common for element, n in counts.items()}


@cache
def atomic_volumes_A3() -> dict[str, float]:
    """The volume that an atom takes in a crystal, by element."""
    with _VOLUMES.open(encoding="utf-8", newline="") as rows:
        return {row["element"]: float(row["volume_A3"]) for row in csv.DictReader(rows)}


def volume_factor(volume_A3: np.ndarray, formula: Formula) -> np.ndarray:
    """How much more probable primitive volumes (...,) are with the formula than without, (...,).

    Any number z of units is thought possible, with a weight of 1/z: so large volumes, which hold
    about a whole number whatever they are, are neither favoured nor the reverse.
    """
    units = np.arange(1, _MOST_UNITS + 1)
    ratio = np.log(np.asarray(volume_A3, dtype=float) / formula.volume_A3)
    off = (ratio[..., None] - np.log(units)) / _SCALE
    found = (_student_t(off) / units).sum(axis=-1) / _SCALE
    # Beyond the last there would be nothing.
    return np.where(ratio > np.log(_MOST_UNITS / 2), 1.0, found)


def _student_t(x: np.ndarray) -> np.ndarray:
    """Probability density of Student's t (...), for :data:`_FREEDOM`."""
    return np.exp(_LOG_NORM - (_FREEDOM + 1) / 2 * np.log1p(x * x / _FREEDOM))
