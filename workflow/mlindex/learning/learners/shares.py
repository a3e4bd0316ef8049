"""The same probabilities for every pattern: what a learner has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.learning.learners.common import features, floats
from mlindex.learning.learners.contract import Classifier, Inputs

#: The sum of shares may differ from 1 by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Shares(Classifier):
    """``probability`` (k,) of each class, whatever the pattern."""

    probability: np.ndarray

    what = "shares of classes"

    def sound(self) -> bool:
        """Whether they are shares."""
        share = self.probability
        numbers = share.size > 0 and floats(share, share.size) and np.all(share >= 0)
        return bool(numbers) and bool(abs(share.sum() - 1) < _ROUNDING)

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """The shares (n, k), once for each row."""
        return np.tile(self.probability, (len(features(inputs.x)), 1))
