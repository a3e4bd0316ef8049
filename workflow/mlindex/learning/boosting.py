"""Boosted trees that classify, as plain arrays, walked by numba; no scikit-learn needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from mlindex.learning.learner import Learner
from mlindex.learning.trees import ends_at_a_leaf


@dataclass(frozen=True)
class Boosting(Learner):
    """Trees whose leaves add to the logit of one class each, nodes one after the other.

    ``root`` (n_trees,) gives each tree's first node and ``of_class`` (n_trees,) its class;
    ``left``, ``right`` (n_nodes,) the children, -1 at a leaf; ``feature``, ``threshold``
    (n_nodes,) where to split, ``unknown_left`` (n_nodes,) whether NaN goes left; ``value``
    (n_nodes,) what a leaf adds; ``baseline`` (k,) the logits to begin with.
    """

    root: np.ndarray
    of_class: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    unknown_left: np.ndarray
    value: np.ndarray
    baseline: np.ndarray

    what = "trees"

    def sound(self) -> bool:
        """Whether walking the trees ends at a leaf, inside the arrays, whatever is asked."""
        if not ends_at_a_leaf(self.root, self.left, self.right, self.feature, self.threshold):
            return False
        if self.value.shape != self.left.shape or self.unknown_left.shape != self.left.shape:
            return False
        if self.of_class.shape != self.root.shape or self.baseline.ndim != 1:
            return False
        whole = np.issubdtype(self.of_class.dtype, np.integer)
        within = np.all((self.of_class >= 0) & (self.of_class < len(self.baseline)))
        return bool(whole and within)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Probability of each class, shape (n, k).

        Args:
            x: features, shape (n, m); NaN where one is not known.

        Raises:
            ValueError: it is no table, or the trees ask for more features than there are.
        """
        if np.ndim(x) != 2:
            raise ValueError(f"expected rows of features, got an array of shape {np.shape(x)}")
        if self.feature.max(initial=-1) >= np.shape(x)[1]:
            raise ValueError(f"the trees ask for feature {self.feature.max() + 1}")
        logits = _logits(
            np.ascontiguousarray(x, dtype=np.float64),
            self.root,
            self.of_class,
            self.left,
            self.right,
            self.feature,
            self.threshold,
            self.unknown_left,
            self.value,
            self.baseline,
        )
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


@njit(cache=True)
def _logits(x, root, of_class, left, right, feature, threshold, unknown_left, value, baseline):
    logits = np.empty((x.shape[0], baseline.size))
    for row in range(x.shape[0]):
        logits[row] = baseline
        for tree in range(root.size):
            node = root[tree]
            while left[node] >= 0:
                seen = x[row, feature[node]]
                below = unknown_left[node] if np.isnan(seen) else seen <= threshold[node]
                node = left[node] if below else right[node]
            logits[row, of_class[tree]] += value[node]
    return logits
