"""Multinomial logistic regression on standardized features, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.learning.learners.common import (
    floats,
    logits_make_sense,
    softmax_rows,
    standard,
    standardizes,
)
from mlindex.learning.learners.contract import Classifier, Inputs


@dataclass(frozen=True)
class Logistic(Classifier):
    """Logits that are linear in the features.

    ``mean``, ``scale`` (m,) standardize the features, ``coefficients`` (m, k) and ``intercept``
    (k,) give the logits; a class without rows has the intercept -inf.
    """

    mean: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray

    what = "logistic regression"

    def sound(self) -> bool:
        """Whether the arrays make one."""
        return (
            standardizes(self.mean, self.scale)
            and logits_make_sense(self.intercept)
            and floats(self.coefficients, len(self.mean), len(self.intercept))
        )

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class (n, k)."""
        x = standard(inputs.x, self.mean, self.scale).astype(float)
        return softmax_rows(x @ self.coefficients + self.intercept)
