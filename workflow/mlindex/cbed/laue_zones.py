"""What distant Laue zones do to the wave: a small potential of their own.

Along the beam the potential changes faster than the wave does, so that zones far from the Ewald
sphere act through the mean of what they do within a period. To second order in that period the
coupling of two beams of one zone, at a distance g, gains

    -1/K  sum over n > 0  of 1/z_n²  sum over a in zone n  of  a.(a - g) u(a) u*(a - g)

with z_n the height of zone n, u(a) the coupling by its reflection a, and vectors as they are across
the beam (effective Hamiltonian of fast modulation: Goldman & Dalibard, Phys. Rev. X 4 (2014)
031027, eq. 17). The first order vanishes, for potentials commute, and so does what the zero zone's
potential would add to the second. In real space it is the local potential -|grad V_n|². Of beams
taken one by one thousands would be needed, for their terms nearly cancel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlindex.cbed.orientation import Orientation
from mlindex.cbed.potential import Potential
from mlindex.crystal.plane import reduce_plane

#: Reflections count up to this distance from the axis, in 1/A.
_REACH_INV_A = 5.0


def with_distant_zones(
    potential: Potential,
    orientation: Orientation,
    beyond_inv_A: float,
    wave_number_inv_A: float,
    relativistic: float,
) -> np.ndarray:
    """The table of coefficients, those of the zero zone with what distant zones do.

    Args:
        potential: the crystal's coefficients.
        orientation: the zone axis.
        beyond_inv_A: zones farther than this from the zero one count.
        wave_number_inv_A: that of the wave in the crystal.
        relativistic: what the potential is multiplied by.

    Returns:
        A new table, real where the potential is.
    """
    table = (potential.table.real if potential.real else potential.table).copy()
    zones = _zones(orientation)
    shape = tuple(3 * int(most) + 1 for most in zones.most)
    density = np.zeros(shape)
    repeat = orientation.repeat_A
    for n in range(int(beyond_inv_A * repeat) + 1, int(potential.reach_inv_A * repeat) + 1):
        # The point of the zone next to the axis is the middle.
        shift = orientation.positions(n * zones.next[None])[0, :2] @ np.linalg.inv(zones.basis)
        hkl = (zones.steps - np.rint(shift).astype(int)) @ zones.plane + n * zones.next
        q = orientation.positions(hkl)[:, :2]
        row, inside = _inside(hkl, q, potential.bounds)
        values = q[inside] * table[row][:, None] * repeat / n
        for component in values.T:
            grid = np.zeros(shape, complex)
            grid[tuple(zones.steps[inside].T)] = component
            density += np.abs(np.fft.ifft2(grid, norm="forward")) ** 2
    hkl = zones.steps @ zones.plane
    row, inside = _inside(hkl, orientation.positions(hkl)[:, :2], potential.bounds)
    gained = np.fft.fft2(density, norm="forward")[tuple(zones.steps[inside].T)]
    gained *= -relativistic / (2 * wave_number_inv_A**2)
    table[row] += gained.real if potential.real else gained
    return table


class _Zones(NamedTuple):
    """``plane`` (2, 3): short vectors of the zero zone, as indices, and ``basis`` (2, 2) in 1/A.

    ``steps`` (n, 2) along them, up to ``most`` (2,); ``next`` (3,) leads to the first zone.
    """

    plane: np.ndarray
    basis: np.ndarray
    steps: np.ndarray
    most: np.ndarray
    next: np.ndarray


def _zones(orientation: Orientation) -> _Zones:
    u, v, w = orientation.zone
    if u == v == 0:
        plane, along = np.eye(3, dtype=int)[:2], np.array([0, 0, w])
    else:
        divisor, x, y = _bezout(u, v)
        plane = np.array([[v // divisor, -u // divisor, 0], [-x * w, -y * w, divisor]])
        _, p, r = _bezout(divisor, w)
        along = np.array([p * x, p * y, r])
    vectors = orientation.positions(plane)
    reduced = reduce_plane(*(float(vectors[i] @ vectors[j]) for i, j in ((0, 0), (0, 1), (1, 1))))
    plane = np.array([reduced.p, reduced.q]) @ plane
    basis = orientation.positions(plane)[:, :2]
    most = np.floor(_REACH_INV_A * np.linalg.norm(np.linalg.inv(basis), axis=0)).astype(int) + 1
    steps = np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij")
    return _Zones(plane, basis, np.stack(steps, axis=-1).reshape(-1, 2), most, along)


def _inside(
    hkl: np.ndarray, across_inv_A: np.ndarray, bounds: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Places in the table of reflections (n, 3) that count, and which these are, (n,)."""
    inside = np.all(np.abs(hkl) <= bounds, axis=1)
    inside &= np.sum(across_inv_A**2, axis=1) <= _REACH_INV_A**2
    return tuple((hkl[inside] + bounds).T), inside


def _bezout(a: int, b: int) -> tuple[int, int, int]:
    """The greatest common divisor g of a and b, not both 0, and x, y with x a + y b = g."""
    x, y, p, q = 1, 0, 0, 1
    while b:
        quotient = a // b
        a, b, x, y, p, q = b, a - quotient * b, p, q, x - quotient * p, y - quotient * q
    return (a, x, y) if a > 0 else (-a, -x, -y)
