"""Votes of lines for the value of a parameter, counted in bins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.indexing.search.kernels import popcount

#: Bins looked at together: most of them have few votes or none.
_BLOCK = 32


class Votes(NamedTuple):
    """Votes in each bin: a bit mask of the lines that voted, the sum of their places, their number.

    Places are counted in bins; the first and the last element stay empty.
    """

    masks: np.ndarray
    total: np.ndarray
    number: np.ndarray


def room_for(bins: int) -> Votes:
    """Votes in so many bins at most."""
    return Votes(
        np.zeros(bins + 2, dtype=np.int64), np.zeros(bins + 2), np.zeros(bins + 2, dtype=np.int32)
    )


@njit(cache=True, nogil=True, inline="always")
def clear(votes: Votes, bins: int) -> None:
    """Forget the votes in the first so many bins."""
    votes.masks[: bins + 2] = 0
    votes.total[: bins + 2] = 0.0
    votes.number[: bins + 2] = 0


@njit(cache=True, nogil=True, inline="always")
def cast(
    votes: Votes, q2: np.ndarray, bits: np.ndarray, per_bin: float, start: float, bins: int
) -> None:
    """Every line (n,), rising, with its bit votes for the place q² ``per_bin`` + ``start``."""
    n = q2.shape[0]
    for i in range(n):
        m = i if per_bin > 0.0 else n - 1 - i
        place = q2[m] * per_bin + start
        if place < 0.0:
            continue
        if place >= bins:
            break
        # Unsigned: a place is never counted from the end.
        b = np.uint64(int(place) + 1)
        votes.masks[b] |= bits[m]
        votes.total[b] += place
        votes.number[b] += 1


@njit(cache=True, nogil=True)
def take_peak(votes: Votes, bins: int, least: int) -> float:
    """Mean place of the votes in the two neighbouring bins with most lines, which are cleared.

    -1 where there are fewer lines than ``least`` in any.
    """
    masks, total, number = votes
    best, where = least - 1, 0
    for first in range(1, bins + 1, _BLOCK):
        end = min(first + _BLOCK, bins + 1)
        if _most(number[first : end + 1]) <= best:
            continue
        for b in range(first, end):
            if number[b] + number[b + 1] > best:
                lines = popcount(masks[b] | masks[b + 1])
                if lines > best:
                    best, where = lines, b
    if where == 0:
        return -1.0
    place = (total[where] + total[where + 1]) / (number[where] + number[where + 1])
    masks[where] = masks[where + 1] = 0
    total[where] = total[where + 1] = 0.0
    number[where] = number[where + 1] = 0
    return place


@njit(cache=True, nogil=True, inline="always")
def _most(number: np.ndarray) -> int:
    """Most votes in two neighbouring bins."""
    most = 0
    for b in range(number.shape[0] - 1):
        most = max(most, number[b] + number[b + 1])
    return most


@njit(cache=True, nogil=True)
def open_lines(q2: np.ndarray, explained: int) -> tuple[np.ndarray, np.ndarray]:
    """The lines that are not in a bit mask: their q² and their bits."""
    n = 0
    left, bits = np.empty(q2.shape[0]), np.empty(q2.shape[0], dtype=np.int64)
    for m in range(q2.shape[0]):
        if not (explained >> m) & 1:
            left[n], bits[n] = q2[m], np.int64(1) << m
            n += 1
    return left[:n], bits[:n]
