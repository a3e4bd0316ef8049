"""Learners that look at no pattern: the largest class, and each class as often as in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlindex.learning.learners.contract import Kind, Progress, Rows
from mlindex.learning.learners.shares import Shares


def fit_majority(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """1 for the class of the largest weight, the first of equals."""
    weights = np.bincount(rows.y, rows.weight, n_classes)
    return {"probability": np.eye(n_classes)[np.argmax(weights)]}


def fit_frequency(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """The share of each class in the weights."""
    weights = np.bincount(rows.y, rows.weight, n_classes)
    return {"probability": weights / weights.sum()}


MAJORITY = Kind("majority", fit_majority, Shares, uses="features", needs="")
FREQUENCY = Kind("frequency", fit_frequency, Shares, uses="features", needs="")
