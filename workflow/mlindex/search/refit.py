"""Least squares on the lines that a trial explains, for all trials of a pool."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.lattice import LatticeSystem
from mlindex.search.kernels import Kind, Tables, explain, popcount
from mlindex.search.lines import Lines
from mlindex.search.pool import Pool, determinant

#: Windows within which a line draws a trial, which so few lines proposed, step by step.
_REACH = (2.0, 1.5)


def refit(lines: Lines, system: LatticeSystem, pool: Pool) -> None:
    """Fit the free parameters and score again, in place; what gets worse stays as it was."""
    n = int(pool.count[0])
    _refit(
        pool.x6[:n],
        pool.score[:n],
        pool.centring[:n],
        lines.q2,
        lines.window,
        system.walked_matrix,
        np.array(system.domain),
        lines.tables,
        np.array(_REACH),
    )


@njit(cache=True, nogil=True)
def present(h: int, k: int, l: int, centring: int) -> bool:
    """Whether a centring, by its code in ``CENTRING_CODES``, leaves the reflection."""
    if centring == 1:
        return (k + l) % 2 == 0
    if centring == 2:
        return (h + l) % 2 == 0
    if centring == 3:
        return (h + k) % 2 == 0
    if centring == 4:
        return (h + k + l) % 2 == 0
    if centring == 5:
        return (h + k) % 2 == 0 and (h + l) % 2 == 0
    if centring == 6:
        return (-h + k + l) % 3 == 0
    return True


@njit(cache=True, nogil=True)
def _nearest(
    x6: np.ndarray,
    centring: int,
    domain: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    q2_max: float,
    best: np.ndarray,
    terms: np.ndarray,
) -> None:
    """Each line's nearest reflection: how far in windows, if less than ``best`` (n,) is now, and
    its quadratic terms (n, 6)."""
    det = determinant(x6)
    h_max = int(np.sqrt(q2_max * (x6[1] * x6[2] - x6[3] ** 2 / 4) / det))
    k_max = int(np.sqrt(q2_max * (x6[0] * x6[2] - x6[4] ** 2 / 4) / det))
    l_max = int(np.sqrt(q2_max * (x6[0] * x6[1] - x6[5] ** 2 / 4) / det))
    for h in range(h_max + 1):
        for k in range(-k_max if domain[0] else 0, k_max + 1):
            for l in range(-l_max if domain[1] else 0, l_max + 1):
                value = x6[0] * h * h + x6[1] * k * k + x6[2] * l * l
                value += x6[3] * k * l + x6[4] * h * l + x6[5] * h * k
                if value > q2_max or not present(h, k, l, centring):
                    continue
                place = np.searchsorted(q2, value)
                for line in range(max(place - 1, 0), min(place + 1, q2.shape[0])):
                    off = abs(q2[line] - value) / window[line]
                    if off < best[line]:
                        best[line] = off
                        terms[line, 0], terms[line, 1], terms[line, 2] = h * h, k * k, l * l
                        terms[line, 3], terms[line, 4], terms[line, 5] = k * l, h * l, h * k


@njit(cache=True, nogil=True)
def _fit(
    x6: np.ndarray,
    basis: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    best: np.ndarray,
    terms: np.ndarray,
    reach: float,
) -> bool:
    """Least squares in place over the lines nearer than reach; whether it could be done."""
    f = basis.shape[0]
    normal, right, row = np.zeros((f, f)), np.zeros(f), np.empty(f)
    used = 0
    for line in range(q2.shape[0]):
        if best[line] >= reach:
            continue
        used += 1
        # Far lines count less: they may be another's.
        weight = 1.0 / (window[line] ** 2 * (1.0 + best[line] ** 2))
        row[:] = 0.0
        for p in range(f):
            for u in range(6):
                row[p] += basis[p, u] * terms[line, u]
        for p in range(f):
            right[p] += weight * row[p] * q2[line]
            for s in range(f):
                normal[p, s] += weight * row[p] * row[s]
    size = 1.0
    for p in range(f):
        size *= normal[p, p]
    if used <= f or not abs(np.linalg.det(normal)) > 1e-9 * size:
        return False
    solved = np.linalg.solve(normal, right)
    x6[:] = 0.0
    for p in range(f):
        for u in range(6):
            x6[u] += solved[p] * basis[p, u]
    return True


@njit(cache=True, nogil=True)
def _refit(
    x6s: np.ndarray,
    kept_scores: np.ndarray,
    centrings: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    basis: np.ndarray,
    domain: np.ndarray,
    tables: Tables,
    reaches: np.ndarray,
) -> None:
    best = np.empty(q2.shape[0])
    terms = np.zeros((q2.shape[0], 6))
    trial = np.empty(6)
    for t in range(x6s.shape[0]):
        trial[:] = x6s[t]
        for reach in reaches:
            best[:] = reach
            _nearest(trial, centrings[t], domain, q2, window, tables.q2_max, best, terms)
            if not _fit(trial, basis, q2, window, best, terms, reach):
                break
            mask, number, _ = explain(
                trial, Kind(domain[0], domain[1], domain[2], centrings[t], 0.0, np.inf), tables
            )
            if number > tables.most:
                break
            score = tables.scores[popcount(mask), number]
            if score > kept_scores[t]:
                kept_scores[t] = score
                x6s[t] = trial
