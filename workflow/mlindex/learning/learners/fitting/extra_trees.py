"""Fit of extremely randomized trees, by scikit-learn (Geurts, Ernst & Wehenkel 2006, Mach. Learn.
63, 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.tree import BaseDecisionTree

from mlindex.base.provenance import derive_seed
from mlindex.learning.learners.common import features
from mlindex.learning.learners.contract import Kind, Progress, Rows
from mlindex.learning.learners.forest import Forest, filled

#: How far below the least value of a feature, in its range, stands one that is not known: near, for
#: splits are drawn evenly between the least and the greatest value.
_BELOW = 0.1
#: Trees that are fitted before they are made small: scikit-learn keeps the share of every class at
#: every node.
_TREES_AT_A_TIME = 8


def fit(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Arrays of :class:`.forest.Forest`."""
    fill = stand_in(features(rows.x))
    x = filled(rows.x, fill)
    trees: list[dict[str, np.ndarray]] = []
    count = int(parameters["trees"])
    for first in progress(range(0, count, _TREES_AT_A_TIME)):
        model = estimator(
            parameters, min(_TREES_AT_A_TIME, count - first), derive_seed(seed, "trees", first)
        )
        model.fit(x, rows.y, sample_weight=rows.weight)
        trees += [_tree(fitted, model.classes_) for fitted in model.estimators_]
    own = {"fill": fill, "n_classes": np.array(n_classes)}
    return _joined(trees) | own


def estimator(parameters: Mapping[str, Any], count: int, seed: int) -> ExtraTreesClassifier:
    """Some of the trees, not yet fitted."""
    return ExtraTreesClassifier(
        n_estimators=count,
        min_samples_leaf=parameters["least_rows"],
        max_features=parameters["features"],
        random_state=seed % 2**32,
    )


def stand_in(x: np.ndarray) -> np.ndarray:
    """What stands for an unknown feature (m,), float32: somewhat less than all that are known."""
    known = ~np.isnan(x)
    least = np.min(x, axis=0, where=known, initial=np.inf)
    greatest = np.max(x, axis=0, where=known, initial=-np.inf)
    some = known.any(axis=0)
    least, greatest = np.where(some, least, 0), np.where(some, greatest, 0)
    return (least - _BELOW * (greatest - least)).astype(np.float32)


def _tree(fitted: BaseDecisionTree, classes: np.ndarray) -> dict[str, np.ndarray]:
    """One tree: nodes, and the classes in its leaves that have a share."""
    tree = fitted.tree_
    leaves = np.flatnonzero(tree.children_left < 0)
    shares = tree.value[leaves, 0]
    shares = shares / shares.sum(axis=1, keepdims=True)
    leaf, column = np.nonzero(shares)
    value = np.zeros((tree.node_count, 1), dtype=np.int32)
    value[leaves, 0] = np.arange(len(leaves))
    return {
        "left": tree.children_left,
        "right": tree.children_right,
        "feature": tree.feature,
        "threshold": tree.threshold,
        "value": value,
        "count": np.bincount(leaf, minlength=len(leaves)),
        "of_class": classes[column],
        "share": shares[leaf, column].astype(np.float32),
    }


def _joined(trees: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Trees one after the other."""

    def column(name: str) -> np.ndarray:
        return np.concatenate([tree[name] for tree in trees])

    nodes = [len(tree["left"]) for tree in trees]
    first_node = np.cumsum([0, *nodes[:-1]])
    first_leaf = np.cumsum([0, *(len(tree["count"]) for tree in trees[:-1])])
    of_node, leaf = np.repeat(first_node, nodes), np.repeat(first_leaf, nodes)
    left, right = column("left"), column("right")
    inner = left >= 0
    return {
        "root": first_node.astype(np.int32),
        "left": np.where(inner, left + of_node, -1).astype(np.int32),
        "right": np.where(inner, right + of_node, -1).astype(np.int32),
        "feature": column("feature").astype(np.int32),
        "threshold": column("threshold"),
        "value": np.where(inner, 0, column("value")[:, 0] + leaf)[:, None].astype(np.int32),
        "start": np.cumsum([0, *column("count")]).astype(np.int32),
        "of_class": column("of_class").astype(np.int32),
        "share": column("share"),
    }


KIND = Kind(
    "extra_trees",
    fit,
    Forest,
    uses="features",
    needs="scikit-learn",
    parameters={"trees": 200, "least_rows": 2, "features": "sqrt"},
    searched={"least_rows": (1, 2, 4, 8), "features": ("sqrt", 0.3, 0.6)},
)
