"""Which items of a pool to label and learn from next, and whether choosing them pays.

A learner names its pool: what is known of an item before it is labelled, what a label costs, and
how to learn from some of them. The methods of campaigns choose; the score of an item that they see
is how wrong a learner was about it that had not seen it, so that what is expected to be learnt
from most is labelled next. Random choice stands beside each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.campaigns.methods import method
from mlindex.campaigns.methods.contract import Seen
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.settings import ActiveLearning
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.learning.pool import Pool

RANDOM = "random"
#: Wraps the curves, to show how far they are.
Progress = Callable[[Iterable], Iterable]
_RESAMPLES, _ENDS = 2000, (0.025, 0.975)


class Step(NamedTuple):
    """One round of a learning curve: a row of ACTIVE_LEARNING."""

    method: str
    repeat: int
    items: int
    cost: float
    accuracy: float
    log_loss: float


def learning_curves(
    pool: Pool, settings: ActiveLearning, seed: int, progress: Progress = iter
) -> pd.DataFrame:
    """Learning curves of random choice and of each method: rows of ACTIVE_LEARNING.

    In one repeat all begin with the same items.

    Args:
        pool: the items.
        settings: methods, first items, batch, rounds and repeats.
        seed: of the first items and of what the methods draw.
        progress: wraps the curves.

    Raises:
        MlindexError: the pool has too few items for any choice.
    """
    if len(pool.cost) <= settings.first:
        raise MlindexError(
            f"{len(pool.cost)} items to choose from, and {settings.first} are labelled to begin "
            "with: nothing is left to choose; lower active_learning.first or give more"
        )
    names = dict.fromkeys((RANDOM, *settings.methods))
    asked = [(name, repeat) for repeat in range(1, settings.repeats + 1) for name in names]
    steps = [step for one in progress(asked) for step in _curve(pool, *one, settings, seed)]
    return pd.DataFrame(steps, columns=ACTIVE_LEARNING.names)


def _curve(
    pool: Pool, name: str, repeat: int, settings: ActiveLearning, seed: int
) -> Iterator[Step]:
    start = np.random.default_rng(derive_seed(seed, "first", repeat))
    rng = np.random.default_rng(derive_seed(seed, name, repeat))
    # A forest: a Gaussian process would take minutes with thousands of items.
    choosing = method(name, Options(model="forest", scores="raw"))
    labelled = np.sort(start.permutation(len(pool.cost))[: settings.first])
    for round_ in range(settings.rounds + 1):
        learnt = pool.learn(labelled, derive_seed(seed, "fit", repeat, round_))
        cost = float(pool.cost[labelled].sum())
        yield Step(name, repeat, len(labelled), cost, learnt.accuracy, learnt.log_loss)
        left = np.setdiff1d(np.arange(len(pool.cost)), labelled)
        if not len(left):
            return
        seen = Seen.of(pool.features[labelled], learnt.loss, pool.groups)
        chosen = choosing.propose(seen, pool.features[left], settings.batch, rng).chosen
        labelled = np.sort(np.concatenate([labelled, left[chosen]]))


def worths(curves: pd.DataFrame, seed: int) -> pd.DataFrame:
    """What an item that a method chose is worth, in items at random: rows of ACTIVE_WORTH.

    Costs beyond those of the first items are compared at the lowest log-loss that both reach in the
    mean of the repeats. 1: choosing changes nothing; 0: all that was chosen is no better than the
    first items alone. Intervals are of draws of whole repeats.

    Args:
        curves: rows of ACTIVE_LEARNING.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    repeats = curves["repeat"].nunique()
    draws = rng.integers(repeats, size=(_RESAMPLES, repeats))
    cost, loss = (_by_repeat(curves, column) for column in ("cost", "log_loss"))
    rows = []
    for name in (name for name in cost if name != RANDOM):
        both = [values[which] for which in (name, RANDOM) for values in (cost, loss)]
        worth = _worth(*(one.mean(axis=0) for one in both))
        of_draws = [_worth(*(one[draw].mean(axis=0) for one in both)) for draw in draws]
        rows.append((name, repeats, worth, *np.quantile(of_draws, _ENDS)))
    return pd.DataFrame(rows, columns=ACTIVE_WORTH.names)


def _by_repeat(curves: pd.DataFrame, column: str) -> dict[str, np.ndarray]:
    """The values (repeats, rounds) of each method."""
    return {
        name: np.stack([one[column].to_numpy() for _, one in own.groupby("repeat")])
        for name, own in curves.groupby("method", sort=False)
    }


def _worth(
    cost: np.ndarray, loss: np.ndarray, random_cost: np.ndarray, random_loss: np.ndarray
) -> float:
    """Cost of random choice over a method's, without that of the first items, where both have come
    to the same log-loss; a method has taken one round at least."""
    best, of_random = np.minimum.accumulate(loss), np.minimum.accumulate(random_loss)
    level = max(best[-1], of_random[-1])
    needed, by_random = (
        np.interp(-level, -curve, spent)
        for curve, spent in ((best, cost), (of_random, random_cost))
    )
    rounds = cost[1:]
    if not len(rounds):
        return 1.0
    return float((by_random - random_cost[0]) / (max(needed, rounds[0]) - cost[0]))
