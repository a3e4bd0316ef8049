"""How near a lattice is to a higher symmetry: Le Page (1982), J. Appl. Cryst. 15, 255.

A two-fold axis of a lattice is a row of it that is normal to a plane of it; by what angle a row
misses the normal is the obliquity. A lattice of low symmetry with an axis of little obliquity that
it should not have is often that of a superstructure's parent, distorted by what orders in it.
"""

from __future__ import annotations

import math
from functools import cache

import gemmi
import numpy as np

from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.lattice import BRAVAIS, BravaisLattice

_EXACT_DEG = 1e-3


def next_two_fold_deg(bravais: BravaisLattice, reduced: np.ndarray, greatest_deg: float) -> float:
    """Obliquity of the two-fold axis that a lattice is nearest to having beside its own.

    Args:
        bravais: what the lattice is said to be.
        reduced: its Niggli cell (6,).
        greatest_deg: how far to look.

    Returns:
        Degrees; infinite where there is none within ``greatest_deg``.
    """
    others = sorted(_obliquities(reduced, greatest_deg))[_own_two_folds(bravais.symbol) :]
    return others[0] if others else math.inf


def _obliquities(reduced: np.ndarray, greatest_deg: float) -> list[float]:
    found = gemmi.find_lattice_2fold_ops(gemmi.UnitCell(*reduced), greatest_deg)
    return [obliquity for _, obliquity in found]


@cache
def _own_two_folds(symbol: str) -> int:
    """Two-fold axes that any lattice of a Bravais lattice has."""
    bravais = BRAVAIS[symbol]
    reduced = lattice_of(bravais.system.generic_cell(), bravais.centrings[0]).reduced
    return len(_obliquities(reduced, _EXACT_DEG))
