"""The order of votes is NumPy's, whatever their distribution."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.indexing.search.rising import rising

_RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    "values",
    [
        np.empty(0),
        np.array([0.3]),
        np.full(7, 0.1),
        _RNG.uniform(0.01, 0.4, 900),
        _RNG.integers(0, 5, 300) / 7,
        np.append(_RNG.normal(0.1, 1e-9, 60), 1e3),
        np.linspace(1, -1, 257),
    ],
    ids=["none", "one", "equal", "even", "ties", "crowded", "falling"],
)
def test_equal_values_stay_in_their_order(values):
    np.testing.assert_array_equal(rising(values), np.argsort(values, kind="stable"))
