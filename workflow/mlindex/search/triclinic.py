"""Primitive lattices from three lines as reciprocal axes and others as their sums.

Any three observed lines may be the reciprocal axes of a reduced cell, and any line the sum or the
difference of two of them: q²(a* ± b*) = a*² + b*² ± 2a*·b*, so every line proposes a value of
each product. (Ito 1949; the enumeration is that of Conograph's zones without their ranking.)
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.search.kernels import explain, popcount
from mlindex.search.pool import determinant, offer

#: A product may exceed the bound of a reduced basis by this factor, for errors of the lines.
_SLACK = 1.1


@njit(cache=True, nogil=True)
def products(q2: np.ndarray, sums: np.ndarray, tolerance: np.ndarray) -> tuple:
    """For every pair of lines the values of 2|a*·b*| that sums propose: (n, n, m), counts (n, n).

    Zero, where two axes are at right angles, is always among them.
    """
    n, m = q2.shape[0], sums.shape[0]
    values = np.zeros((n, n, m + 1))
    counts = np.zeros((n, n), dtype=np.int64)
    for i in range(n):
        for j in range(i, n):
            c = 1
            for k in range(m):
                v = abs(sums[k] - q2[i] - q2[j])
                if v > _SLACK * q2[i] or v < tolerance[k]:
                    continue
                values[i, j, c] = v
                c += 1
            counts[i, j] = c
    return values, counts


@njit(cache=True, nogil=True)
def search(
    axes: np.ndarray,
    values: np.ndarray,
    counts: np.ndarray,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    most: int,
    det_low: float,
    det_high: float,
    scores: np.ndarray,
    pool: tuple,
    first: int,
    last: int,
) -> None:
    """Try all bases whose longest axis is one of ``axes[first:last]``.

    Args:
        axes: rising q² of the lines that may be axes (n,).
        values, counts: from :func:`products`.
        scores: score of a trial (lines + 1, most + 2) by lines explained and reflections.
        pool: where the best are kept.
    """
    domain = np.array([1, 1, 0])
    x6 = np.empty(6)
    for k in range(first, last):
        for j in range(k + 1):
            for i in range(j + 1):
                x6[0], x6[1], x6[2] = axes[i], axes[j], axes[k]
                for p in range(counts[i, j]):
                    x6[5] = values[i, j, p]
                    for r in range(counts[i, k]):
                        x6[4] = values[i, k, r]
                        for s in range(counts[j, k]):
                            for sign in range(2):
                                x6[3] = values[j, k, s] if sign == 0 else -values[j, k, s]
                                det = determinant(x6)
                                if det < det_low or det > det_high:
                                    continue
                                mask, number = explain(x6, domain, 0, table, scale, q2_max, most)
                                pool[4][1] += 1
                                if number > most:
                                    continue
                                score = scores[popcount(mask), number]
                                if score > pool[5][0]:
                                    offer(pool, x6, score, 0, mask, number)
                                if s == 0:
                                    break
