"""Comparison of two learners that answered the same lists."""

from __future__ import annotations

from math import comb

import numpy as np


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided probability of so unequal a split of the lists that one of two alone has right.

    The exact binomial form, at even odds (McNemar 1947, Psychometrika 12, 153); 1 without any.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    ways = sum(comb(n, k) for k in range(fewer + 1))
    return min(1.0, 2 * ways / 2**n)


def disagreements(first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    """How many lists only the first has right, and only the second, from right or not (n,)."""
    return int(np.sum(first & ~second)), int(np.sum(second & ~first))
