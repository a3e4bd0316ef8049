"""Which Bravais lattices are special cases of others."""

from __future__ import annotations

from functools import cache

import numpy as np

from mlindex.crystal.cell import metric_tensor
from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES
from mlindex.crystal.recognition import EXACT, nearest_of_each

#: A cell that has no more symmetry than its lattice asks for.
_GENERIC = {"a": 5.0, "b": 5.9, "c": 7.3, "alpha": 76.0, "beta": 103.0, "gamma": 81.0}


@cache
def lattices_within(symbol: str) -> frozenset[str]:
    """The other Bravais lattices that every lattice of this one is, too, as cF is tI, oF and hR.

    Their holohedries are its translationengleiche subgroups: the lattice stays, some of its
    rotations go. A lattice of less symmetry comes near this one where its cell nearly obeys more.
    """
    lattice = BRAVAIS[symbol]
    system = lattice.system
    cell = system.cell_from_free([_GENERIC[name] for name in system.free_parameters])
    to_primitive = np.array(PRIMITIVE_HALVES[lattice.centring]).T / 2
    reciprocal = np.linalg.inv(to_primitive.T @ metric_tensor(cell) @ to_primitive)
    (a, f, e), (_, b, d), (_, _, c) = reciprocal
    found = nearest_of_each(np.array([a, b, c, 2 * d, 2 * e, 2 * f]), EXACT)
    return frozenset(one.bravais for one in found) - {symbol}
