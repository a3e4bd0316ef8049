"""Refinement of triclinic trials on the lines near them."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive
from mlindex.crystal.walk import Region
from mlindex.indexing.search.kernels import assign


@njit(cache=True, nogil=True)
def fit(
    x6: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    hkl: np.ndarray,
    far: np.ndarray,
) -> None:
    """One least-squares step of a triclinic lattice on the lines near it in ``table``, in place.

    A small pull towards the lattice as it was keeps what the lines leave open.
    """
    assign(x6, Region(1, 1, 0, 0), q2, table, scale, q2_max, hkl, far)
    normal = np.zeros((6, 6))
    right = np.zeros(6)
    row = np.empty(6)
    for t in range(6):
        normal[t, t] = 1e-2
    for m in range(q2.shape[0]):
        if far[m] == np.inf:
            continue
        h, k, l = hkl[m, 0], hkl[m, 1], hkl[m, 2]
        row[0], row[1], row[2], row[3], row[4], row[5] = h * h, k * k, l * l, k * l, h * l, h * k
        w = (window[0] / window[m]) ** 2
        for s in range(6):
            right[s] += w * row[s] * far[m]
            for t in range(s + 1):
                normal[s, t] += w * row[s] * row[t]
    if solve_positive(normal, right):
        for t in range(6):
            x6[t] += right[t]
