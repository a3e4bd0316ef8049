"""The compiled part of the figures of merit: all lines of a lattice, and figures of many cells."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.crystal.line_kernels import REACH, lines_up_to, nearest


@njit(cache=True, nogil=True)
def figures(observed: np.ndarray, lines: np.ndarray, floor: float) -> tuple[float, float, float]:
    """de Wolff's M, its reversal, and de Wolff's M over the same range."""
    n = len(observed)
    total, position, first = 0.0, 0, 0
    for i in range(n):
        position = nearest(observed[i], lines, position)
        total += abs(observed[i] - lines[position])
        if i == 0:
            first = position
    mean = total / n + floor
    n_calculated = np.searchsorted(lines, max(observed[-1], lines[position]), side="right")
    m = observed[-1] / (2 * mean * n_calculated) if mean > 0.0 else np.inf
    count = position + 1 - first
    if count < 2:
        return m, 0.0, 0.0
    reversed_total, at = 0.0, 0
    for i in range(first, position + 1):
        at = nearest(lines[i], observed, at)
        reversed_total += abs(lines[i] - observed[at])
    reversed_mean = reversed_total / count + floor
    span = observed[-1] - observed[0]
    m_reversed = span / (2 * reversed_mean * n) if reversed_mean > 0.0 else np.inf
    same_range = lines[position] - lines[first]
    m_range = same_range / (2 * mean * count) if mean > 0.0 else np.inf
    return m, m_reversed, m_range


@njit(cache=True, nogil=True)
def figures_of_each(
    observed: np.ndarray,
    x6: np.ndarray,
    rotations: np.ndarray,
    shifts: np.ndarray,
    floor: float,
    most: int,
) -> np.ndarray:
    """Rows (c, 4) of M, reversed M, M over the same range, number of lines; 0 for no cell."""
    out = np.zeros((len(x6), 4))
    buffer = np.empty(most)
    for c in range(len(x6)):
        kept = lines_up_to(x6[c], rotations, shifts, observed[-1] * REACH, buffer)
        if kept <= 0:
            continue
        lines = buffer[:kept]
        m, m_reversed, m_range = figures(observed, lines, floor)
        last = nearest(observed[-1], lines, 0)
        out[c, 0], out[c, 1], out[c, 2] = m, m_reversed, m_range
        out[c, 3] = np.searchsorted(lines, max(observed[-1], lines[last]), side="right")
    return out
