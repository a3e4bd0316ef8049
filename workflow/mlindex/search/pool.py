"""The best trials of a search, kept while millions go by."""

from __future__ import annotations

import numpy as np
from numba import njit

#: Trials kept; when full, the worse half is forgotten and the bar rises to the median.
POOL_SIZE = 1 << 12
_KEYS = 1 << 15
#: Trials whose volumes agree to this fraction, with the same lines and number of reflections,
#: are one.
_VOLUME_STEP = 3e-3


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
        self.bar = np.full(1, -np.inf)

    def arrays(self) -> tuple:
        """What the compiled searches take."""
        return self.x6, self.score, self.centring, self.keys, self.count, self.bar

    def best(self, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x6, scores and centring codes of the best, best first."""
        n = int(self.count[0])
        order = np.argsort(-self.score[:n], kind="stable")[:most]
        return self.x6[order], self.score[order], self.centring[order]


@njit(cache=True, nogil=True)
def determinant(x6: np.ndarray) -> float:
    """Of the reciprocal metric, 1/V²."""
    a, b, c = x6[0], x6[1], x6[2]
    d, e, f = x6[3] / 2, x6[4] / 2, x6[5] / 2
    return a * (b * c - d * d) - f * (f * c - d * e) + e * (f * d - b * e)


@njit(cache=True, nogil=True)
def offer(pool: tuple, x6: np.ndarray, score: float, centring: int, mask: int, number: int) -> None:
    """Keep a trial if it is good and new."""
    kept_x6, kept_score, kept_centring, keys, count, bar = pool
    if score <= bar[0]:
        return
    volume = np.int64(np.log(determinant(x6)) / (2 * _VOLUME_STEP))
    key = (mask * 1000003 + number) * 998244353 + volume * 7919 + centring + 1
    slot = key & (keys.shape[0] - 1)
    if keys[slot] == key:
        return
    keys[slot] = key
    n = count[0]
    if n == kept_score.shape[0]:
        bar[0] = np.median(kept_score)
        m = 0
        for i in range(n):
            if kept_score[i] > bar[0]:
                kept_x6[m] = kept_x6[i]
                kept_score[m] = kept_score[i]
                kept_centring[m] = kept_centring[i]
                m += 1
        n = m
        if score <= bar[0]:
            count[0] = n
            return
    kept_x6[n] = x6
    kept_score[n] = score
    kept_centring[n] = centring
    count[0] = n + 1
