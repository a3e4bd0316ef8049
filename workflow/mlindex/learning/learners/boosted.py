"""Boosted trees that classify patterns; no scikit-learn needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlindex.learning.boosting import Boosting
from mlindex.learning.learners.common import features, logits_make_sense, require
from mlindex.learning.learners.contract import Classifier, Inputs


@dataclass(frozen=True)
class Boosted(Classifier):
    """``trees`` that take ``n_features`` features; a class without rows begins with -inf."""

    trees: Boosting
    n_features: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Boosted:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no boosted trees.
        """
        made = cls(Boosting.from_arrays(arrays), arrays["n_features"])
        number = made.n_features
        single = number.shape == () and np.issubdtype(number.dtype, np.integer)
        sound = single and made.trees.feature.max(initial=-1) < number
        require(bool(sound) and logits_make_sense(made.trees.baseline), arrays, "boosted trees")
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return self.trees.arrays() | {"n_features": self.n_features}

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class (n, k)."""
        return self.trees.predict_proba(features(inputs.x, int(self.n_features)))
