"""Peak lists 1 and 2: exact cases for each condition, and the lists of silicon."""

import numpy as np
import pandas as pd
import pytest

from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_from_metric, metric_tensor, reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.patterns.calculated import observed_lines, peak_lists, reindexed_hkl
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.simulation import simulate
from mlindex.patterns.tables import PEAKS

FWHM = 0.1
SIGMA = FWHM / np.sqrt(8 * np.log(2))


def seen(angles, heights, **changes):
    settings = Peaks(**changes)
    return observed_lines(np.array(angles), np.array(heights), settings, FWHM)[0].tolist()


def test_lone_line_needs_the_least_intensity():
    assert seen([30.0, 40.0], [0.00501, 0.00499]) == [0]


def test_lone_line_needs_the_curvature():
    # A lone Gaussian's second derivative at its top is -height / sigma².
    edge = SIGMA**2
    assert seen([30.0, 40.0], [1.01 * edge, 0.99 * edge], min_intensity=1e-9) == [0]


def test_curvature_and_value_are_those_of_the_sum():
    angles, heights = np.array([30.0, 30.08]), np.array([0.02, 0.01])
    grid = 30.0 + np.array([-1e-4, 0, 1e-4])
    terms = heights * np.exp(-0.5 * ((grid[:, None] - angles) / SIGMA) ** 2)
    total = terms.sum(axis=1)
    second = (total[0] - 2 * total[1] + total[2]) / 1e-8
    for slack, expected in ((1e-4, True), (-1e-4, False)):
        kept = seen(angles, heights, max_curvature_inv_deg2=second + slack * abs(second))
        assert (0 in kept) == expected
    value = observed_lines(angles, heights, Peaks(), FWHM)[1]
    assert value[0] == pytest.approx(total[1], rel=1e-12)


@pytest.mark.parametrize(("gap", "kept"), [(0.066, [1]), (0.067, [0, 1])])
def test_of_two_near_lines_the_stronger_is_kept(gap, kept):
    assert seen([30.0, 30.0 + gap], [0.10, 0.11]) == kept


def test_shoulder_of_a_strong_line_is_not_seen():
    # 0.08 degrees away, the flank of a line ten times as strong is curved upwards.
    assert seen([30.0, 30.08], [0.3, 0.03]) == [0]
    assert seen([30.0, 30.08], [0.3, 0.3]) == [0, 1]


def test_line_shaded_only_by_a_rejected_one_is_seen():
    assert seen([30.0, 30.06, 30.12], [0.4, 0.3, 0.25]) == [0, 2]


def test_list_ends_at_its_length_and_at_the_pattern():
    angles = [*np.linspace(10, 50, 80), np.nan]
    assert seen(angles, [0.1] * 80 + [0.0]) == list(range(60))
    assert seen(angles, [0.1] * 80 + [0.0], length=7) == list(range(7))
    assert seen([30.0, np.nan], [0.1, 0.0]) == [0]
    assert seen([np.nan], [0.0]) == []


def test_indices_follow_the_cell():
    rng = np.random.default_rng(3)
    hkl = rng.integers(-9, 10, (40, 3))
    for _ in range(20):
        cell = np.array([*rng.uniform(4, 12, 3), *rng.uniform(75, 110, 3)])
        operator = _unimodular(rng)
        moved = cell_from_metric(operator.T @ metric_tensor(cell) @ operator)
        np.testing.assert_allclose(
            quadratic_terms(reindexed_hkl(hkl, operator.ravel())) @ reciprocal_from_cell(moved),
            quadratic_terms(hkl) @ reciprocal_from_cell(cell),
            rtol=1e-9,
        )


def _unimodular(rng):
    operator = np.eye(3)[rng.permutation(3)]
    for _ in range(3):
        i, j = rng.choice(3, 2, replace=False)
        operator[i] += rng.integers(-1, 2) * operator[j]
    return operator


#: From obverse hexagonal to rhombohedral axes, a column for each new axis.
RHOMBOHEDRAL = np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3


def test_rhombohedral_axes():
    # Corundum: 012 104 110 113 on hexagonal axes are 110 211 10-1 210 on rhombohedral ones.
    hexagonal = np.array([[0, 1, 2], [1, 0, 4], [1, 1, 0], [1, 1, 3]])
    expected = [[1, 1, 0], [2, 1, 1], [1, 0, -1], [2, 1, 0]]
    assert reindexed_hkl(hexagonal, RHOMBOHEDRAL.ravel()).tolist() == expected


def test_fractional_indices_are_an_error():
    with pytest.raises(MlindexError, match=r"x:y:z: reflection \(1, 0, 0\)"):
        reindexed_hkl(np.array([[1, 0, 0]]), RHOMBOHEDRAL.ravel(), "x:y:z")


def _silicon(entry_id):
    names = ("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg")
    cell = dict(zip(names, (5.43102,) * 3 + (90.0,) * 3, strict=True))
    sites = {"site_element": ["Si"], "site_occupancy": [1.0], "site_u_iso_A2": [0.0]}
    sites |= {"site_x": [0.0], "site_y": [0.0], "site_z": [0.0]}
    text = {"entry_id": entry_id, "source": "s", "path": "p", "hall_symbol": "F 4d 2 3 -1d"}
    return text | cell | sites


def test_lists_of_silicon():
    simulated = simulate(pd.DataFrame([_silicon("si")]), Simulation())
    swap = [0.0, 1, 0, 0, 0, 1, 1, 0, 0]
    cells = pd.DataFrame(
        {"entry_id": ["absent", "si"], "reindexed_operator": [list(np.eye(3).ravel()), swap]}
    )
    peaks = peak_lists(cells, simulated.reflections, simulated.patterns, Peaks(), Simulation())
    assert peaks["entry_id"].tolist() == ["si"]
    assert PEAKS.arrow(peaks).num_rows == 1
    row = peaks.iloc[0]
    assert row["n_observed"] == 3
    observed = np.stack([row[f"observed_{n}"] for n in "hkl"], axis=-1)
    # h' = h P: h goes to the second place, k to the third, l to the first.
    assert observed.tolist() == [[1, 1, 1], [0, 2, 2], [1, 3, 1]]
    squares = [3, 8, 11, 12, 16, 19, 24, 27, 32, 35]
    np.testing.assert_allclose(row["present_q2_inv_A2"][:10] * 5.43102**2, squares, rtol=1e-12)
    assert row["n_present"] == 60
    np.testing.assert_allclose(row["observed_q2_inv_A2"] * 5.43102**2, [3, 8, 11], rtol=1e-12)


def test_observed_values_are_those_of_the_stored_pattern():
    simulated = simulate(pd.DataFrame([_silicon("si")]), Simulation())
    cells = pd.DataFrame({"entry_id": ["si"], "reindexed_operator": [list(np.eye(3).ravel())]})
    peaks = peak_lists(cells, simulated.reflections, simulated.patterns, Peaks(), Simulation())
    angle = simulated.reflections["two_theta_deg"][0][:3]
    stored = np.interp(angle, 0.02 * np.arange(1, 3001), simulated.patterns["intensity"][0])
    np.testing.assert_allclose(peaks["observed_intensity"][0], stored, rtol=0.03)


def test_no_entries():
    frames = simulate(pd.DataFrame([_silicon("si")]), Simulation())
    cells = pd.DataFrame({"entry_id": [], "reindexed_operator": []})
    peaks = peak_lists(cells, frames.reflections, frames.patterns, Peaks(), Simulation())
    assert list(peaks.columns) == PEAKS.names
    assert len(peaks) == 0
