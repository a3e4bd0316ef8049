"""Fit of boosted trees, by scikit-learn's histogram gradient boosting.

Ke et al. 2017, LightGBM, Adv. Neural Inf. Process. Syst. 30, 3146.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from mlindex.base.provenance import derive_seed
from mlindex.learning.learners.boosted import Boosted
from mlindex.learning.learners.common import features
from mlindex.learning.learners.contract import Kind, Progress, Rows


def fit(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Arrays of :class:`.boosted.Boosted`."""
    x = features(rows.x)
    present = np.unique(rows.y)
    if len(present) == 1:
        return _certain(int(present[0]), n_classes, x.shape[1])
    model = estimator(parameters, derive_seed(seed, "boosting"))
    model.fit(x, rows.y, sample_weight=rows.weight)
    return boosting_arrays(model, n_classes) | {"n_features": np.array(x.shape[1])}


def estimator(parameters: Mapping[str, Any], seed: int) -> HistGradientBoostingClassifier:
    """The estimator, not yet fitted."""
    return HistGradientBoostingClassifier(
        learning_rate=parameters["learning_rate"],
        max_iter=parameters["rounds"],
        max_leaf_nodes=parameters["leaves"],
        min_samples_leaf=parameters["least_rows"],
        l2_regularization=parameters["l2"],
        max_features=parameters["features"],
        categorical_features=None,
        early_stopping=False,
        random_state=seed % 2**32,
    )


def boosting_arrays(model: HistGradientBoostingClassifier, n_classes: int) -> dict[str, np.ndarray]:
    """A fitted model as the arrays that :class:`mlindex.learning.boosting.Boosting` reads.

    Args:
        model: fitted to classes that are numbers below ``n_classes``.
        n_classes: classes that it did not see begin with -inf.
    """
    # scikit-learn has no public way to its trees; a test holds their predictions equal. Of two
    # classes it keeps the logit of the second alone, one tree a round.
    rounds = model._predictors
    told = model.classes_[-len(rounds[0]) :]
    trees = [tree.nodes for trees in rounds for tree in trees]
    sizes = [len(nodes) for nodes in trees]
    root = np.cumsum([0, *sizes[:-1]])
    nodes = np.concatenate(trees)
    inner, first = nodes["is_leaf"] == 0, np.repeat(root, sizes)
    baseline = np.full(n_classes, -np.inf)
    baseline[model.classes_] = 0.0
    baseline[told] = np.ravel(model._baseline_prediction)
    return {
        "root": root.astype(np.int32),
        "of_class": np.tile(told, len(rounds)).astype(np.int32),
        "left": np.where(inner, nodes["left"].astype(np.int64) + first, -1).astype(np.int32),
        "right": np.where(inner, nodes["right"].astype(np.int64) + first, -1).astype(np.int32),
        "feature": np.where(inner, nodes["feature_idx"], 0).astype(np.int32),
        "threshold": np.where(inner, nodes["num_threshold"], 0.0),
        "unknown_left": nodes["missing_go_to_left"].astype(bool),
        "value": np.where(inner, 0.0, nodes["value"]),
        "baseline": baseline,
    }


def _certain(only: int, n_classes: int, n_features: int) -> dict[str, np.ndarray]:
    """One tree of one leaf, where there is one class."""
    leaf, none = np.zeros(1, dtype=np.int32), np.full(1, -1, dtype=np.int32)
    baseline = np.full(n_classes, -np.inf)
    baseline[only] = 0.0
    return {
        "root": leaf,
        "of_class": np.full(1, only, dtype=np.int32),
        "left": none,
        "right": none,
        "feature": leaf,
        "threshold": np.zeros(1),
        "unknown_left": np.zeros(1, dtype=bool),
        "value": np.zeros(1),
        "baseline": baseline,
        "n_features": np.array(n_features),
    }


KIND = Kind(
    "boosting",
    fit,
    Boosted,
    uses="features",
    needs="scikit-learn",
    parameters={
        "learning_rate": 0.1,
        "rounds": 100,
        "leaves": 15,
        "least_rows": 20,
        "l2": 1.0,
        "features": 0.3,
    },
    searched={
        "learning_rate": (0.03, 0.1, 0.3),
        "leaves": (7, 15, 31, 63),
        "least_rows": (5, 20, 80),
        "l2": (0.1, 1.0, 10.0),
        "features": (0.3, 1.0),
    },
)
