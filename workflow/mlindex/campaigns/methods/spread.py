"""Methods without a model that spread over the space: diversity, Latin hypercube, Sobol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlindex.base.extras import needing
from mlindex.campaigns.methods.chance import without_model
from mlindex.campaigns.methods.contract import Proposals, Seen
from mlindex.campaigns.methods.options import DEFAULTS, Options


def scaled(features: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Features such that each group of columns counts as one: by the root of its width."""
    _, number, width = np.unique(groups, return_inverse=True, return_counts=True)
    return features / np.sqrt(width[number])


def farthest(taken: np.ndarray, candidates: np.ndarray, count: int, first: int) -> np.ndarray:
    """Candidates (count,) each farthest from all taken and chosen before (Kennard & Stone 1969).

    Args:
        taken: (n, d).
        candidates: (m, d).
        count: how many.
        first: the one to begin with where nothing is taken.
    """
    apart = np.full(len(candidates), np.inf)
    for row in taken:
        np.minimum(apart, ((candidates - row) ** 2).sum(axis=1), out=apart)
    chosen: list[int] = []
    while len(chosen) < min(count, len(candidates)):
        one = int(np.argmax(apart)) if len(taken) or chosen else first
        chosen.append(one)
        np.minimum(apart, ((candidates - candidates[one]) ** 2).sum(axis=1), out=apart)
        apart[chosen] = -1.0
    return np.array(chosen, dtype=int)


@dataclass(frozen=True)
class Diversity:
    """The candidates farthest from everything measured, pending or failed."""

    options: Options = DEFAULTS

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """Each the farthest from all before."""
        taken = np.vstack([seen.features, seen.pending, seen.failed])
        first = int(rng.integers(max(1, len(candidates))))
        rows = (scaled(taken, seen.groups), scaled(candidates, seen.groups))
        return without_model(farthest(*rows, count, first), "far from all that was measured")

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """The distance (m,) from the nearest row."""
        taken = scaled(np.vstack([seen.features, seen.pending, seen.failed]), seen.groups)
        rows = scaled(candidates, seen.groups)
        apart = np.full(len(rows), np.inf if len(taken) else 0.0)
        for row in taken:
            np.minimum(apart, ((rows - row) ** 2).sum(axis=1), out=apart)
        return np.sqrt(apart)


@dataclass(frozen=True)
class Design:
    """The candidates nearest to the points of a design, from ``points`` (count, columns, rng)."""

    points: Callable[[int, int, np.random.Generator], np.ndarray]
    why: str
    options: Options = DEFAULTS

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """The nearest candidate, not yet chosen, to each point."""
        count = min(count, len(candidates))
        left = np.ones(len(candidates), dtype=bool)
        chosen = []
        for point in self.points(count, candidates.shape[1], rng):
            apart = ((candidates - point) ** 2).sum(axis=1)
            chosen.append(int(np.argmin(np.where(left, apart, np.inf))))
            left[chosen[-1]] = False
        return without_model(np.array(chosen, dtype=int), self.why)

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """Zero for all."""
        return np.zeros(len(candidates))


def latin_hypercube(options: Options) -> Design:
    """A Latin hypercube: each column covered evenly (McKay 1979)."""

    def points(count: int, columns: int, rng: np.random.Generator) -> np.ndarray:
        cells = rng.permuted(np.tile(np.arange(count), (columns, 1)), axis=1).T
        return (cells + rng.random((count, columns))) / max(1, count)

    return Design(points, "a point of a Latin hypercube", options)


def sobol(options: Options) -> Design:
    """A scrambled Sobol sequence (Owen 1998).

    Raises:
        MlindexError: scipy is not installed.
    """
    with needing("the method sobol", "campaigns"):
        from scipy.stats import qmc

    def points(count: int, columns: int, rng: np.random.Generator) -> np.ndarray:
        size = max(0, int(np.ceil(np.log2(max(1, count)))))
        return qmc.Sobol(columns, rng=rng).random_base2(size)[:count]

    return Design(points, "a point of a Sobol sequence", options)
