"""Compiled: non-negative least squares whose columns overlap locally, with a border of others.

The unknowns are the heights of the peaks, which are not negative, and a few parameters of the
border (background, refined parameters), which are free. The normal matrix of the peaks is kept by
rows from the first overlap to the diagonal; Cholesky's factor fills no more than that.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive
from mlindex.wholepattern.kernels import dot

#: Added to the diagonal, relatively: peaks at one place share what is there.
RIDGE = 1e-6
#: Heights and gradients below this, in standard uncertainties, are 0.
_TOLERANCE = 1e-3
_MAX_ROUNDS = 60
#: A peak that no point sees has a height of 0.
_SMALLEST = 1e-300
#: Rounds in which all that is wrong is exchanged without an improvement, before one at a time.
_PATIENCE = 3


@njit(cache=True, nogil=True)
def factor(normal, first, start, chosen):
    """Cholesky's factor of the chosen columns (m,), with their own ``first`` and ``start``.

    Args:
        normal, first, start: the normal matrix (see :func:`kernels.overlaps`).
        chosen: numbers of the columns, rising (m,).
    """
    size = len(chosen)
    inner = np.empty(size, dtype=np.int64)
    begin = np.zeros(size + 1, dtype=np.int64)
    for i in range(size):
        inner[i] = np.searchsorted(chosen, first[chosen[i]])
        begin[i + 1] = begin[i] + i - inner[i] + 1
    lower = np.empty(begin[-1])
    for i in range(size):
        row, low = chosen[i], inner[i]
        for j in range(low, i + 1):
            value = normal[start[row] + chosen[j] - first[row]]
            if i == j:
                value *= 1.0 + RIDGE
            k = max(low, inner[j])
            if k < j:
                value -= dot(
                    lower[begin[i] + k - low : begin[i] + j - low],
                    lower[begin[j] + k - inner[j] : begin[j] + j - inner[j]],
                )
            if i == j:
                # The ridge keeps it positive but for rounding.
                least = RIDGE * normal[start[row] + row - first[row]]
                lower[begin[i] + i - low] = np.sqrt(max(value, least, _SMALLEST))
            else:
                lower[begin[i] + j - low] = value / lower[begin[j] + j - inner[j]]
    return lower, inner, begin


@njit(cache=True, nogil=True)
def forward(lower, inner, begin, right):
    """Solve L u = right (m, r) in place."""
    for i in range(len(inner)):
        for j in range(inner[i], i):
            part = lower[begin[i] + j - inner[i]]
            for r in range(right.shape[1]):
                right[i, r] -= part * right[j, r]
        diagonal = lower[begin[i + 1] - 1]
        for r in range(right.shape[1]):
            right[i, r] /= diagonal


@njit(cache=True, nogil=True)
def backward(lower, inner, begin, right):
    """Solve Lᵀ u = right (m, r) in place."""
    for i in range(len(inner) - 1, -1, -1):
        diagonal = lower[begin[i + 1] - 1]
        for r in range(right.shape[1]):
            right[i, r] /= diagonal
        for j in range(inner[i], i):
            part = lower[begin[i] + j - inner[i]]
            for r in range(right.shape[1]):
                right[j, r] -= part * right[i, r]


@njit(cache=True, nogil=True)
def border_left(solved, border, size):
    """Border (b, b) with what the peaks explain taken off; ``solved`` is L⁻¹ of its cross terms."""
    out = border.copy()
    for i in range(solved.shape[0]):
        for a in range(size):
            for b in range(size):
                out[a, b] -= solved[i, a] * solved[i, b]
    return out


@njit(cache=True, nogil=True)
def _dense(matrix, right):
    """Solution (b,) of a positive matrix (b, b) of the border."""
    size = len(right)
    lower, x = matrix.copy(), right.copy()
    for a in range(size):
        lower[a, a] += 1e-10 * matrix[a, a] + 1e-300
    if not solve_positive(lower, x):
        return np.zeros(size)
    return x


@njit(cache=True, nogil=True)
def _inner_solution(normal, first, start, right, cross, border, right_border, passive):
    """Heights (k,), 0 where not passive, and border parameters (b,) of plain least squares."""
    chosen = np.flatnonzero(passive)
    lower, inner, begin = factor(normal, first, start, chosen)
    size = len(right_border)
    solved = np.empty((len(chosen), size + 1))
    for i in range(len(chosen)):
        for b in range(size):
            solved[i, b] = cross[chosen[i], b]
        solved[i, size] = right[chosen[i]]
    forward(lower, inner, begin, solved)
    left = right_border.copy()
    for i in range(len(chosen)):
        for b in range(size):
            left[b] -= solved[i, b] * solved[i, size]
    beta = _dense(border_left(solved, border, size), left)
    rest = np.empty((len(chosen), 1))
    for i in range(len(chosen)):
        rest[i, 0] = solved[i, size]
        for b in range(size):
            rest[i, 0] -= solved[i, b] * beta[b]
    backward(lower, inner, begin, rest)
    height = np.zeros(len(passive))
    for i in range(len(chosen)):
        height[chosen[i]] = rest[i, 0]
    return height, beta


@njit(cache=True, nogil=True)
def _gradient(normal, first, start, right, cross, height, beta):
    """Minus half the gradient (k,) of the sum of squares."""
    out = right.copy()
    for k in range(len(right)):
        for b in range(len(beta)):
            out[k] -= cross[k, b] * beta[b]
        out[k] -= normal[start[k + 1] - 1] * height[k]
        for j in range(first[k], k):
            part = normal[start[k] + j - first[k]]
            out[k] -= part * height[j]
            out[j] -= part * height[k]
    return out


@njit(cache=True, nogil=True)
def nonnegative(normal, first, start, right, cross, border, right_border, passive):
    """Heights (k,), not negative, and border parameters (b,) of least squares.

    Block principal pivoting (Portugal, Judice & Vicente, Math. Comp. 63 (1994) 625): all that is
    wrong changes sides at once, or the last one only while that doesn't help.

    Args:
        normal, first, start: the peaks' normal matrix (see :func:`kernels.overlaps`).
        right: products of peaks and data (k,).
        cross: products of peaks and border (k, b).
        border, right_border: normal matrix (b, b) and right side (b,) of the border.
        passive: which peaks to begin with (k,); holds those above 0 afterwards.
    """
    scale = np.empty(len(right))
    for k in range(len(right)):
        scale[k] = np.sqrt(max(normal[start[k + 1] - 1], _SMALLEST))
    best, patience = len(right) + 1, _PATIENCE
    height, beta = np.zeros(len(right)), np.zeros(len(right_border))
    wrong = np.empty(len(right), dtype=np.bool_)
    for _ in range(_MAX_ROUNDS):
        height, beta = _inner_solution(
            normal, first, start, right, cross, border, right_border, passive
        )
        gradient = _gradient(normal, first, start, right, cross, height, beta)
        count, last = 0, -1
        for k in range(len(right)):
            if passive[k]:
                wrong[k] = height[k] * scale[k] < -_TOLERANCE
            else:
                wrong[k] = gradient[k] > _TOLERANCE * scale[k]
            if wrong[k]:
                count += 1
                last = k
        if count == 0:
            break
        if count < best:
            best, patience = count, _PATIENCE
        else:
            patience -= 1
        for k in range(len(right)):
            if wrong[k] and (patience >= 0 or k == last):
                passive[k] = not passive[k]
    for k in range(len(right)):
        if not height[k] > 0.0:
            height[k] = 0.0
            passive[k] = False
    return height, beta
