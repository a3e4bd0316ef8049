"""The benchmark on calculated lists: what it counts, and what it says was measured."""

from argparse import Namespace

import pandas as pd
import pytest

from helpers.benchmark_modules import benchmark


@pytest.fixture(scope="module")
def indexing():
    with benchmark("indexing") as module:
        yield module


def test_lists_are_counted_and_shown_in_percent(indexing):
    columns = ["first", "solved", "listed", "found", "wrong", "convincing"]
    rates = pd.DataFrame([[1, 1, 1, 1, 0, 1], [0, 1, 1, 1, 0, 0]], columns=columns).astype(bool)
    seconds = pd.DataFrame({"seconds": [0.5, 1.5], "cpu_seconds": [0.4, 0.6]})
    row = indexing.figures("mP", rates, seconds)
    assert (row["entries"], row["first"], row["first or partner"]) == (2, 1, 2)
    assert (row["convincing"], row["wrong and convincing"]) == (1, 0)
    assert (row["median_s"], row["worst_s"], row["median_cpu_s"]) == (1.0, 1.5, 0.5)
    assert indexing.texts(row)[:4] == ["mP", "2", "50.0", "100.0"]


def test_what_was_measured_is_a_sentence(indexing):
    how = {"entries": 5, "seed": 1, "few": False, "noise": 0.01, "shift": 0.0, "impurities": 2}
    said = indexing._what(Namespace(**how, missing=0))
    assert said.startswith("The first 20 lines (cubic: 10) of validation crystals")
    assert said.endswith(
        "at most 5 of each Bravais lattice, seed 1, noise 0.01 degrees, impurities 2."
    )
