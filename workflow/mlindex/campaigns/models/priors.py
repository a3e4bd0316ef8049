"""Past campaigns: what they say of a candidate, and models that trust them as far as they go.

A past campaign is learnt once, by a forest. Its expectation z is the mean of the present scores as
far as the rows measured now agree: target = slope · z + what each model of the portfolio learns of
the rest. The slopes are those of the measured rows, drawn to 0, and 0 where they would be negative:
a campaign that tells nothing of this one leaves the models as they are without it.

Models that know nothing of the past are not asked beside them where a slope is above 0: of rows
that were chosen by the past, they learn where it looked, and their evidence comes from there. Five
pairs of protein screens, plates of 96, four campaigns each: with the past in all models two plates
find 5 % more crystals than with the past in one of four (related pairs 0 to 12 %, the unrelated one
as many), four plates as many (96 to 107 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mlindex.base.extras import needing
from mlindex.campaigns.methods.contract import Past
from mlindex.campaigns.models.contract import Model, Prediction
from mlindex.campaigns.models.forest import Forest
from mlindex.campaigns.models.targets import normal_scores

with needing("planning of experiments", "campaigns"):
    from scipy.optimize import nnls

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
class Trust:
    """Past campaigns, and by which ``slopes`` (past campaigns,) they enter what is expected."""

    pasts: tuple[Past, ...]
    slopes: np.ndarray

    @classmethod
    def learnt(cls, pasts: Sequence[Past], features: np.ndarray, targets: np.ndarray) -> Trust:
        """From rows (n, d) with targets (n,): least squares, drawn to 0 and never below it."""
        if not pasts:
            return cls((), np.empty(0))
        z = np.stack([expectation(past, features) for past in pasts], axis=1)
        known = [np.var(expectation(past, past[0])) for past in pasts]
        drawn = np.diag(np.sqrt(_DOUBT * np.array(known) + 1e-12))
        wanted = np.append(targets - targets.mean(), np.zeros(len(pasts)))
        slopes, _ = nnls(np.vstack([z - z.mean(axis=0), drawn]), wanted)
        return cls(tuple(pasts), slopes)

    def expected(self, features: np.ndarray) -> np.ndarray:
        """What past campaigns add to the targets (m,) expected at features (m, d)."""
        found = np.zeros(len(features))
        for past, slope in zip(self.pasts, self.slopes, strict=True):
            # Those that tell nothing cost nothing.
            if slope > 0:
                found += slope * expectation(past, features)
        return found


@dataclass(frozen=True)
class Corrected:
    """Past campaigns as far as they are trusted, and a model of what differs.

    ``known`` (n,) is what the past campaigns expect of the rows that the model has seen.
    """

    trust: Trust
    difference: Model
    known: np.ndarray

    def predict(self, features: np.ndarray) -> Prediction:
        """What is expected at features (m, d)."""
        found = self.difference.predict(features)
        return Prediction(found.mean + self.trust.expected(features), found.deviation)

    def draws(self, features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws (count, m) of the model, on what the past expects."""
        return self.trust.expected(features) + self.difference.draws(features, count, rng)

    def left_out(self) -> Prediction:
        """Each row as the others predict it, the slopes as they are."""
        found = self.difference.left_out()
        return Prediction(found.mean + self.known, found.deviation)
