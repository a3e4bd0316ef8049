"""Replays of a measured table: how much faster than random a method would have been.

The protocol of Liang et al. 2021, npj Comput. Mater. 7, 188: the pool are the distinct conditions
with replicates averaged; a campaign starts with two of them at random and measures one (or a
batch) at a time. The *best* are the highest ceil(5 %) of the pool. After i of n measurements random
has found i / n of them: the enhancement EF(i) is the share found over that, the acceleration
AF(t) random's number of measurements over the method's until the share t is found. Both are of the
mean share over the seeds; intervals are percentiles of resampled seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.methods.contract import Method, Past, Seen

#: EF is the maximum from this measurement on: earlier ones are a matter of single hits.
FIRST_FOR_EF = 10


@dataclass(frozen=True)
class Pool:
    """What was measured of a space.

    ``features`` (n, d) in the unit box, ``scores`` (n,) larger the better, ``groups`` (d,) as in
    :class:`.methods.contract.Seen`, ``best`` (n,) those that are looked for.
    """

    features: np.ndarray
    scores: np.ndarray
    groups: np.ndarray
    best: np.ndarray

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        scores: np.ndarray,
        groups: np.ndarray | None = None,
        best_share: float = 0.05,
    ) -> Pool:
        """From rows of which several may be of one condition: their scores are averaged.

        The order is that of the conditions' first rows. Of equal scores at the border the first
        are among the best.
        """
        features = np.asarray(features, dtype=float)
        _, first, number = np.unique(
            features.round(9), axis=0, return_index=True, return_inverse=True
        )
        means = np.bincount(number.ravel(), scores) / np.bincount(number.ravel())
        order = np.argsort(first)
        means = means[order]
        best = np.zeros(len(means), dtype=bool)
        best[np.argsort(-means, kind="stable")[: int(np.ceil(best_share * len(means)))]] = True
        columns = np.arange(features.shape[1]) if groups is None else np.asarray(groups)
        return cls(features[first[order]], means, columns, best)

    def __len__(self) -> int:
        return len(self.scores)


def replayed(
    pool: Pool,
    method: Method,
    seed: int,
    steps: int,
    starts: int = 2,
    batch: int = 1,
    priors: tuple[Past, ...] = (),
    first: Sequence[int] = (),
) -> np.ndarray:
    """Rows of the pool in the order in which a method measures them, at most ``steps``.

    Args:
        pool: what can be measured.
        method: what chooses.
        seed: of the starts and of the method's chance.
        steps: measurements, starts included; it ends earlier when all the best are found.
        starts: measurements at random before the method is asked.
        batch: measurements at a time.
        priors: past campaigns that the method is told.
        first: rows measured before all, in place of starts at random.
    """
    rng = np.random.default_rng(seed)
    order = list(first) or list(rng.permutation(len(pool))[: min(starts, steps)])
    steps = min(steps, len(pool))
    left = np.setdiff1d(np.arange(len(pool)), order)
    while len(order) < steps and pool.best[order].sum() < pool.best.sum():
        seen = Seen.of(pool.features[order], pool.scores[order], pool.groups, priors=priors)
        count = min(batch, steps - len(order))
        chosen = left[method.propose(seen, pool.features[left], count, rng).chosen]
        order.extend(chosen)
        left = np.setdiff1d(left, chosen)
    return np.array(order, dtype=int)


def found(pool: Pool, order: np.ndarray, steps: int) -> np.ndarray:
    """Share (steps,) of the best that is found after each measurement of a replay."""
    share = np.cumsum(pool.best[order]) / pool.best.sum()
    return np.append(share, np.full(max(0, steps - len(share)), share[-1]))[:steps]


@dataclass(frozen=True)
class Figure:
    """A figure of a method with its 95 % interval; NaN where it is not reached."""

    value: float
    low: float
    high: float


def enhancement(shares: np.ndarray, size: int) -> float:
    """The largest EF from measurement 10 on.

    Args:
        shares: found after each measurement, shape (seeds, steps).
        size: conditions in the pool.
    """
    mean = shares.mean(axis=0)
    random = np.arange(1, len(mean) + 1) / size
    start = min(FIRST_FOR_EF, len(mean)) - 1
    return float((mean / random)[start:].max())


def acceleration(shares: np.ndarray, size: int, share: float) -> float:
    """AF: random's measurements over the method's until a share of the best is found, or NaN."""
    reached = np.flatnonzero(shares.mean(axis=0) >= share - 1e-9)
    return share * size / (reached[0] + 1) if len(reached) else float("nan")


def with_interval(
    shares: np.ndarray, figure: Callable[[np.ndarray], float], resamples: int = 1000
) -> Figure:
    """A figure of shares (seeds, steps) and its interval from resampled seeds."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(shares), size=(resamples, len(shares)))
    values = np.array([figure(shares[draw]) for draw in draws])
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Figure(figure(shares), float(low), float(high))
