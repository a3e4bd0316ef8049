"""Trained random forests as plain arrays, walked by numba; no scikit-learn needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from mlindex.learning.learner import Learner


@dataclass(frozen=True)
class Trees(Learner):
    """The trees of one group, nodes one after the other.

    ``root`` (n_trees,) gives each tree's first node; ``left``, ``right`` (n_nodes,) the children,
    -1 at a leaf; ``feature``, ``threshold`` (n_nodes,) where to split; ``value``
    (n_nodes, n_free) the mean of the scaled cell parameters.
    """

    root: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray

    what = "trees"

    def sound(self) -> bool:
        """Whether walking the trees ends at a leaf, inside the arrays, whatever is asked.

        The compiled walk checks nothing: it would read beyond the arrays, or run in a circle.
        """
        walk = (self.root, self.left, self.right, self.feature, self.threshold)
        return ends_at_a_leaf(*walk) and self.value.ndim == 2 and len(self.value) == len(self.left)

    def predict(self, q2_scaled: np.ndarray) -> np.ndarray:
        """Scaled free cell parameters by every tree, shape (n, n_trees, n_free).

        Args:
            q2_scaled: scaled q² of the peaks, shape (n, n_peaks); rounded to float32 as in
                training.

        Raises:
            ValueError: it is no table, or the trees ask for more peaks than there are.
        """
        if np.ndim(q2_scaled) != 2:
            raise ValueError(f"expected rows of peaks, got an array of shape {np.shape(q2_scaled)}")
        if self.feature.max(initial=-1) >= np.shape(q2_scaled)[1]:
            raise ValueError(f"the trees ask for peak {self.feature.max() + 1}")
        leaves = _leaves(
            np.ascontiguousarray(q2_scaled, dtype=np.float32),
            self.root,
            self.left,
            self.right,
            self.feature,
            self.threshold,
        )
        return self.value[leaves]


def ends_at_a_leaf(
    root: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
) -> bool:
    """Whether arrays are trees: numbers (n_nodes,), each node before its children, rooted."""
    whole = (root, left, right, feature)
    if not all(a.ndim == 1 and np.issubdtype(a.dtype, np.integer) for a in whole):
        return False
    n = len(left)
    if any(a.shape != (n,) for a in (right, feature, threshold)):
        return False
    if not (np.issubdtype(threshold.dtype, np.floating) and root.size):
        return False
    inner = left >= 0
    own = np.arange(n)[inner]
    forward = all(np.all((c > own) & (c < n)) for c in (left[inner], right[inner]))
    rooted = bool(np.all((root >= 0) & (root < n)))
    return forward and rooted and bool(np.all(feature[inner] >= 0))


@njit(cache=True)
def _leaves(x, root, left, right, feature, threshold):
    found = np.empty((x.shape[0], root.size), dtype=np.int64)
    for row in range(x.shape[0]):
        for tree in range(root.size):
            node = root[tree]
            while left[node] >= 0:
                below = x[row, feature[node]] <= threshold[node]
                node = left[node] if below else right[node]
            found[row, tree] = node
    return found
