"""Observed peaks drawn from list 1, and the two distributions that they are drawn by."""

import numpy as np
import pandas as pd
import pytest

from mlindex.crystal.lattice import SYSTEMS
from mlindex.method.resampling import (
    FALLBACK_PLATEAU,
    MIN_FIT_REFLECTIONS,
    Acceptance,
    PeakLists,
    Resolution,
    fit_acceptance,
    fit_first_peak,
    least_separations,
    resample,
)
from mlindex.method.tables import ACCEPTANCE, FIRST_PEAK
from mlindex.patterns.settings import Peaks, Simulation

RESOLUTION = Resolution.from_settings(Peaks(), Simulation())
ALWAYS = Acceptance(np.e, 1e9, 1.0, 0.0, True)
AT_0 = pd.DataFrame({"position": [0], "probability": [1.0]})


def q2_at(two_theta_deg):
    sine = np.sin(np.radians(np.asarray(two_theta_deg, dtype=float) / 2))
    return (2 * sine / 1.5406) ** 2


def lists_of(rows):
    """PeakLists of (list 1, list 2) pairs of q²."""
    zeros = [np.zeros(len(present), dtype=int) for present, _ in rows]
    frame = {f"present_{n}": zeros for n in "hkl"}
    frame["present_q2_inv_A2"] = [np.asarray(present) for present, _ in rows]
    frame["observed_q2_inv_A2"] = [np.asarray(observed) for _, observed in rows]
    return PeakLists.from_frame(pd.DataFrame(frame))


def draw(two_theta_deg, acceptance, n_peaks, first=AT_0, repeats=1, seed=0):
    q2 = np.tile(q2_at(two_theta_deg), (repeats, 1))
    rng = np.random.default_rng(seed)
    return resample(q2, first, acceptance, RESOLUTION, n_peaks, rng)


def test_resolution_is_that_of_the_simulated_pattern():
    assert RESOLUTION.min_separation_deg == pytest.approx(0.1 / 1.5)
    assert RESOLUTION.q2_max_inv_A2 == pytest.approx(1 / 1.5406**2)
    assert RESOLUTION.two_theta_deg(q2_at([10.0, 60.0])) == pytest.approx([10.0, 60.0])


def test_padded_lists_know_what_was_observed():
    lists = lists_of([([0.01, 0.02, 0.03], [0.02, 0.03]), ([0.05], [0.07]), ([], [])])
    assert lists.observed.tolist() == [[False, True, True], [False] * 3, [False] * 3]
    assert lists.count.tolist() == [3, 1, 0]
    assert np.isinf(lists.q2_inv_A2[1, 1:]).all()


def test_least_separation_is_to_the_nearer_neighbour():
    found = least_separations(np.array([[1.0, 3.0, 4.0, 8.0], [1.0, 2.0, np.inf, np.inf]]))
    assert found.tolist() == [[2, 1, 1, 4], [1, 1, np.inf, np.inf]]


def test_first_peak_histogram():
    present = [0.01, 0.02, 0.03]
    rows = [(present, [0.01])] * 2 + [(present, [0.03])] * 1 + [(present, [0.9])]
    table = fit_first_peak(lists_of(rows))
    assert list(table.columns) == FIRST_PEAK.names
    assert table["probability"].to_numpy() == pytest.approx([2 / 3, 0, 1 / 3])
    assert fit_first_peak(lists_of([])).to_dict("list") == {"position": [0], "probability": [1.0]}


def test_close_to_the_selected_peak_is_rejected():
    columns, filled = draw([10, 10.05, 12, 14], ALWAYS, 3)
    assert filled.tolist() == [3]
    assert columns.tolist() == [[0, 2, 3]]


def test_of_two_that_overlap_one_is_seen_by_lot():
    columns, filled = draw([10, 12, 12.05, 14], ALWAYS, 3, repeats=4000)
    assert (filled == 3).all()
    assert np.isin(columns[:, 1], [1, 2]).all()
    assert (columns[:, 1] == 1).mean() == pytest.approx(0.5, abs=0.03)
    assert (columns[:, 2] == 3).all()


def test_resolved_peaks_are_accepted_by_eq_19():
    acceptance = Acceptance(np.e, 400.0, 0.9, -1.0, True)
    angles = [10.0, 12.0, 12.5, 14.0]
    columns, _ = draw(angles, acceptance, 2, repeats=40_000, seed=1)
    q2 = q2_at(angles)
    rho = (0.9 - q2[1]) * (1 - np.exp(-400 * (q2[2] - q2[1])))
    assert 0.2 < rho < 0.7
    assert (columns[:, 1] == 1).mean() == pytest.approx(rho, abs=0.01)


def test_peaks_beyond_the_pattern_are_not_observed():
    columns, filled = draw([40, 50, 59.9, 60.1, 70], ALWAYS, 5)
    assert filled.tolist() == [3]
    assert columns[0, :3].tolist() == [0, 1, 2]
    beyond = pd.DataFrame({"position": [4], "probability": [1.0]})
    assert draw([40, 50, 59.9, 60.1, 70], ALWAYS, 5, beyond)[1].tolist() == [0]


def test_the_first_peak_follows_its_distribution():
    first = pd.DataFrame({"position": [0, 1, 2], "probability": [0.5, 0.3, 0.2]})
    columns, _ = draw([10, 20, 30, 40], ALWAYS, 1, first, repeats=20_000)
    assert np.bincount(columns[:, 0]) / 20_000 == pytest.approx([0.5, 0.3, 0.2], abs=0.015)


def test_the_fit_finds_the_acceptance_that_made_the_data():
    rng = np.random.default_rng(3)
    true = Acceptance(np.e, 900.0, 0.95, -0.6, True)
    rows = []
    for _ in range(3000):
        q2 = np.sort(rng.uniform(0.01, 0.4, 60))
        seen = rng.random(60) < true.probability(least_separations(q2[None])[0], q2)
        seen[0] = True
        rows.append((q2, q2[seen]))
    found, table = fit_acceptance(lists_of(rows), SYSTEMS["monoclinic"], 50, RESOLUTION)
    assert found.fitted
    assert found.r1_A2 == pytest.approx(900, rel=0.05)
    assert found.c_intercept == pytest.approx(0.95, abs=0.02)
    assert found.c_slope_A2 == pytest.approx(-0.6, abs=0.06)
    assert list(table.columns) == ACCEPTANCE.names
    large = table[table["peaks"] > 300]
    assert len(large) > 20
    assert np.abs(large["observed"] - large["fitted"]).max() < 0.08
    ACCEPTANCE.arrow(table)


def test_c_never_exceeds_one():
    rng = np.random.default_rng(4)
    rows = [(q2, q2) for q2 in np.sort(rng.uniform(0.01, 0.42, (200, 40)), axis=1)]
    found, _ = fit_acceptance(lists_of(rows), SYSTEMS["triclinic"], 50, RESOLUTION)
    q2 = np.linspace(0, RESOLUTION.q2_max_inv_A2, 50)
    c = found.c_intercept + found.c_slope_A2 * q2
    assert c.max() <= 1 + 1e-12
    assert c.min() > 0.95


def test_few_reflections_get_the_stated_stand_in():
    present = np.array([0.01, 0.05, 0.1, 0.15, 0.2])
    few = lists_of([(present, present[[0, 1, 3]])])
    found, table = fit_acceptance(few, SYSTEMS["cubic"], 50, RESOLUTION)
    assert not found.fitted
    assert found.c_intercept == pytest.approx(0.5)
    assert table["peaks"].sum() == 4 < MIN_FIT_REFLECTIONS
    none, table = fit_acceptance(lists_of([]), SYSTEMS["cubic"], 50, RESOLUTION)
    assert none.c_intercept == FALLBACK_PLATEAU
    assert len(ACCEPTANCE.arrow(table)) == 0
