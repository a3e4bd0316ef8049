"""The best trials of a search, kept while millions go by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.indexing.search.kernels import TABLE_CELLS, Kind, Tables, explain, popcount

#: Trials kept; when full, the worse half is forgotten and the threshold rises to the median.
POOL_SIZE = 1 << 12
_KEYS = 1 << 15
#: Trials whose volumes agree to this fraction, with the same lines and number of reflections,
#: are one if the mean of their reflections agrees to this part of the last line's q², too.
_VOLUME_STEP = 3e-3
_MEAN_STEP = 2e-3


class Kept(NamedTuple):
    """The arrays of a pool, see there."""

    x6: np.ndarray
    score: np.ndarray
    centring: np.ndarray
    keys: np.ndarray
    count: np.ndarray
    threshold: np.ndarray


class Pool:
    """Trials of one Bravais lattice: x6 (n, 6), scores (n,), centring codes (n,)."""

    def __init__(self, size: int = POOL_SIZE) -> None:
        self.x6 = np.empty((size, 6))
        self.score = np.empty(size)
        self.centring = np.empty(size, dtype=np.int64)
        self.keys = np.zeros(_KEYS, dtype=np.int64)
        #: Number kept, and trials seen.
        self.count = np.zeros(2, dtype=np.int64)
        #: Trials that score less are not kept.
        self.threshold = np.full(1, -np.inf)

    def arrays(self) -> Kept:
        """What the compiled searches take."""
        return Kept(self.x6, self.score, self.centring, self.keys, self.count, self.threshold)

    def best(self, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x6, scores and centring codes of the best, best first."""
        n = int(self.count[0])
        order = np.argsort(-self.score[:n], kind="stable")[:most]
        return self.x6[order], self.score[order], self.centring[order]


@njit(cache=True, nogil=True)
def determinant(x6: np.ndarray) -> float:
    """Determinant of the reciprocal metric, 1/V²."""
    a, b, c = x6[0], x6[1], x6[2]
    d, e, f = x6[3] / 2, x6[4] / 2, x6[5] / 2
    return a * (b * c - d * d) - f * (f * c - d * e) + e * (f * d - b * e)


@njit(cache=True, nogil=True)
def offer(pool: Kept, x6: np.ndarray, score: float, centring: int, key: int) -> None:
    """Keep a trial if it is good and its key is new."""
    kept_x6, kept_score, kept_centring, keys, count, threshold = pool
    if score <= threshold[0]:
        return
    slot = key & (keys.shape[0] - 1)
    if keys[slot] == key:
        return
    keys[slot] = key
    n = count[0]
    if n == kept_score.shape[0]:
        threshold[0] = np.median(kept_score)
        m = 0
        for i in range(n):
            if kept_score[i] > threshold[0]:
                kept_x6[m] = kept_x6[i]
                kept_score[m] = kept_score[i]
                kept_centring[m] = kept_centring[i]
                m += 1
        n = m
        if score <= threshold[0]:
            count[0] = n
            return
    kept_x6[n] = x6
    kept_score[n] = score
    kept_centring[n] = centring
    count[0] = n + 1


@njit(cache=True, nogil=True)
def key_of(det: float, centring: int, mask: int, number: int, total: int) -> int:
    """A number that trials of one lattice nearly always share, and others almost never.

    Sublattices of one index often have as many reflections as one another: the ``total`` of
    these tells them apart. All from ``explain``, and 1/V².
    """
    volume = np.int64(np.log(det) / (2 * _VOLUME_STEP))
    mean = np.int64(total / (number * TABLE_CELLS * _MEAN_STEP))
    return ((mask * 1000003 + number) * 998244353 + volume * 7919 + centring + 1) * 1013 + mean


@njit(cache=True, nogil=True, inline="always")
def consider(x6: np.ndarray, det: float, kind: Kind, tables: Tables, pool: Kept) -> None:
    """Explain the lines with a trial whose 1/V² is ``det``, score it and offer it."""
    if det < kind.det_low or det > kind.det_high:
        return
    mask, number, total = explain(x6, kind, tables)
    pool.count[1] += 1
    if not 0 < number <= tables.most:
        return
    score = tables.scores[popcount(mask), number]
    if score > pool.threshold[0]:
        offer(pool, x6, score, kind.centring, key_of(det, kind.centring, mask, number, total))
