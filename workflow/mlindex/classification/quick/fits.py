"""How well lattices of one to four free parameters explain the first lines, tried in milliseconds.

A few lines are given low indices, which fixes the parameters of a lattice. Those with one or two
are tried exhaustively; those with three and four begin with the best zones of two or three, as
lines of a zone explain one another, and with axes that repeated differences show. This is no search
for the cell: the four best trials of each kind are refined, and no more.

No number here was tuned; what a fit is worth is left to the classifier.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.classification.quick.axes import AXES, axes_of, by_axes
from mlindex.classification.quick.lattices import (
    CUBIC,
    HEXAGONAL,
    ORDERS,
    ORTHORHOMBIC,
    TETRAGONAL,
    evidences_of,
    indices,
    refined,
    volume_of,
)
from mlindex.classification.quick.trials import (
    SQUARE,
    TRIANGULAR,
    ZONES,
    copy_to,
    cubic,
    extended,
    uniaxial,
    zones_of,
)

#: Lines that are looked at, and figures of each fit.
N_LINES, N_SPREAD, N_FIGURES = 20, 30, 10
#: Lines may be off by this share of the tolerance where the list is a good one.
_NARROW = 1 / 3
#: Trials of each kind that are refined.
_KEPT = 4
#: Evidence that is so far behind is as good as none.
_NEVER = 60.0


@njit(cache=True)
def _described(pool, kind, free, lines, out):
    """The figures of the best trial, refined, as :func:`quick_fits` lists them."""
    q2, weight, tolerance = lines
    best, chosen = -np.inf, pool[0]
    each, here = np.empty(7), np.empty(7)
    for place in range(len(pool)):
        x = pool[place]
        if x[1] > 0:
            for _ in range(2):
                x = refined(x, free, q2, tolerance)
            narrow = evidences_of(x, kind, lines, _NARROW, -np.inf, here)
            out[9] = narrow if np.isnan(out[9]) else max(out[9], narrow)
            evidence = evidences_of(x, kind, lines, 1.0, -np.inf, here)
            if evidence > best:
                best, chosen = evidence, x
                copy_to(each, here)
    if best == -np.inf:
        return
    hkl = np.zeros(3, dtype=np.int64)
    explained, off = 0.0, 0.0
    for line in range(q2.size):
        if indices(chosen, q2[line], tolerance[line], hkl, False):
            h, k, l = hkl
            explained += weight[line]
            predicted = chosen[0] * h * h + chosen[1] * k * k + chosen[2] * l * l
            predicted += chosen[3] * h * l
            off += weight[line] * ((predicted - q2[line]) / tolerance[line]) ** 2
    count = 4 * np.pi / 3 * q2[-1] ** 1.5 / (volume_of(chosen) * ORDERS[kind])
    centred = max(each[3:6].max(), -_NEVER)
    out[0] = best
    out[1] = explained / weight.sum()
    out[2] = np.log(q2.size / (count + 1))
    for place, centring in enumerate((0, 1, 2, 6)):
        out[3 + place] = max(each[centring] - best, -_NEVER)
    out[7] = max(centred - best, -_NEVER)
    out[8] = 0.5 * np.log(off / max(explained, 1e-9) + 1e-4)


@njit(cache=True)
def _all_fits(every, weights_of_all, tolerances):
    """Figures (5, N_FIGURES) of each kind of lattice by :func:`_described`; NaN where none fits."""
    q2, weight, tolerance = every[:N_LINES], weights_of_all[:N_LINES], tolerances[:N_LINES]
    lines = (q2, weight, tolerance)
    out = np.full((5, N_FIGURES), np.nan)
    free = np.zeros((5, 4, 4))
    free[0, :3, 0] = 1
    free[1, 0, 0] = free[1, 2, 0] = free[1, 1, 1] = 1
    free[2] = free[1]
    free[2, 3, 0] = 1
    for kind in (3, 4):
        for i in range(4):
            free[kind, i, i] = 1
    pools, evidences = np.zeros((5, _KEPT, 4)), np.full((5, _KEPT), -np.inf)
    axes = np.zeros(AXES)
    surprises = axes_of(every, tolerances, axes)
    by_axes(pools, evidences, axes, lines, every, tolerances)
    rectangular, oblique = np.zeros((ZONES, 4)), np.zeros((ZONES, 4))
    if q2.size >= 3:
        zones_of(lines, rectangular, oblique)
    for kind, parameters in enumerate((1, 2, 2, 3, 4)):
        if q2.size <= parameters:
            continue
        pool, weights = pools[kind], evidences[kind]
        if kind == CUBIC:
            cubic(pool, weights, lines)
        elif kind == TETRAGONAL:
            uniaxial(pool, weights, lines, SQUARE, 0.0, kind)
        elif kind == HEXAGONAL:
            uniaxial(pool, weights, lines, TRIANGULAR, 1.0, kind)
        elif kind == ORTHORHOMBIC:
            extended(pool, weights, rectangular, kind, lines)
        else:
            extended(pool, weights, oblique, kind, lines)
        _described(pool, kind, free[kind, :, :parameters].copy(), lines, out[kind])
    return out, surprises


def quick_fits(
    q2: np.ndarray, weight: np.ndarray, tolerance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Figures (5, N_FIGURES) of cubic, tetragonal, hexagonal, orthorhombic, monoclinic lattices.

    And how surprising the most repeated differences of q² are (AXES,), by :func:`axes_of`.

    Of each: evidence of the best fit; share of the lines that it explains; logarithm of lines over
    those expected; evidence with the centrings P, I, F, R and the best face, less the first figure;
    logarithm of the misfit over the tolerance; best evidence where lines may be off by a third.

    Args:
        q2: q² of the lines (n,), rising, in 1/A²; the first :data:`N_LINES` are looked at, for
            differences :data:`N_SPREAD`.
        weight: how much each counts (n,).
        tolerance: how far a line may be off (n,), in 1/A².
    """
    # Copies: for arrays that can't be written to, numba would compile everything once more.
    columns = (np.array(v[:N_SPREAD], dtype=float) for v in (q2, weight, tolerance))
    return _all_fits(*columns)
