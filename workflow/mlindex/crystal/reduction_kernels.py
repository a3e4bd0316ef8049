"""Compiled: reduction of a plane lattice and of a basis in space, within searches.

The plain twins are in :mod:`mlindex.crystal.plane` and :mod:`mlindex.crystal.reduced`. They differ
in what they start from (a quadratic form, six reciprocal parameters, vectors), in the order of
axes and in how much shorter is shorter; each keeps its own arithmetic, so that searches and
generated crystals stay the same to the last bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Rounds after which a reduction in a plane, in space of a form and of vectors is given up. True
#: lattices take fewer than ten; what does not end is no lattice.
_PLANE_ROUNDS, _FORM_ROUNDS, _BASIS_ROUNDS = 50, 60, 50
#: Relative gain in squared length below which a vector of a form counts as not shortened.
_GAIN_REL = 1e-9
#: The same in A² for vectors in A.
_GAIN_A2 = 1e-9


@njit(cache=True, nogil=True)
def reduce_form(A: float, B: float, X: float) -> tuple[float, float, float]:
    """Gauss-reduced form: 0 <= X <= A <= B. (0, 0, 0) where it is not positive definite."""
    for _ in range(_PLANE_ROUNDS):
        if A > B:
            A, B = B, A
        if not A > 0.0:
            return 0.0, 0.0, 0.0
        n = np.round(X / (2 * A))
        if n == 0.0:
            return A, B, abs(X)
        B = B - n * X + n * n * A
        X = X - 2 * n * A
    return 0.0, 0.0, 0.0


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
    for _ in range(_FORM_ROUNDS):
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
    if not new < g[i, i] * (1 - _GAIN_REL):
        return 0
    if not new > 0.0:
        return -1
    ij = g[i, j] + n * g[j, j] + m * g[k, j]
    ik = g[i, k] + n * g[j, k] + m * g[k, k]
    g[i, i] = new
    g[i, j] = g[j, i] = ij
    g[i, k] = g[k, i] = ik
    return 1


@njit(cache=True)
def reduced_basis(basis: np.ndarray) -> np.ndarray:
    """Rows (3, 3) of a short basis of the same lattice: no row is shortened by another."""
    out = basis.copy()
    for _ in range(_BASIS_ROUNDS):
        changed = False
        for i in range(3):
            for j in range(3):
                if i == j:
                    continue
                n = np.round(np.dot(out[i], out[j]) / np.dot(out[j], out[j]))
                if n != 0:
                    longer = out[i] - n * out[j]
                    if np.dot(longer, longer) < np.dot(out[i], out[i]) - _GAIN_A2:
                        out[i] = longer
                        changed = True
        if not changed:
            break
    return out
