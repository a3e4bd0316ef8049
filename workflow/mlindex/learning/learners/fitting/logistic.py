"""Fit of the logistic regression, by scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from mlindex.learning.learners.common import moments, standard
from mlindex.learning.learners.contract import Kind, Progress, Rows
from mlindex.learning.learners.logistic import Logistic


def fit(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Arrays of :class:`.logistic.Logistic`; its one minimum needs no seed."""
    mean, scale = moments(rows.x)
    present = np.unique(rows.y)
    coefficients = np.zeros((len(mean), n_classes))
    intercept = np.full(n_classes, -np.inf)
    intercept[present] = 0.0
    if len(present) > 1:
        model = regression(parameters)
        x = standard(rows.x, mean, scale).astype(float)
        model.fit(x, rows.y, sample_weight=rows.weight)
        # Of two classes scikit-learn keeps the logit of the second alone.
        told = present[-len(model.intercept_) :]
        coefficients[:, told], intercept[told] = model.coef_.T, model.intercept_
    return {"mean": mean, "scale": scale, "coefficients": coefficients, "intercept": intercept}


def regression(parameters: Mapping[str, Any]) -> LogisticRegression:
    """The estimator, not yet fitted."""
    return LogisticRegression(C=1 / parameters["l2"], max_iter=parameters["iterations"])


KIND = Kind(
    "logistic",
    fit,
    Logistic,
    uses="features",
    needs="scikit-learn",
    parameters={"l2": 1.0, "iterations": 1000},
    searched={"l2": (0.01, 0.1, 1.0, 10.0, 100.0)},
)
