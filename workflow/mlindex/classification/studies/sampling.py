"""Which crystals a learner is shown, and how often: shares of classes made natural, equal or mixed.

Crystals are numbers; ``class_of`` gives the class of each. Nothing here looks beyond the crystals
that it is given: copies stay in the part that they were made in.
"""

from __future__ import annotations

import numpy as np

#: Sum of the differences of shares, halved, up to which counts are called natural: 5 %.
NEAR = 0.05


def natural_counts(
    available: np.ndarray, prior: np.ndarray, most: int, least: int = 0
) -> np.ndarray:
    """How many crystals of each class (k,) to draw for shares as among known structures.

    As many as can be without shares that differ by more than :data:`NEAR`, for the largest classes
    have too few crystals beyond that.

    Args:
        available: crystals of each class (k,).
        prior: share of each class (k,), 0 where there are none.
        most: crystals of all classes, at most.
        least: crystals of each class with a share, at least, where there are so many.
    """
    for total in np.unique(np.geomspace(most, 1, 200).astype(int))[::-1]:
        counts = np.minimum(np.rint(total * prior).astype(int), available)
        if counts.sum() and 0.5 * np.abs(counts / counts.sum() - prior).sum() <= NEAR:
            break
    return np.where(prior > 0, np.maximum(counts, np.minimum(least, available)), 0)


def equal_counts(available: np.ndarray, total: int) -> np.ndarray:
    """How many crystals of each class (k,) to draw for equal shares, ``total`` in all.

    A class with fewer gives all, and the others more.
    """
    counts = np.zeros_like(available)
    for turn in range(int(available.max(initial=0))):
        open_classes = np.flatnonzero(available > turn)
        left = total - int(counts.sum())
        if left <= 0:
            break
        counts[open_classes[:left]] += 1
    return counts


def drawn(
    crystals: np.ndarray, class_of: np.ndarray, counts: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """So many crystals of each class (k,), in rising order, none twice."""
    order = rng.permutation(crystals)
    turn = _turn(class_of[order])
    return np.sort(order[turn < counts[class_of[order]]])


def cut(
    crystals: np.ndarray, class_of: np.ndarray, most: int, rng: np.random.Generator
) -> np.ndarray:
    """At most so many crystals of each class."""
    counts = np.minimum(np.bincount(class_of[crystals]), most)
    return drawn(crystals, class_of, counts, rng)


def raised(
    crystals: np.ndarray, class_of: np.ndarray, to: int, rng: np.random.Generator
) -> np.ndarray:
    """Crystals (copies included) of which each class has ``to`` at least.

    All crystals of a class are copied equally often, but for the last turn.
    """
    parts = [np.asarray(crystals)]
    for one in np.unique(class_of[crystals]):
        own = crystals[class_of[crystals] == one]
        missing = to - len(own)
        if missing > 0:
            turns = [rng.permutation(own) for _ in range(-(-missing // len(own)))]
            parts.append(np.concatenate(turns)[:missing])
    return np.sort(np.concatenate(parts))


def _turn(classes: np.ndarray) -> np.ndarray:
    """The place of each among those of its class (n,), from 0."""
    order = np.argsort(classes, kind="stable")
    ordered = classes[order]
    starts = np.searchsorted(ordered, ordered)
    turn = np.empty(len(classes), dtype=np.int64)
    turn[order] = np.arange(len(classes)) - starts
    return turn


def largest(counts: np.ndarray, number: int = 20) -> np.ndarray:
    """The ``number`` largest classes, but no more than half of those that occur.

    Source 003 speaks of the 20 largest of 230 groups; of 14 lattices that would be all.
    """
    occur = int((counts > 0).sum())
    order = np.lexsort((np.arange(len(counts)), -counts))
    return np.sort(order[: min(number, max(1, occur // 2))])
