"""Every method keeps the contract."""

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.campaigns.methods import METHODS, method
from mlindex.campaigns.methods.contract import Seen


def material(rows=12, candidates=30, columns=3):
    rng = np.random.default_rng(5)
    features, others = rng.random((rows, columns)), rng.random((candidates, columns))
    return Seen.of(features, -((features - 0.3) ** 2).sum(axis=1)), others


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("rows", [0, 1, 12])
def test_proposals_are_candidates_each_once(name, rows):
    seen, candidates = material(rows)
    found = method(name).propose(seen, candidates, 5, np.random.default_rng(1))
    assert len(set(found.chosen)) == 5 == len(found.why) == len(found.expected)
    assert set(found.chosen) <= set(range(30))
    assert all(found.why)
    everything = method(name).propose(seen, candidates[:4], 9, np.random.default_rng(1))
    assert sorted(everything.chosen) == [0, 1, 2, 3]
    assert method(name).rate(seen, candidates).shape == (30,)


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_proposals(name):
    seen, candidates = material()
    first, again = (
        method(name).propose(seen, candidates, 4, np.random.default_rng(3)) for _ in range(2)
    )
    assert first.why == again.why
    np.testing.assert_array_equal(first.chosen, again.chosen)
    np.testing.assert_array_equal(first.expected, again.expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(features=np.ones(3), scores=np.ones(3)), "a table of features"),
        (dict(features=np.ones((3, 2)), scores=np.ones(2)), "scores for 3 rows"),
        (dict(features=np.ones((2, 2)), scores=[1, np.nan]), "not a finite number"),
        (dict(features=np.ones((2, 2)), scores=[1, 2], groups=[0]), "groups of"),
        (dict(features=np.ones((2, 2)), scores=[1, 2], failed=np.ones((1, 3))), "2 columns"),
    ],
)
def test_what_does_not_go_together_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Seen.of(**given)


def test_an_unknown_method_is_named():
    with pytest.raises(MlindexError, match="no method 'best'; there are portfolio"):
        method("best")
