"""What a chemical formula says of the cell: the volume that its atoms take.

A primitive cell holds a whole number of formula units. Their volume is about the sum of those of
the atoms (Kempster & Lipson 1972, Acta Cryst. B28, 3674, with 18 A³ for each; here each element has
its own, fitted to known crystals), so that a lattice too small for one unit, or with room for one
and a half, is less probable.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.base.packaged import packaged
from mlindex.crystal.formula import atoms_of

_VOLUMES = packaged(__file__, "atomic_volumes.csv")
#: Student's t of ln(volume / sum of the atoms'): degrees of freedom and scale, of crystals that
#: the volumes were not fitted to (resources/fit_atomic_volumes.py prints it).
_FREEDOM, _SCALE = 2.05, 0.089
#: ln of gamma((f + 1) / 2) / (gamma(f / 2) sqrt(f pi)) for that number f of degrees of freedom.
_LOG_NORM = -1.0369423310383863
#: So many formula units are summed over; with more, neighbours can't be distinguished.
_MOST_UNITS = 400


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
    counts = atoms_of(text)
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
