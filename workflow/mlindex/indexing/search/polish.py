"""Trials of a search made better: reduced, fitted to the lines, and their small supercells."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive
from mlindex.crystal.walk import Region
from mlindex.indexing.search.kernels import assign


@njit(cache=True, nogil=True)
def reduce_x6(x6: np.ndarray) -> bool:
    """Shorten a primitive reciprocal basis in place, longest vector first; False if no lattice.

    Each vector is shortened by the others, alone and together, until none is; the walk of
    ``explain`` is cheapest when its innermost index counts along the shortest vector.
    """
    g = np.empty((3, 3))
    g[0, 0], g[1, 1], g[2, 2] = x6[0], x6[1], x6[2]
    g[1, 2] = g[2, 1] = x6[3] / 2
    g[0, 2] = g[2, 0] = x6[4] / 2
    g[0, 1] = g[1, 0] = x6[5] / 2
    if not min(g[0, 0], g[1, 1], g[2, 2]) > 0.0:
        return False
    for _ in range(60):
        changed = 0
        for i in range(3):
            for step in range(6):
                shortened = _shorten(g, i, step)
                if shortened < 0:
                    return False
                changed += shortened
        if not changed:
            break
    a, b, c = 0, 1, 2
    if g[b, b] > g[a, a]:
        a, b = b, a
    if g[c, c] > g[b, b]:
        b, c = c, b
    if g[b, b] > g[a, a]:
        a, b = b, a
    x6[0], x6[1], x6[2] = g[a, a], g[b, b], g[c, c]
    x6[3], x6[4], x6[5] = 2 * g[b, c], 2 * g[a, c], 2 * g[a, b]
    return True


@njit(cache=True, nogil=True)
def _shorten(g: np.ndarray, i: int, step: int) -> int:
    """Add to vector i the best multiple of another one (steps 0 and 1) or each of them once, with
    one of four choices of signs, if it gets shorter: 1 if so, 0 if not, -1 if it is no lattice."""
    j, k = (i + 1) % 3, (i + 2) % 3
    n = m = 0.0
    if step == 0:
        n = -np.round(g[i, j] / g[j, j])
    elif step == 1:
        m = -np.round(g[i, k] / g[k, k])
    else:
        n = 1.0 if step & 1 else -1.0
        m = 1.0 if step & 2 else -1.0
    if n == 0.0 and m == 0.0:
        return 0
    new = (
        g[i, i]
        + n * n * g[j, j]
        + m * m * g[k, k]
        + 2 * (n * g[i, j] + m * g[i, k] + n * m * g[j, k])
    )
    if not new < g[i, i] * (1 - 1e-9):
        return 0
    if not new > 0.0:
        return -1
    ij = g[i, j] + n * g[j, j] + m * g[k, j]
    ik = g[i, k] + n * g[j, k] + m * g[k, k]
    g[i, i] = new
    g[i, j] = g[j, i] = ij
    g[i, k] = g[k, i] = ik
    return 1


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
