"""Reduction of a plane lattice to its two shortest vectors (Lagrange's reduction).

One step takes as often as possible the shorter vector off the longer one. The step is written
three times, each for what it is used for, and all three give the same vectors (a test holds them
together): :func:`reduce_plane` for one lattice in plain numbers, since arrays of three cost more
than they save; :func:`reduce_planes` for many at once;
:func:`mlindex.crystal.reduction_kernels.reduce_form` compiled, within searches.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

#: Steps after which many reductions at once are given up. One lattice takes a handful.
MOST_STEPS = 200


class ReducedPlane(NamedTuple):
    """A reduced basis of one plane lattice: the shorter vector first, of any angle.

    ``pp``, ``pq`` and ``qq`` are products of the new vectors, in the unit of those given; ``p``
    and ``q`` are the vectors in terms of the given ones, integers.
    """

    pp: float
    pq: float
    qq: float
    p: tuple[int, int]
    q: tuple[int, int]


def reduce_plane(pp: float, pq: float, qq: float) -> ReducedPlane:
    """The two shortest vectors of the lattice of p and q, from the products of these."""
    short, long = (1, 0), (0, 1)
    while True:
        if pp > qq:
            pp, qq, short, long = qq, pp, long, short
        steps = round(pq / pp)
        if steps == 0:
            return ReducedPlane(pp, pq, qq, short, long)
        pq, qq = pq - steps * pp, qq - 2 * steps * pq + steps * steps * pp
        long = (long[0] - steps * short[0], long[1] - steps * short[1])


class ReducedPlanes(NamedTuple):
    """Reduced bases of plane lattices: the shorter vector first, of any angle.

    ``change`` (n, 2, 2), whole numbers: its columns are the new vectors in terms of the given
    ones, with determinant 1 or -1; ``vv``, ``vw`` and ``ww`` (n,) are the products of the new
    vectors, in the unit of those given.
    """

    change: np.ndarray
    vv: np.ndarray
    vw: np.ndarray
    ww: np.ndarray


def reduce_planes(
    vv: np.ndarray, vw: np.ndarray, ww: np.ndarray, tie: float = 0.0, most_steps: int = MOST_STEPS
) -> ReducedPlanes:
    """The two shortest vectors of many plane lattices.

    Args:
        vv, vw, ww: products of the given vectors v and w, e.g. in A², shape (n,).
        tie: products that differ relatively by less are equal; of equally short vectors those
            that come first from v and w are then taken, whatever the rounding.
        most_steps: steps after which it is left as it is.
    """
    change = np.tile(np.eye(2), (len(vv), 1, 1))
    for _ in range(most_steps):
        swap = ww < vv * (1 - tie)
        vv, ww = np.where(swap, ww, vv), np.where(swap, vv, ww)
        change = np.where(swap[:, None, None], change[:, :, ::-1], change)
        steps = np.where(np.abs(vw) > vv / 2 * (1 + tie), np.rint(vw / vv), 0.0)
        if not (steps.any() or swap.any()):
            break
        change[:, :, 1] -= steps[:, None] * change[:, :, 0]
        ww = ww - 2 * steps * vw + steps**2 * vv
        vw = vw - steps * vv
    return ReducedPlanes(change, vv, vw, ww)


def shortest_plane_vectors(
    vv: np.ndarray, vw: np.ndarray, ww: np.ndarray, tie: float = 0.0
) -> np.ndarray:
    """The two shortest vectors of plane lattices, at no acute angle, as integer matrices.

    Columns of the result (n, 2, 2) are the new vectors in terms of v and w. Its determinant may
    be -1. Arguments are those of :func:`reduce_planes`.
    """
    found = reduce_planes(vv, vw, ww, tie)
    found.change[found.vw > tie * found.vv, :, 1] *= -1
    return found.change


def obtuse_angle_deg(pp: float, pq: float, qq: float) -> float:
    """Angle in degrees, at least 90, of two vectors or their opposites, from their products."""
    return math.degrees(math.acos(-abs(pq) / math.sqrt(pp * qq)))
