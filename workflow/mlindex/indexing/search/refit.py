"""Least squares on the lines that a trial explains, for all trials of a pool."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.walk import Region
from mlindex.indexing.search.kernels import (
    Tables,
    assign,
    design_row,
    explain,
    line_table,
    popcount,
)
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.walked import walk_of

#: Windows within which a line draws a trial, which so few lines proposed, step by step.
_REACH = (2.0, 1.5)
#: Windows of the table: a little more, since its cells are coarse.
_TABLE = 2.2


def refit(lines: Lines, system: LatticeSystem, pool: Pool) -> None:
    """Fit the free parameters and score again, in place; what gets worse stays as it was."""
    n = int(pool.count[0])
    wide, _ = line_table(lines.q2, _TABLE * lines.window, lines.q2_max)
    _refit(
        pool.x6[:n],
        pool.score[:n],
        pool.centring[:n],
        lines.q2,
        lines.window,
        wide,
        walk_of(system).matrix,
        np.array(walk_of(system).domain),
        lines.tables,
        np.array(_REACH),
    )


@njit(cache=True, nogil=True)
def _fit(
    x6: np.ndarray,
    basis: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    hkl: np.ndarray,
    far: np.ndarray,
    reach: float,
) -> bool:
    """Least squares in place over the lines nearer than reach; whether it could be done."""
    f = basis.shape[0]
    normal, right, row = np.zeros((f, f)), np.zeros(f), np.empty(f)
    used = 0
    for line in range(q2.shape[0]):
        off = abs(far[line]) / window[line]
        if off >= reach:
            continue
        used += 1
        # Far lines count less: they may be another's.
        weight = 1.0 / (window[line] ** 2 * (1.0 + off**2))
        design_row(basis, hkl[line], row)
        for p in range(f):
            right[p] += weight * row[p] * q2[line]
            for s in range(p + 1):
                normal[p, s] += weight * row[p] * row[s]
    if used <= f or not solve_positive(normal, right):
        return False
    x6[:] = 0.0
    for p in range(f):
        for u in range(6):
            x6[u] += right[p] * basis[p, u]
    return True


@njit(cache=True, nogil=True)
def _refit(
    x6s: np.ndarray,
    kept_scores: np.ndarray,
    centrings: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    wide: np.ndarray,
    basis: np.ndarray,
    domain: np.ndarray,
    tables: Tables,
    reaches: np.ndarray,
) -> None:
    far, hkl = np.empty(q2.shape[0]), np.zeros((q2.shape[0], 3), dtype=np.int64)
    trial = np.empty(6)
    for t in range(x6s.shape[0]):
        trial[:] = x6s[t]
        region = Region(domain[0], domain[1], domain[2], centrings[t])
        for reach in reaches:
            assign(trial, region, q2, wide, tables.scale, tables.q2_max, hkl, far)
            if not _fit(trial, basis, q2, window, hkl, far, reach):
                break
            mask, number, _ = explain(trial, region, tables)
            if number > tables.most:
                break
            score = tables.scores[popcount(mask), number]
            if score > kept_scores[t]:
                kept_scores[t] = score
                x6s[t] = trial
