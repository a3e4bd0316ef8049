"""The inner loops over candidates, compiled: nearest reflections and weighted least squares.

Shapes: n candidates, p observed lines, r reference reflections, f free reciprocal parameters.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive


@njit(cache=True, nogil=True)
def nearest_reflections(
    x: np.ndarray, design: np.ndarray, q2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n, p, 2) of the reference reflections next to each line, below and above it.

    Args:
        x: free reciprocal parameters (n, f).
        design: H of the reference reflections (r, f), in any order.
        q2: rising observed q² (p,).

    Returns:
        labels (-1 where there is none on that side) and calculated q² (n, p, 2), infinite there.
    """
    n, f = x.shape
    p = q2.shape[0]
    labels = np.full((n, p, 2), -1, dtype=np.int32)
    values = np.empty((n, p, 2))
    low_label = np.empty(p + 1, dtype=np.int32)
    high_label = np.empty(p + 1, dtype=np.int32)
    low = np.empty(p + 1)
    high = np.empty(p + 1)
    for i in range(n):
        # The lines cut q² into p + 1 intervals; of each, only the outermost reflections matter.
        low[:] = np.inf
        high[:] = -np.inf
        for j in range(design.shape[0]):
            value = 0.0
            for t in range(f):
                value += design[j, t] * x[i, t]
            slot = np.searchsorted(q2, value)
            if value < low[slot]:
                low[slot] = value
                low_label[slot] = j
            if value > high[slot]:
                high[slot] = value
                high_label[slot] = j
        best, label = -np.inf, -1
        for k in range(p):
            if high[k] > best:
                best, label = high[k], high_label[k]
            labels[i, k, 0], values[i, k, 0] = label, best
        best, label = np.inf, -1
        for k in range(p - 1, -1, -1):
            if low[k + 1] < best:
                best, label = low[k + 1], low_label[k + 1]
            labels[i, k, 1], values[i, k, 1] = label, best
    return labels, values


@njit(cache=True, nogil=True)
def lines_below(x: np.ndarray, design: np.ndarray, q2_max: float) -> np.ndarray:
    """Reference reflections (n,) with 0 < q² <= q2_max, at least 1, for x (n, f), H (r, f)."""
    n, f = x.shape
    counts = np.empty(n)
    for i in range(n):
        count = 0
        for j in range(design.shape[0]):
            value = 0.0
            for t in range(f):
                value += design[j, t] * x[i, t]
            if 0.0 < value <= q2_max:
                count += 1
        counts[i] = max(count, 1)
    return counts


@njit(cache=True, nogil=True)
def least_squares(
    x: np.ndarray, design: np.ndarray, labels: np.ndarray, q2: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The weighted least-squares solution (n, f) of q² = H x, x itself where it is singular.

    Args:
        x: present parameters (n, f).
        design: H of the reference reflections (r, f).
        labels: assigned reflection of each line (n, p).
        q2: observed q² (p,).
        weights: 1/sigma² of each line (n, p), 0 to leave it out.
    """
    n, f = x.shape
    result = x.copy()
    normal = np.empty((f, f))
    right = np.empty(f)
    for i in range(n):
        normal[:, :] = 0.0
        right[:] = 0.0
        for k in range(q2.shape[0]):
            w = weights[i, k]
            if w == 0.0:
                continue
            row = design[labels[i, k]]
            for s in range(f):
                right[s] += w * row[s] * q2[k]
                for t in range(s + 1):
                    normal[s, t] += w * row[s] * row[t]
        if solve_positive(normal, right):
            result[i] = right
    return result
