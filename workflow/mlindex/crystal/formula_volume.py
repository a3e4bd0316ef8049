"""What a chemical formula says of the cell: the volume that its atoms take.

A primitive cell holds a whole number of formula units. Their volume is about the sum of those of
the atoms (Kempster & Lipson 1972, Acta Cryst. B28, 3674, with 18 A³ for each; here each element has
its own in molecules, salts, metals and by itself, fitted to known crystals). How often a lattice
has 1, 2, 3 ... units in its primitive cell is counted in the same crystals, and so is how large
primitive cells are: a formula makes a cell more probable as much as crystals of that formula and
lattice have its volume more often than all crystals of that lattice.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd
from typing import Any

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.base.packaged import packaged
from mlindex.crystal.formula import atoms_of

_VOLUMES = packaged(__file__, "atomic_volumes.csv")
#: Counted in crystals by resources/fit_atomic_volumes.py, as are the volumes.
_UNITS = packaged(__file__, "formula_units.json")
#: Kinds of formulas: the volumes of their atoms differ, and how well the sum holds.
MOLECULE, SALT, METAL, ELEMENT = "molecule", "salt", "metal", "element"
KINDS = (MOLECULE, SALT, METAL, ELEMENT)
#: A formula with one of these and without C and H is that of a salt, others are of metals.
_OF_SALTS = frozenset({"O", "F", "Cl", "Br", "I", "N", "S"})
#: So many formula units are summed over; with more, neighbours can't be distinguished.
_MOST_UNITS = 400
#: The share of formulas that say nothing of the volume: wrong ones, disorder, pores.
_SAYS_NOTHING = 0.02
#: Volumes that are about the same, in ln V: half or twice as large.
_NEARBY = 0.7
#: Degrees of freedom of Student's t: of the logarithm of a cell's volume over the sum of its
#: atoms', and of volumes about their mean.
SUM_FREEDOM, VOLUME_FREEDOM = 1.8, 5.0
#: ln of gamma((f + 1) / 2) / (gamma(f / 2) sqrt(f pi)) for these f.
_LOG_NORM = {SUM_FREEDOM: -1.0522474, VOLUME_FREEDOM: -0.9686196}


@dataclass(frozen=True)
class Formula:
    """A formula unit as given, the volume that it takes, in A³, and its kind (:data:`KINDS`)."""

    text: str
    volume_A3: float
    kind: str = SALT


def formula_of(text: str) -> Formula:
    """The formula unit, such as ``CuO``, ``C8 H9 N O2``, ``CuSO4·5H2O`` or ``La0.7Ca0.3MnO3``.

    Without carbon and hydrogen it is reduced to its least whole numbers: only molecules are units
    by themselves.

    Raises:
        MlindexError: it is no formula, or has an element whose volume is not known.
    """
    counts = atoms_of(text)
    kind = kind_of(counts)
    known = atomic_volumes_A3(kind)
    for element in counts:
        if element not in known:
            raise MlindexError(
                f"formula {text!r}: {element} is no element whose volume is known; leave the "
                "formula out"
            )
    counts = unit_of(counts)
    return Formula(text, sum(n * known[element] for element, n in counts.items()), kind)


def kind_of(counts: Mapping[str, float]) -> str:
    """The kind of a formula with these atoms."""
    if {"C", "H"} <= counts.keys():
        return MOLECULE
    if len(counts) == 1:
        return ELEMENT
    return SALT if _OF_SALTS & counts.keys() else METAL


def unit_of(counts: Mapping[str, float]) -> dict[str, float]:
    """The atoms of a unit: of a molecule as given, else divided by what whole numbers share."""
    whole = all(n == round(n) for n in counts.values())
    if kind_of(counts) == MOLECULE or not whole:
        return dict(counts)
    common = gcd(*(round(n) for n in counts.values()))
    return {element: n / common for element, n in counts.items()}


@cache
def atomic_volumes_A3(kind: str) -> dict[str, float]:
    """The volume that an atom takes in crystals of a kind, by element."""
    with _VOLUMES.open(encoding="utf-8", newline="") as rows:
        return {row["element"]: float(row[f"{kind}_A3"]) for row in csv.DictReader(rows)}


def volume_factor(
    volume_A3: Sequence[float] | np.ndarray, bravais: Sequence[str], formula: Formula
) -> np.ndarray:
    """How much more probable cells are with the formula than without.

    Args:
        volume_A3: volumes of their primitive cells (n,).
        bravais: symbols of their Bravais lattices (n,).
        formula: the formula.

    Returns:
        The density of volumes of crystals with this formula and lattice over that of all crystals
        of this lattice (n,); its mean over all volumes is 1.
    """
    scale = _data()["scales"][formula.kind]
    return _ratios(volume_A3, bravais, formula, scale)


def factor_nearby(
    volume_A3: Sequence[float] | np.ndarray, bravais: Sequence[str], formula: Formula
) -> np.ndarray:
    """The same (n,) as its mean over cells of about these volumes, half or twice as large."""
    return _ratios(volume_A3, bravais, formula, _NEARBY)


def _ratios(
    volume_A3: Sequence[float] | np.ndarray, bravais: Sequence[str], formula: Formula, scale: float
) -> np.ndarray:
    rows = zip(np.asarray(volume_A3, dtype=float).tolist(), bravais, strict=True)
    return np.array([_ratio(volume, symbol, formula, scale) for volume, symbol in rows])


def _ratio(volume_A3: float, bravais: str, formula: Formula, scale: float) -> float:
    """Density of volumes with the formula, each wrong by ``scale`` in ln V, over that of all."""
    units = np.log(np.arange(1, _MOST_UNITS + 1))
    own = np.log(formula.volume_A3)
    # Of the numbers of units, those count that make volumes which such lattices have.
    usual = _shares(bravais, formula.kind) * _density(own + units, bravais)
    near = student_t((np.log(volume_A3) - own - units) / scale, SUM_FREEDOM) / scale
    ratio = float(usual @ near / usual.sum() / _density(np.log(volume_A3), bravais))
    return (1 - _SAYS_NOTHING) * ratio + _SAYS_NOTHING


def _density(log_volume: np.ndarray, bravais: str) -> np.ndarray:
    """Density (...) of primitive cells of a lattice over ln of their volume in A³."""
    mean, spread = _data()["volumes"][bravais]
    return student_t((log_volume - mean) / spread, VOLUME_FREEDOM) / spread


@cache
def _shares(bravais: str, kind: str) -> np.ndarray:
    """How often primitive cells of a lattice have 1, 2, ... units, (_MOST_UNITS,)."""
    counted = _data()["units"][bravais][MOLECULE if kind == MOLECULE else "other"]
    units = np.arange(1, _MOST_UNITS + 1, dtype=float)
    shares = counted["beyond"] * units ** -_data()["fall"]
    shares[: len(counted["shares"])] = counted["shares"]
    return shares


@cache
def _data() -> dict[str, Any]:
    return json.loads(_UNITS.read_text(encoding="utf-8"))


def student_t(x: np.ndarray, freedom: float) -> np.ndarray:
    """Probability density (...) of Student's t, for the degrees of freedom named above."""
    return np.exp(_LOG_NORM[freedom] - (freedom + 1) / 2 * np.log1p(x * x / freedom))
