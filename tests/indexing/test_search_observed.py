"""Which stages of the search a list is put through."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.files.peak_lists import peaks_from_columns
from mlindex.indexing.search.observed import observe
from mlindex.indexing.search.plan import search
from mlindex.indexing.search.run import Run

#: No lattice explains them, so that no stage is left out for being no longer needed.
_TWO_THETA = np.sort(np.random.default_rng(4).uniform(10, 60, 20))


@pytest.mark.parametrize(
    ("decimals", "error_deg", "sharpest"),
    [(2, None, 0.1), (3, None, 0.03), (6, None, 0.03), (1, 0.003, 1.0)],
)
def test_windows_narrower_than_the_rounding_are_not_searched(decimals, error_deg, sharpest):
    peaks = peaks_from_columns("rounded", "2theta", np.round(_TWO_THETA, decimals), 1.5406)
    said: list[str] = []
    search(observe(peaks, 20, error_deg), ["cP"], Run(report=said.append))
    stages = [line.removeprefix("errors times ").split(",")[0] for line in said]
    assert min(map(float, stages)) == sharpest
