"""The same probabilities for every pattern: what a learner has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlindex.classification.learners.common import features, floats, require
from mlindex.classification.learners.contract import Classifier, Inputs

#: The sum of shares may differ from 1 by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Shares(Classifier):
    """``probability`` (k,) of each class, whatever the pattern."""

    probability: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Shares:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no shares.
        """
        share = arrays["probability"]
        sound = share.size > 0 and floats(share, share.size) and np.all(share >= 0)
        require(bool(sound) and abs(share.sum() - 1) < _ROUNDING, arrays, "shares of classes")
        return cls(share)

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {"probability": self.probability}

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """The shares (n, k), once for each row."""
        return np.tile(self.probability, (len(features(inputs.x)), 1))
