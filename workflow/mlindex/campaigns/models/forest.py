"""A forest of extremely randomized trees (Geurts 2006, Mach. Learn. 63, 3), with its error.

The trees are grown here and not by scikit-learn, whose overhead for a tree is far more than growing
it: a replay grows thousands of forests of a few hundred rows. Tests hold them against its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from mlindex.campaigns.models.contract import Prediction

TREES = 100
#: Share of the columns that a split is chosen from.
_TRIED = 0.5
#: A spread counts at least so many standard deviations of the targets: trees that agree on few rows
#: are not certain.
_LEAST_SPREAD = 0.1


@dataclass(frozen=True)
class Forest:
    """Trees that have seen rows.

    ``feature``, ``threshold``, ``child``, ``value`` (trees, nodes): node i of a tree splits by its
    feature, the rows up to the threshold go to ``child`` and the others to the node after that;
    ``child`` is 0 at a leaf. ``out`` are the rows as the trees predict them that were not
    grown from them, ``stretch`` brings the spread of the trees to the size of the errors met there,
    ``least`` is the smallest spread.
    """

    feature: np.ndarray
    threshold: np.ndarray
    child: np.ndarray
    value: np.ndarray
    out: Prediction
    stretch: float
    least: float

    @classmethod
    def learnt(cls, features: np.ndarray, targets: np.ndarray, seed: int = 0) -> Forest:
        """Grown from rows (n, d) with targets (n,); the same for the same rows and seed."""
        rng = np.random.default_rng(seed)
        n, columns = features.shape
        features = np.ascontiguousarray(features, dtype=np.float64)
        drawn = rng.integers(n, size=(TREES, n))
        tried = max(1, round(_TRIED * columns))
        trees = _grown(features, np.ascontiguousarray(targets, dtype=np.float64), drawn, tried, rng)
        each = _walked(features, *trees)
        each[np.arange(TREES)[:, None], drawn] = np.nan
        out, least = _out_of_bag(each, targets)
        stretch = np.sqrt(np.mean(((targets - out.mean) / out.deviation) ** 2))
        stretch = float(max(stretch, 0.1))
        return cls(*trees, Prediction(out.mean, stretch * out.deviation), stretch, least)

    def predict(self, features: np.ndarray) -> Prediction:
        """Mean of the trees, and their stretched spread, at features (m, d)."""
        rows = np.ascontiguousarray(features, dtype=np.float64)
        mean, spread = _summed(rows, self.feature, self.threshold, self.child, self.value)
        return Prediction(mean, self.stretch * np.hypot(spread, self.least))

    def draws(self, features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """A tree at random for each draw (count, m), its distance from the mean stretched."""
        rows = np.ascontiguousarray(features, dtype=np.float64)
        each = _walked(rows, self.feature, self.threshold, self.child, self.value)
        mean = each.mean(axis=0)
        return mean + self.stretch * (each[rng.integers(TREES, size=count)] - mean)

    def left_out(self) -> Prediction:
        """Each row as the trees predict it that were not grown from it."""
        return self.out


def _out_of_bag(each: np.ndarray, targets: np.ndarray) -> tuple[Prediction, float]:
    """Rows by the trees (trees, n) that did not see them (NaN: did), and the least spread.

    A row that fewer than two trees did not see is expected to be as any other.
    """
    known = np.isfinite(each)
    count = known.sum(axis=0)
    enough = count >= 2
    values = np.where(known, each, 0.0)
    total = np.maximum(count, 1)
    mean = np.where(enough, values.sum(axis=0) / total, targets.mean())
    square = np.where(known, (each - mean) ** 2, 0.0).sum(axis=0) / total
    spread = np.where(enough, np.sqrt(square), targets.std())
    least = float(_LEAST_SPREAD * targets.std()) or 1e-9
    return Prediction(mean, np.hypot(spread, least)), least


@njit(cache=True)
def _grown(x, y, drawn, tried, rng):
    """Trees (feature, threshold, child, value) of drawn rows (trees, n)."""
    trees, n = drawn.shape
    columns = x.shape[1]
    feature = np.zeros((trees, 2 * n), dtype=np.int32)
    threshold = np.zeros((trees, 2 * n))
    child = np.zeros((trees, 2 * n), dtype=np.int32)
    value = np.zeros((trees, 2 * n))
    order = np.arange(columns)
    first, last = np.zeros(2 * n, dtype=np.int64), np.zeros(2 * n, dtype=np.int64)
    for t in range(trees):
        rows = drawn[t].copy()
        first[0], last[0], nodes, node = 0, n, 1, 0
        while node < nodes:
            begin, end = first[node], last[node]
            total, same = 0.0, True
            for i in range(begin, end):
                total += y[rows[i]]
                same = same and y[rows[i]] == y[rows[begin]]
            value[t, node] = total / (end - begin)
            best, column, cut = -np.inf, -1, 0.0
            valid = columns if same else 0
            k = 0
            while valid < tried and k < columns:
                j = k + int(rng.random() * (columns - k))
                order[k], order[j] = order[j], order[k]
                gain, at = _tried_split(x, y, rows, begin, end, order[k], rng)
                if gain > -np.inf:
                    valid += 1
                    if gain > best:
                        best, column, cut = gain, order[k], at
                k += 1
            if column >= 0:
                middle = begin
                for i in range(begin, end):
                    if x[rows[i], column] <= cut:
                        rows[i], rows[middle] = rows[middle], rows[i]
                        middle += 1
                feature[t, node], threshold[t, node], child[t, node] = column, cut, nodes
                first[nodes], last[nodes] = begin, middle
                first[nodes + 1], last[nodes + 1] = middle, end
                nodes += 2
            node += 1
    return feature, threshold, child, value


@njit(cache=True)
def _tried_split(x, y, rows, begin, end, column, rng):
    """Gain of a cut at random and where; minus infinity for a column that is constant."""
    low = high = x[rows[begin], column]
    for i in range(begin + 1, end):
        one = x[rows[i], column]
        low, high = min(low, one), max(high, one)
    if high <= low:
        return -np.inf, 0.0
    cut = low + rng.random() * (high - low)
    if cut >= high:
        cut = low
    left, right, count = 0.0, 0.0, 0
    for i in range(begin, end):
        if x[rows[i], column] <= cut:
            left += y[rows[i]]
            count += 1
        else:
            right += y[rows[i]]
    return left * left / count + right * right / (end - begin - count), cut


@njit(cache=True)
def _leaf(row, feature, threshold, child):
    node = 0
    while child[node]:
        node = child[node] + (row[feature[node]] > threshold[node])
    return node


@njit(cache=True)
def _walked(x, feature, threshold, child, value):
    """Predictions (trees, m)."""
    each = np.empty((len(feature), len(x)))
    for t in range(len(feature)):
        for i in range(len(x)):
            each[t, i] = value[t, _leaf(x[i], feature[t], threshold[t], child[t])]
    return each


@njit(cache=True)
def _summed(x, feature, threshold, child, value):
    """Mean and standard deviation (m,) over the trees."""
    total, square = np.zeros(len(x)), np.zeros(len(x))
    for t in range(len(feature)):
        for i in range(len(x)):
            one = value[t, _leaf(x[i], feature[t], threshold[t], child[t])]
            total[i] += one
            square[i] += one * one
    mean = total / len(feature)
    return mean, np.sqrt(np.maximum(square / len(feature) - mean * mean, 0.0))
