"""Extremely randomized trees that classify; no scikit-learn needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from mlindex.learning.learners.common import features, floats, require
from mlindex.learning.learners.contract import Classifier, Inputs
from mlindex.learning.trees import Trees

#: Rows that are walked at a time, so that memory does not grow with their number.
_BLOCK = 4096


@dataclass(frozen=True)
class Forest(Classifier):
    """Trees whose leaves know the shares of the classes in them; the trees' are averaged.

    ``trees`` has as value (n_nodes, 1) the number of the leaf. Of leaf i the classes are
    ``of_class[start[i]:start[i + 1]]`` and their shares so many of ``share``: most leaves have few
    classes of many. ``fill`` (m,) stands for features that are not known. ``n_classes`` is one
    number.
    """

    trees: Trees
    fill: np.ndarray
    start: np.ndarray
    of_class: np.ndarray
    share: np.ndarray
    n_classes: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Forest:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no trees that classify.
        """
        own = (name for name in cls.__dataclass_fields__ if name != "trees")
        made = cls(Trees.from_arrays(arrays), **{name: arrays[name] for name in own})
        require(made._sound(), arrays, "trees that classify")
        return made

    def _sound(self) -> bool:
        whole = (self.start, self.of_class, self.n_classes, self.trees.value)
        if not all(np.issubdtype(a.dtype, np.integer) for a in whole):
            return False
        if self.n_classes.shape != () or self.trees.value.shape != (len(self.trees.left), 1):
            return False
        n = self.share.size
        if self.start.ndim != 1 or len(self.start) < 2 or self.of_class.shape != (n,):
            return False
        leaf = self.trees.value[self.trees.left < 0]
        kept = bool(np.all((leaf >= 0) & (leaf < len(self.start) - 1)))
        # An empty leaf would give a row no probability.
        ranges = (
            self.start[0] == 0 and self.start[-1] == n and bool(np.all(np.diff(self.start) > 0))
        )
        classes = bool(np.all((self.of_class >= 0) & (self.of_class < self.n_classes)))
        numbers = floats(self.share, n) and bool(np.all(self.share > 0))
        numbers &= floats(self.fill, self.fill.size)
        reached = self.trees.feature.max(initial=-1) < self.fill.size
        return bool(kept and ranges and classes and numbers and reached)

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "trees"}
        return self.trees.arrays() | own

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class (n, k): the mean of the trees' shares."""
        x = filled(features(inputs.x, self.fill.size), self.fill)
        found = np.zeros((len(x), int(self.n_classes)))
        for first in range(0, len(x), _BLOCK):
            leaves = self.trees.predict(x[first : first + _BLOCK])[..., 0]
            _add(found[first : first + _BLOCK], leaves, self.start, self.of_class, self.share)
        return found / found.sum(axis=1, keepdims=True)


def filled(x: np.ndarray, fill: np.ndarray) -> np.ndarray:
    """Features (n, m) with what stands for the unknown ones (m,)."""
    return np.where(np.isnan(x), fill, x)


@njit(cache=True, nogil=True)
def _add(found, leaves, start, of_class, share):
    for row in range(leaves.shape[0]):
        for leaf in leaves[row]:
            for i in range(start[leaf], start[leaf + 1]):
                found[row, of_class[i]] += share[i]
