"""Batches: candidates one after the other, each as if those before had given what is expected."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlindex.campaigns.models.belief import Belief, Fantasies

#: Candidates that a batch is chosen from: the best by their value alone, so many for each wanted
#: and so many at least. Fantasies of more cost time and change nothing that is chosen.
_FOR_EACH, _AT_LEAST = 8, 500


def chosen_batch(
    belief: Belief,
    fantasies: Callable[[np.ndarray], Fantasies],
    value: Callable[[Belief], np.ndarray],
    count: int,
) -> np.ndarray:
    """Numbers (count,) of candidates, best first.

    A fantasy leaves the means and takes doubt from the neighbourhood: a value that counts doubt
    falls there, and the next of the batch is chosen elsewhere.

    Args:
        belief: of all candidates.
        fantasies: from numbers of candidates to their fantasies.
        value: what measuring each candidate of a belief is worth.
        count: how many, at most as many as there are candidates.
    """
    worth = value(belief)
    if count == 1:
        return np.array([np.argmax(worth)])
    size = min(len(worth), max(_AT_LEAST, _FOR_EACH * count))
    listed = np.sort(np.argsort(-worth, kind="stable")[:size])
    part, imagined = belief.at(listed), fantasies(listed)
    free = np.ones(size, dtype=bool)
    chosen: list[int] = []
    while len(chosen) < count:
        best = int(np.argmax(np.where(free, value(part), -np.inf)))
        free[best] = False
        chosen.append(best)
        imagined.measure(part, best)
    return listed[chosen]
