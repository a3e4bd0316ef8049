"""The nearest training rows vote, the near ones more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from mlindex.learning.learners.common import (
    features,
    floats,
    standard,
    standardizes,
)
from mlindex.learning.learners.contract import Classifier, Inputs


@dataclass(frozen=True)
class Neighbours(Classifier):
    """Votes of the nearest rows, each over its distance.

    ``mean``, ``scale`` (m,) standardize the features; ``rows`` (m, n) are the training rows,
    standardized, float32; ``y``, ``weight`` (n,) their classes and weights; ``n_neighbours`` and
    ``n_classes`` are single numbers. Memory does not grow with the number of rows asked.
    """

    mean: np.ndarray
    scale: np.ndarray
    rows: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    n_neighbours: np.ndarray
    n_classes: np.ndarray

    what = "rows of known class"

    def sound(self) -> bool:
        """Whether they can vote."""
        whole = (self.y, self.n_neighbours, self.n_classes)
        if not all(np.issubdtype(a.dtype, np.integer) for a in whole):
            return False
        if self.n_neighbours.shape != () or self.n_classes.shape != () or self.y.ndim != 1:
            return False
        n = len(self.y)
        numbers = standardizes(self.mean, self.scale) and floats(self.rows, self.mean.size, n)
        votes = floats(self.weight, n) and bool(np.all(self.weight > 0))
        within = bool(np.all((self.y >= 0) & (self.y < self.n_classes)))
        typed = self.rows.dtype == np.float32
        return numbers and votes and within and typed and 1 <= int(self.n_neighbours) <= n

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class (n, k).

        Where a training row is the same as the pattern, only such rows vote.
        """
        x = standard(features(inputs.x, self.mean.size), self.mean, self.scale)
        votes = _votes(
            np.ascontiguousarray(x),
            np.ascontiguousarray(self.rows),
            self.y,
            self.weight,
            int(self.n_neighbours),
            int(self.n_classes),
        )
        return votes / votes.sum(axis=1, keepdims=True)


@njit(cache=True, nogil=True)
def _votes(x, rows, y, weight, n_neighbours, n_classes):
    n_features, n = rows.shape
    votes = np.zeros((x.shape[0], n_classes))
    squares = np.empty(n, dtype=np.float32)
    near = np.empty(n_neighbours, dtype=np.int64)
    for row in range(x.shape[0]):
        squares[:] = 0
        # Feature by feature, along the rows: the compiler can take many rows at a time.
        for feature in range(n_features):
            value, column = x[row, feature], rows[feature]
            for i in range(n):
                step = column[i] - value
                squares[i] += step * step
        _nearest(squares, near)
        same = squares[near[0]] == 0
        for i in near:
            if not same:
                votes[row, y[i]] += weight[i] / np.sqrt(np.float64(squares[i]))
            elif squares[i] == 0:
                votes[row, y[i]] += weight[i]
    return votes


@njit(cache=True, nogil=True)
def _nearest(squares, near):
    """Fill ``near`` with the rows of the least squares, the least first, ties in their order."""
    count = 0
    for i in range(squares.size):
        if count == near.size and squares[i] >= squares[near[count - 1]]:
            continue
        count = min(count + 1, near.size)
        place = count - 1
        while place > 0 and squares[near[place - 1]] > squares[i]:
            near[place] = near[place - 1]
            place -= 1
        near[place] = i
