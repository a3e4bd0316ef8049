"""Nearest neighbours: the training rows are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlindex.learning.learners.common import features, moments, standard
from mlindex.learning.learners.contract import Kind, Progress, Rows
from mlindex.learning.learners.neighbours import Neighbours


def fit(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Arrays of :class:`.neighbours.Neighbours`; nothing is random."""
    mean, scale = moments(features(rows.x))
    return {
        "mean": mean,
        "scale": scale,
        "rows": np.ascontiguousarray(standard(rows.x, mean, scale).T),
        "y": rows.y.astype(np.int32),
        "weight": rows.weight,
        "n_neighbours": np.array(min(int(parameters["n_neighbours"]), len(rows))),
        "n_classes": np.array(n_classes),
    }


KIND = Kind(
    "neighbours",
    fit,
    Neighbours,
    uses="features",
    needs="",
    parameters={"n_neighbours": 10},
    searched={"n_neighbours": (1, 3, 5, 10, 20, 40)},
)
