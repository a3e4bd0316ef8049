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
