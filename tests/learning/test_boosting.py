"""Trees as plain arrays: what they predict, and damaged ones that a walk would get lost in."""

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.learning.arrays import write_arrays
from mlindex.learning.boosting import Boosting
from mlindex.learning.trees import Trees

#: Two trees with one split each: of feature 0 at 0.5 and of feature 1 at -1.
WALK = {
    "root": np.array([0, 3]),
    "left": np.array([1, -1, -1, 4, -1, -1]),
    "right": np.array([2, -1, -1, 5, -1, -1]),
    "feature": np.array([0, 0, 0, 1, 0, 0]),
    "threshold": np.array([0.5, 0, 0, -1, 0, 0]),
}
TREES = {**WALK, "value": np.arange(6.0)[:, None]}
BOOSTING = {
    **WALK,
    "of_class": np.array([0, 2]),
    "unknown_left": np.array([True, False, False, False, False, False]),
    "value": np.array([0, 1, 2, 0, 3, 4.0]),
    "baseline": np.array([0, 0.5, -0.5]),
}
KINDS = {Trees: TREES, Boosting: BOOSTING}
#: Changes of one array that make a walk end nowhere.
BROKEN = {
    "a circle": ("left", np.array([0, -1, -1, 4, -1, -1])),
    "a way back": ("right", np.array([2, -1, -1, 3, -1, -1])),
    "a child beyond the nodes": ("left", np.array([1, -1, -1, 6, -1, -1])),
    "one child alone": ("right", np.array([-1, -1, -1, 5, -1, -1])),
    "a root beyond the nodes": ("root", np.array([0, 6])),
    "a root before the nodes": ("root", np.array([-1, 3])),
    "no tree": ("root", np.array([], dtype=int)),
    "a feature before the first": ("feature", np.array([-1, 0, 0, 1, 0, 0])),
    "too few features": ("feature", np.array([0, 0, 0, 1, 0])),
    "broken node numbers": ("left", np.array([1, -1, -1, 4, -1, -1.0])),
    "thresholds that are no numbers": ("threshold", np.array(list("abcdef"))),
    "too few values": ("value", np.zeros((5, 1))),
}
BROKEN_BOOSTING = {
    "a class beyond the last": ("of_class", np.array([0, 3])),
    "a class before the first": ("of_class", np.array([-1, 2])),
    "broken class numbers": ("of_class", np.array([0, 2.0])),
    "a tree without class": ("of_class", np.array([0])),
    "nodes without a way for NaN": ("unknown_left", np.array([True])),
    "a table of baselines": ("baseline", np.zeros((1, 3))),
    "a table of values": ("value", np.zeros((6, 2))),
}
CASES = [(kind, name, *change) for kind in KINDS for name, change in BROKEN.items()]
CASES += [(Boosting, name, *change) for name, change in BROKEN_BOOSTING.items()]


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [(kind, key, value) for kind, _, key, value in CASES],
    ids=[f"{kind.__name__}, {name}" for kind, name, *_ in CASES],
)
def test_arrays_that_are_no_trees_are_refused(kind, key, value, tmp_path):
    kind.from_arrays(KINDS[kind])
    write_arrays(tmp_path / "damaged.npz", {**KINDS[kind], key: value})
    with pytest.raises(MlindexError, match=r"damaged\.npz: its arrays are no trees.*train again"):
        kind.load(tmp_path / "damaged.npz")


def test_leaves_add_to_the_logits_of_their_classes():
    boosting = Boosting.from_arrays(BOOSTING)
    x = np.array([[0.5, -1], [0.6, -0.9], [np.nan, np.nan], [-np.inf, np.inf]])
    logits = np.array([[1, 0.5, 2.5], [2, 0.5, 3.5], [1, 0.5, 3.5], [1, 0.5, 3.5]])
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(boosting.predict_proba(x), expected, rtol=1e-12)


def test_boosting_refuses_other_shapes():
    boosting = Boosting.from_arrays(BOOSTING)
    with pytest.raises(ValueError, match="feature 2"):
        boosting.predict_proba(np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        boosting.predict_proba(np.zeros(3))
