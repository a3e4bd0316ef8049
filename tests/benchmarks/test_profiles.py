"""The benchmark of profile fits: what it counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark


@pytest.fixture(scope="module")
def profiles():
    with benchmark("profiles") as module:
        yield module


def test_totals_count_first_places(profiles):
    rest = (None, 0.1, 1.0, 1.0, 100)
    rows = [("a", 1, 1, 1, *rest, 2.0, 1.0), ("b", 2, 1, 1, *rest, 4.0, 2.0)]
    rows.append(("c", 1, 3, 2, *rest, 3.0, 2))
    assert profiles._totals(rows, 5) == {
        "patterns": 5,
        "true cell fitted": 3,
        "first by lines": 2,
        "first by profile": 2,
        "first by both": 2,
        "median CPU s": 3.0,
        "worst CPU s": 4.0,
    }


#: Two cells of which neither has the lines of the other.
CELLS = [np.array([a, a, a, 90.0, 90.0, 90.0]) for a in (4.0, 4.7)]
FOUND = tuple(
    SimpleNamespace(centring="P", indexed=np.ones(5, dtype=bool), n_indexed=5, times=lambda _: 0)
    for _ in CELLS
)


def fit(behind, explained, cell=CELLS[0]):
    """A fit as the weights see it."""
    parts = SimpleNamespace(misfit=2 * behind, strays=0.0, total=2 * behind)
    rest = {"r_wp": 0.1, "goodness": 1.2, "cell": cell, "lines": range(9)}
    return SimpleNamespace(evidence=parts, explained=explained, **rest)


def test_ranks_are_by_lines_by_profile_and_by_both(profiles):
    right, before = np.array([False, True]), np.array([0.6, 0.4])
    judged = profiles.Judged(right, before, (fit(20.0, 0.8), fit(0.0, 0.99, CELLS[1])), FOUND)
    assert tuple(profiles._outcome(judged)) == (2, 1, 1, 40, 0.1, 1.2, 0.99)
    none = judged._replace(right=np.array([False, False]), fits=(None, fit(0.0, 0.99)))
    assert tuple(profiles._outcome(none))[:4] == (0, 0, 0, None)


def test_weights_are_large_where_the_profile_is_always_right(profiles):
    right, before = np.array([False, True]), np.array([0.6, 0.4])
    fits = fit(20.0, 0.8), fit(0.0, 0.99, CELLS[1])
    lists = [profiles.Judged(right, before, fits, FOUND)] * 3
    found = profiles._weights(lists)
    assert found["ln(probability) by lines"] == pytest.approx(3 * np.log(0.4), abs=0.1)
    assert found["ln(probability) by both"] > found["ln(probability) by lines"]
    ours = profiles.Weights()
    assert found["best MISFIT"] + found["best LEFT"] > ours.misfit + ours.left
