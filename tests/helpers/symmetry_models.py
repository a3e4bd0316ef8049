"""A small classifier of symmetry, fitted to calculated lists of a few lattices."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from mlindex.classification.classifier import Fitted, SymmetryClassifier
from mlindex.classification.features import inputs_of
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.contract import Rows
from mlindex.learning.learners.registry import kind_of

#: Symbols that the classifier knows, and the terms of q² that are equal.
SYMBOLS = {
    "cP P - - -": (0, 0, 0),
    "cF F - - -": (0, 0, 0),
    "tP P - - -": (0, 0, 1),
    "oP P - - -": (0, 1, 2),
    "aP P -": (0, 1, 2),
}
N_LINES = 20
_EACH = 12


def lines_of(symbol: str, rng: np.random.Generator) -> np.ndarray:
    """q² (20,) in 1/A² of the first lines of a crystal with a random cell."""
    terms = rng.uniform(0.008, 0.03, 3)[list(SYMBOLS[symbol])]
    hkl = np.array(list(product(range(-6, 7), repeat=3)))
    if symbol.startswith("cF"):
        hkl = hkl[(hkl % 2 == hkl[:, :1] % 2).all(axis=1)]
    mixed = rng.uniform(-0.01, 0.01, 3) if symbol.startswith("aP") else np.zeros(3)
    products = hkl[:, [1, 0, 0]] * hkl[:, [2, 2, 1]]
    q2 = np.unique(np.round(hkl**2 @ terms + products @ mixed, 9))
    return q2[q2 > 1e-6][:N_LINES]


@cache
def small_classifier() -> SymmetryClassifier:
    """Trees for both levels."""
    rng = np.random.default_rng(1)
    names = [symbol for symbol in SYMBOLS for _ in range(_EACH)]
    lists = [lines_of(name, rng) for name in names]
    x = inputs_of(lists, [None] * len(lists), [q2[-1] for q2 in lists]).x
    levels = {"bravais": [name.split()[0] for name in names], "extinction_symbol": names}
    return SymmetryClassifier(**{level: _fitted(level, own, x) for level, own in levels.items()})


def _fitted(level: str, names: list[str], x: np.ndarray) -> Fitted:
    classes = classes_of(level)
    rows = Rows.of(np.array([classes.names.index(name) for name in names]), x)
    kind = kind_of("extra_trees")
    learner = kind.trained(rows, len(classes), {"trees": 16, "least_rows": 1}, seed=2)
    return Fitted("extra_trees", learner, 1.0)
