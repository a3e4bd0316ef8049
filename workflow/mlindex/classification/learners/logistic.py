"""Multinomial logistic regression on standardized features, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlindex.classification.learners.common import (
    floats,
    logits_make_sense,
    require,
    softmax_rows,
    standard,
    standardizes,
)
from mlindex.classification.learners.contract import Classifier, Inputs


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

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Logistic:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no logistic regression.
        """
        made = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        sound = (
            standardizes(made.mean, made.scale)
            and logits_make_sense(made.intercept)
            and floats(made.coefficients, len(made.mean), len(made.intercept))
        )
        require(sound, arrays, "logistic regression")
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class (n, k)."""
        x = standard(inputs.x, self.mean, self.scale).astype(float)
        return softmax_rows(x @ self.coefficients + self.intercept)
