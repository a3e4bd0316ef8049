"""What models learn in place of scores: their normal scores, or the standardized scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlindex.base.extras import needing

with needing("planning of experiments", "campaigns"):
    from scipy.special import ndtri
    from scipy.stats import rankdata

#: Rows that are told apart by :func:`upper_scores` below the best: so many at least, else the
#: better half. Chosen by replays of the public tables (20 campaigns on each, 12 on the largest):
#: nothing changes where the best are found in 40 steps; on the crossed barrel, where it takes 80
#: and more, half of them are found in 4.6 times fewer steps than at random, not 3.7 (with 40 rows
#: and the better 65 %: 4.2).
_LEAST_APART = 29
#: Scores are classes where there are at most so many different ones for each row; the best class is
#: then all that is learnt, once it has so many rows and such a share of them. Four campaigns on
#: each of five protein screens, plates of 96: 2.40 times as many crystals as at random, with all
#: classes told apart 2.34. Scores of the public tables are no classes but for crystals by vapour
#: diffusion.
_DIFFERENT, _LEAST_BEST, _BEST_SHARE = 0.25, 3, 0.05


class Targets(NamedTuple):
    """Targets (n,) of scores (n,), and pairs ``knots`` that lead back.

    ``knots`` are targets and the scores they stand for, both rising, each score once.
    """

    values: np.ndarray
    knots: tuple[np.ndarray, np.ndarray]

    def scores(self, targets: np.ndarray) -> np.ndarray:
        """Scores that targets stand for; beyond the known ones by the mean slope."""
        known, scores = self.knots
        if len(known) < 2:
            return np.full(np.shape(targets), scores[0])
        inside = np.interp(targets, known, scores)
        slope = (scores[-1] - scores[0]) / (known[-1] - known[0])
        beyond = np.maximum(targets - known[-1], 0) + np.minimum(targets - known[0], 0)
        return inside + slope * beyond


def normal_scores(scores: np.ndarray) -> Targets:
    """Normal quantiles of the mean ranks of scores (Blom 1958)."""
    values = ndtri((rankdata(scores) - 0.375) / (len(scores) + 0.25))
    return _with_knots(values, scores)


def upper_scores(scores: np.ndarray) -> Targets:
    """Normal scores, the worse half of many rows taken for equally bad.

    What is best is looked for: how bad rows differ among themselves tells little of it, but would
    set the length scales all the same. The knot of the equally bad is their mean score.
    """
    targets = normal_scores(scores)
    top = scores == scores.max()
    # Where scores are classes, many rows may be in the best one: they alone teach nothing.
    best = int(np.sum(top))
    if _is_best_class(best, scores):
        return _best_or_not(top, scores)
    apart = best + max(_LEAST_APART, (len(scores) - best) // 2)
    if len(scores) <= apart:
        return targets
    bound = float(np.sort(targets.values)[-apart])
    known, ours = targets.knots
    above = known > bound
    knots = (
        np.append(bound, known[above]),
        np.append(scores[targets.values <= bound].mean(), ours[above]),
    )
    return Targets(np.maximum(targets.values, bound), knots)


def _is_best_class(best: int, scores: np.ndarray) -> bool:
    """Whether scores are classes, of which enough rows but not all are in the best one."""
    different, count = len(np.unique(scores)), len(scores)
    least = max(_LEAST_BEST, _BEST_SHARE * count)
    return 1 < different <= _DIFFERENT * count and best >= least


def _best_or_not(top: np.ndarray, scores: np.ndarray) -> Targets:
    """Two targets, standardized: of the best class, and of all others, at their mean score."""
    values = (top - top.mean()) / top.std()
    knots = np.array([values.min(), values.max()]), np.array([scores[~top].mean(), scores.max()])
    return Targets(values, knots)


def standardized(scores: np.ndarray) -> Targets:
    """Scores less their mean, by their standard deviation (1 where all are equal)."""
    spread = scores.std()
    return _with_knots((scores - scores.mean()) / (spread if spread > 0 else 1.0), scores)


def _with_knots(values: np.ndarray, scores: np.ndarray) -> Targets:
    unique, first = np.unique(scores, return_index=True)
    return Targets(values, (values[first], unique))
