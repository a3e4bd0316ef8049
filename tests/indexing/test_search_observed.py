"""Which stages of the search a list is put through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.files.peak_lists import peaks_from_columns
from mlindex.indexing.options import Options
from mlindex.indexing.search.find_and_weigh import find
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


def _measured(strays: int) -> np.ndarray:
    """2theta of 20 lines of a tetragonal cell with errors and a shift; so many are strays."""
    cell = np.array([6.31, 6.31, 9.17, 90, 90, 90])
    hkl = reflections(cell, "P", 0.4)
    q2 = np.unique(np.round(quadratic_terms(hkl) @ reciprocal_from_cell(cell), 9))[:20]
    rng = np.random.default_rng(3)
    two_theta = two_theta_from_q2(q2, 1.5406) + rng.normal(0.05, 0.012, 20)
    two_theta[20 - strays :] = rng.uniform(*two_theta[[0, -1]], strays)
    return np.sort(two_theta)


@pytest.mark.parametrize(("strays", "stages"), [(0, ["0.3"]), (3, ["0.3", "0.1", "1"])])
def test_no_stage_follows_one_that_explains_the_list_as_a_whole(strays, stages):
    peaks = peaks_from_columns("measured", "2theta", _measured(strays), 1.5406)
    said: list[str] = []
    found, _ = search(observe(peaks, 20, None), ["tP", "tI"], Run(report=said.append))
    assert [line.removeprefix("errors times ") for line in said] == stages
    assert found[0].bravais.symbol == "tP"
    assert found[0].cell[[0, 2]] == pytest.approx([6.31, 9.17], rel=2e-3)


def test_zero_shifts_are_not_tried_where_the_shift_is_known():
    peaks = peaks_from_columns("left", "2theta", _TWO_THETA, 1.5406)
    said: dict[bool, list[str]] = {True: [], False: []}
    for aligned, lines in said.items():
        find(peaks, Options(lattices="cP"), Run(report=lines.append), aligned)
    shifted = {aligned: ["zero shift" in line for line in lines] for aligned, lines in said.items()}
    assert not any(shifted[True])
    assert sum(shifted[False]) == 4
    found: list[str] = []
    with_errors = replace(peaks, two_theta_error_deg=np.full(20, 0.005))
    find(with_errors, Options(lattices="cP"), Run(report=found.append), True)
    assert found == ["errors times 0.3", "errors times 0.1", "errors times 1"]
