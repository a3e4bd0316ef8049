"""Past campaigns: what they say of a candidate, and a model that trusts them as far as they go.

A past campaign is learnt once, by a forest. Its expectation z is the mean of the present scores as
far as the rows measured now agree: target = slope · z + a Gaussian process. The slope is that of
the measured rows, drawn to 0, and 0 where it would be negative: a campaign that tells nothing of
this one leaves the Gaussian process alone. The portfolio then weighs the model by what it predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mlindex.campaigns.methods.contract import Past
from mlindex.campaigns.models.contract import Prediction
from mlindex.campaigns.models.forest import Forest
from mlindex.campaigns.models.gaussian import Gaussian
from mlindex.campaigns.models.targets import normal_scores

#: Rows that the slope is drawn to 0 by, as if so many had been measured that say nothing.
_DOUBT = 3.0


def expectation(past: Past, features: np.ndarray) -> np.ndarray:
    """Normal scores (m,) that a past campaign would expect at features (m, d)."""
    x, y = past
    columns = x.shape[1]
    return _learnt(np.ascontiguousarray(x).tobytes(), y.tobytes(), columns).predict(features).mean


@lru_cache(maxsize=16)
def _learnt(features: bytes, scores: bytes, columns: int) -> Forest:
    rows = np.frombuffer(features).reshape(-1, columns)
    return Forest.learnt(rows, normal_scores(np.frombuffer(scores)).values)


@dataclass(frozen=True)
class Corrected:
    """A past campaign, and a Gaussian process of what differs."""

    past: Past
    slope: float
    difference: Gaussian
    known: np.ndarray

    @classmethod
    def learnt(
        cls,
        past: Past,
        features: np.ndarray,
        targets: np.ndarray,
        groups: np.ndarray,
        noise: float | None = None,
    ) -> Corrected:
        """From a past campaign, and rows (n, d) with targets (n,)."""
        z = expectation(past, features)
        away = z - z.mean()
        known = np.var(expectation(past, past[0]))
        slope = max(0.0, float(away @ targets / (away @ away + _DOUBT * known + 1e-12)))
        rest = Gaussian.learnt(features, targets - slope * z, groups, noise=noise)
        return cls(past, slope, rest, slope * z)

    def predict(self, features: np.ndarray) -> Prediction:
        """What is expected at features (m, d)."""
        found = self.difference.predict(features)
        return Prediction(
            found.mean + self.slope * expectation(self.past, features), found.deviation
        )

    def draws(self, features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws (count, m) of the Gaussian process, on what the past expects."""
        expected = self.slope * expectation(self.past, features)
        return expected + self.difference.draws(features, count, rng)

    def left_out(self) -> Prediction:
        """Each row as the others predict it, the slope as it is."""
        found = self.difference.left_out()
        return Prediction(found.mean + self.known, found.deviation)
