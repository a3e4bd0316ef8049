"""Zone axes, and the reciprocal lattice as the beam meets it.

The wave travels along +z, which is the direction [uvw] of the zone axis; x, y and z are
right-handed. x lies along the shortest reciprocal vector of the zero Laue zone if nothing else
is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.atoms import Atoms

#: Largest index of a zone axis.
LARGEST_INDEX = 50
#: Vectors of nearly equal length, relative: the first in order of indices is taken.
_EQUAL_LENGTH = 1e-6


@dataclass(frozen=True)
class Orientation:
    """A crystal seen along a zone axis.

    ``reciprocal_inv_A`` (3, 3): a*, b*, c* as rows, in the axes x, y, z of the pattern.
    ``y_uvw`` (3,): the direction of y in the direct lattice, of unit length in A.
    """

    zone: tuple[int, int, int]
    reciprocal_inv_A: np.ndarray
    y_uvw: np.ndarray
    repeat_A: float

    def positions(self, hkl: np.ndarray) -> np.ndarray:
        """Reciprocal vectors (n, 3) in 1/A of indices (n, 3)."""
        return hkl @ self.reciprocal_inv_A


def checked_zone(zone: tuple[int, ...]) -> tuple[int, int, int]:
    """A zone axis without common factor.

    Raises:
        MlindexError: it is no direction, or its indices are too large.
    """
    if len(zone) != 3 or not any(zone) or max(abs(i) for i in zone) > LARGEST_INDEX:
        raise MlindexError(
            f"zone axis {list(zone)}: give three whole numbers up to {LARGEST_INDEX}, not all 0"
        )
    divisor = int(np.gcd.reduce(np.array(zone)))
    u, v, w = (int(i) // divisor for i in zone)
    return u, v, w


def orientation_of(atoms: Atoms, zone: tuple[int, int, int]) -> Orientation:
    """The crystal with [uvw] along the beam."""
    zone = checked_zone(zone)
    basis = atoms.basis_A
    reciprocal = np.linalg.inv(basis).T
    along = np.array(zone) @ basis
    z = along / np.linalg.norm(along)
    x = shortest_in_zone(zone, reciprocal) @ reciprocal
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    axes = np.array([x, y, z])
    return Orientation(zone, reciprocal @ axes.T, y @ np.linalg.inv(basis), float(along @ z))


def shortest_in_zone(zone: tuple[int, int, int], reciprocal: np.ndarray) -> np.ndarray:
    """Indices (3,) of a shortest reciprocal vector that is perpendicular to the zone axis."""
    reach = max(abs(i) for i in zone)
    near = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    near = near[(near @ np.array(zone) == 0) & near.any(axis=1)]
    if len(near) < 2:
        raise MlindexError(f"zone axis {list(zone)}: no reflections in its zone")
    lengths = np.linalg.norm(near @ reciprocal, axis=1)
    # Of those equally long the last in the order of indices: positive ones first.
    return near[np.flatnonzero(lengths < lengths.min() * (1 + _EQUAL_LENGTH))[-1]]
