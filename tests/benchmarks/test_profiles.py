"""The benchmark of profile fits: what it counts."""

import pytest

from helpers.benchmark_modules import benchmark


@pytest.fixture(scope="module")
def profiles():
    with benchmark("profiles") as module:
        yield module


def test_totals_count_first_places(profiles):
    rest = (None, 0.1, 1.0, 1.0, 100)
    rows = [("a", 1, 1, *rest, 2.0, 1.0), ("b", 2, 1, *rest, 4.0, 2.0), ("c", 1, 3, *rest, 3.0, 2)]
    assert profiles._totals(rows, 5) == {
        "patterns": 5,
        "true cell fitted": 3,
        "first by search": 2,
        "first by profile": 2,
        "median CPU s": 3.0,
        "worst CPU s": 4.0,
    }
