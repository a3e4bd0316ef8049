"""Small positive definite systems, solved in compiled loops: a call of LAPACK costs more."""

from __future__ import annotations

import numpy as np
from numba import njit

#: A pivot below this fraction of its diagonal element makes a matrix singular.
_SINGULAR = 1e-12


@njit(cache=True, nogil=True)
def cholesky(m: np.ndarray) -> bool:
    """L of m = L Lᵀ in place of the lower triangle; False where m is singular to rounding."""
    size = m.shape[0]
    for s in range(size):
        diagonal = m[s, s]
        for t in range(s + 1):
            total = m[s, t]
            for u in range(t):
                total -= m[s, u] * m[t, u]
            if s == t:
                if not total > _SINGULAR * diagonal:
                    return False
                m[s, s] = np.sqrt(total)
            else:
                m[s, t] = total / m[t, t]
    return True


@njit(cache=True, nogil=True)
def solve_positive(m: np.ndarray, right: np.ndarray) -> bool:
    """Solve m x = right in place of both, from the lower triangle; False where m is singular."""
    if not cholesky(m):
        return False
    size = m.shape[0]
    for s in range(size):
        for t in range(s):
            right[s] -= m[s, t] * right[t]
        right[s] /= m[s, s]
    for s in range(size - 1, -1, -1):
        for t in range(s + 1, size):
            right[s] -= m[t, s] * right[t]
        right[s] /= m[s, s]
    return True


@njit(cache=True, nogil=True)
def solve_pentadiagonal(bands: np.ndarray, right: np.ndarray) -> bool:
    """Solve m x = right in place of both; False where m is not positive definite.

    ``bands`` (3, n) holds m's second, first and main diagonal above, each ending in the last
    column. The steps are those of LAPACK's dpbtf2 and dpbtrs.
    """
    n = len(right)
    for j in range(n):
        if not bands[2, j] > 0:
            return False
        pivot = np.sqrt(bands[2, j])
        bands[2, j] = pivot
        if j + 1 < n:
            bands[1, j + 1] *= 1 / pivot
            bands[2, j + 1] -= bands[1, j + 1] * bands[1, j + 1]
        if j + 2 < n:
            bands[0, j + 2] *= 1 / pivot
            bands[1, j + 2] -= bands[0, j + 2] * bands[1, j + 1]
            bands[2, j + 2] -= bands[0, j + 2] * bands[0, j + 2]
    for j in range(n):
        if j > 1:
            right[j] -= bands[0, j] * right[j - 2]
        if j > 0:
            right[j] -= bands[1, j] * right[j - 1]
        right[j] /= bands[2, j]
    for j in range(n - 1, -1, -1):
        right[j] /= bands[2, j]
        if j > 0:
            right[j - 1] -= bands[1, j] * right[j]
        if j > 1:
            right[j - 2] -= bands[0, j] * right[j]
    return True
