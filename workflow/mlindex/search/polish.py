"""Trials of a search made better: reduced, fitted to the lines, and their small supercells."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.search.zones import solve_positive


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
    for _ in range(60):
        changed = False
        for i in range(3):
            for step in range(6):
                # Add the best multiple of one of the other vectors, or each of them once.
                j, k = (i + 1) % 3, (i + 2) % 3
                if step == 0:
                    n, m = -np.round(g[i, j] / g[j, j]), 0.0
                elif step == 1:
                    n, m = 0.0, -np.round(g[i, k] / g[k, k])
                else:
                    n = 1.0 if step & 1 else -1.0
                    m = 1.0 if step & 2 else -1.0
                if n == 0.0 and m == 0.0:
                    continue
                new = (
                    g[i, i]
                    + n * n * g[j, j]
                    + m * m * g[k, k]
                    + 2 * (n * g[i, j] + m * g[i, k] + n * m * g[j, k])
                )
                if new < g[i, i] * (1 - 1e-9):
                    if not new > 0.0:
                        return False
                    ij = g[i, j] + n * g[j, j] + m * g[k, j]
                    ik = g[i, k] + n * g[j, k] + m * g[k, k]
                    g[i, i] = new
                    g[i, j] = g[j, i] = ij
                    g[i, k] = g[k, i] = ik
                    changed = True
        if not changed:
            break
    order = np.argsort(np.array([-g[0, 0], -g[1, 1], -g[2, 2]]))
    a, b, c = order[0], order[1], order[2]
    x6[0], x6[1], x6[2] = g[a, a], g[b, b], g[c, c]
    x6[3], x6[4], x6[5] = 2 * g[b, c], 2 * g[a, c], 2 * g[a, b]
    return True


@njit(cache=True, nogil=True)
def _assign(
    x6: np.ndarray,
    q2: np.ndarray,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    hkl: np.ndarray,
    far: np.ndarray,
) -> None:
    """The nearest reflection of a triclinic lattice to every line: ``hkl`` (n, 3), ``far`` (n,)."""
    A, B, C, D, E, F = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    far[:] = np.inf
    b = B - D * D / (4 * C)
    f = F - D * E / (2 * C)
    a = A - E * E / (4 * C) - f * f / (4 * b)
    if not (b > 0.0 and a > 0.0):
        return
    for h in range(int(np.sqrt(q2_max / a)) + 1):
        rest_h = max(q2_max - a * h * h, 0.0)
        k_mid, k_half = -f * h / (2 * b), np.sqrt(rest_h / b)
        k_low = int(np.ceil(k_mid - k_half)) if h > 0 else 0
        for k in range(k_low, int(np.floor(k_mid + k_half)) + 1):
            rest = max(rest_h - b * (k - k_mid) ** 2, 0.0)
            l_mid, l_half = -(D * k + E * h) / (2 * C), np.sqrt(rest / C)
            l_low = int(np.ceil(l_mid - l_half)) if h > 0 or k > 0 else 1
            for l in range(l_low, int(np.floor(l_mid + l_half)) + 1):
                value = A * h * h + B * k * k + C * l * l + D * k * l + E * h * l + F * h * k
                place = int(value * scale + 0.5)
                mask = table[place] if place < table.shape[0] else 0
                line = 0
                while mask:
                    if mask & 1 and abs(q2[line] - value) < abs(far[line]):
                        far[line] = q2[line] - value
                        hkl[line, 0], hkl[line, 1], hkl[line, 2] = h, k, l
                    mask >>= 1
                    line += 1


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
    _assign(x6, q2, table, scale, q2_max, hkl, far)
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
            for t in range(6):
                normal[s, t] += w * row[s] * row[t]
    if solve_positive(normal, right):
        for t in range(6):
            x6[t] += right[t]
