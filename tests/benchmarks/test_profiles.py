"""The benchmark of profile fits: what it simulates, and what it counts."""

import numpy as np
import pandas as pd
import pytest

from helpers.benchmark_modules import benchmark


@pytest.fixture(scope="module")
def profiles():
    with benchmark("profiles") as module:
        yield module


def lines(name, *q2_and_intensity):
    q2, intensity = np.array(q2_and_intensity).T
    return pd.Series({"q2_inv_A2": q2, "intensity": intensity}, name=name)


def test_second_phase_has_its_share_of_the_intensity(profiles):
    main = lines("main", (0.06, 100.0), (0.11, 40.0))
    other = lines("other", (0.08, 100.0))
    alone = profiles._mixed(main, other, 0.0, np.random.default_rng(1)).intensity
    mixed = profiles._mixed(main, other, 0.2, np.random.default_rng(1)).intensity
    x = profiles._TWO_THETA_DEG
    near = np.abs(x - 25.2) < 1.5
    far = ~near & (np.abs(x - 21.8) < 1.5) | (np.abs(x - 29.6) < 1.5)
    base = np.median(alone[near]) * near.sum()
    second = mixed[near].sum() - base
    first = mixed[far].sum() - np.median(alone[far]) * far.sum()
    assert second / (first + second) == pytest.approx(0.2, abs=0.04)
    assert np.abs(alone[near] - np.median(alone[near])).max() < 60


def test_lines_of_both_wavelengths_have_their_areas(profiles):
    curve = profiles._curve(lines("x", (0.08, 10.0)), 0.1, 0.5, np.array([0.05, 0.0]))
    step = profiles._TWO_THETA_DEG[1] - profiles._TWO_THETA_DEG[0]
    assert curve.sum() * step == pytest.approx(15, rel=0.03)
    assert profiles._TWO_THETA_DEG[curve.argmax()] == pytest.approx(25.18 + 0.05, abs=0.03)


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
