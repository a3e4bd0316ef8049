"""How near a lattice is to a higher symmetry: Le Page (1982), J. Appl. Cryst. 15, 255.

A two-fold axis of a lattice is a row of it that is normal to a plane of it; by what angle a row
misses the normal is the obliquity. A lattice of low symmetry with an axis of little obliquity that
it should not have is often that of a superstructure's parent, distorted by what orders in it.
"""

from __future__ import annotations

from functools import cache

import gemmi
import numpy as np

from mlindex.equivalence import lattice_of
from mlindex.lattice import BRAVAIS, BravaisLattice

#: Obliquities beyond the greatest make no difference, nor those below the least, degrees.
LEAST_DEG, GREATEST_DEG = 0.05, 6.0
_EXACT_DEG = 1e-3


def next_two_fold_deg(bravais: BravaisLattice, reduced: np.ndarray) -> float:
    """Obliquity of the two-fold axis that a lattice is nearest to having beside its own.

    Args:
        bravais: what the lattice is said to be.
        reduced: its Niggli cell (6,).

    Returns:
        Degrees, from :data:`LEAST_DEG` to :data:`GREATEST_DEG`.
    """
    obliquities = sorted(_obliquities(reduced, GREATEST_DEG))[_own_two_folds(bravais.symbol) :]
    return float(np.clip(obliquities[0], LEAST_DEG, None)) if obliquities else GREATEST_DEG


def _obliquities(reduced: np.ndarray, greatest_deg: float) -> list[float]:
    found = gemmi.find_lattice_2fold_ops(gemmi.UnitCell(*reduced), greatest_deg)
    return [obliquity for _, obliquity in found]


@cache
def _own_two_folds(symbol: str) -> int:
    """Two-fold axes that any lattice of a Bravais lattice has."""
    bravais = BRAVAIS[symbol]
    reduced = lattice_of(bravais.system.generic_cell(), bravais.centrings[0]).reduced
    return len(_obliquities(reduced, _EXACT_DEG))
