"""What models learn in place of scores: their normal scores, or the standardized scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlindex.base.extras import needing

with needing("planning of experiments", "campaigns"):
    from scipy.special import ndtri
    from scipy.stats import rankdata


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


def standardized(scores: np.ndarray) -> Targets:
    """Scores less their mean, by their standard deviation (1 where all are equal)."""
    spread = scores.std()
    return _with_knots((scores - scores.mean()) / (spread if spread > 0 else 1.0), scores)


def _with_knots(values: np.ndarray, scores: np.ndarray) -> Targets:
    unique, first = np.unique(scores, return_index=True)
    return Targets(values, (values[first], unique))
