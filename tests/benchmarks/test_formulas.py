"""The benchmark of formulas: what counts as the right way."""

import pandas as pd
import pytest

from helpers.benchmark_modules import benchmark


@pytest.fixture(scope="module")
def formulas():
    with benchmark("formulas") as module:
        yield module


def test_probabilities_that_move_are_counted(formulas):
    rows = pd.DataFrame(
        {
            "lost": [False, False, False, True],
            "before": [0.5, 0.999, 0.9, 0.0],
            "own": [0.8, 0.995, 0.5, 0.0],
            "wrong": [0.2, 0.9995, 0.5, 0.0],
        }
    )
    own, wrong = (formulas.counts(rows, which) for which in formulas.FORMULAS)
    assert own["lists"] == wrong["lists"] == 3
    assert (own["right_way"], own["right_way_or_certain"], own["other_way"]) == (1, 2, 1)
    assert (wrong["right_way"], wrong["right_way_or_certain"], wrong["other_way"]) == (2, 2, 1)
    assert wrong["median_factor"] == pytest.approx(0.25)
