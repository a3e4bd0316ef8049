"""Several phases against a whole pattern: what one leaves, what a second one adds, and all of them
together."""

from dataclasses import replace

import numpy as np
import pytest

import mlindex
from helpers.rutile import CU, measured
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.indexing.result import SamplePhase
from mlindex.patterns.peaksearch import PeakSearch, find_peaks
from mlindex.wholepattern.data import ALL_PEAKS
from mlindex.wholepattern.phases import ProfilePhases

SALT_A = 5.6402
SHARE = 0.3


@pytest.fixture(scope="module")
def pattern():
    return measured(other=SHARE)


@pytest.fixture(scope="module")
def candidates(pattern):
    """Rutile, and a cell like that of salt."""
    peaks = find_peaks(pattern).peaks
    rutile = mlindex.index(peaks, lattices=["tetragonal"], keep=1, workers=1).candidates[0]
    cell = np.array([SALT_A, SALT_A, SALT_A, 90.0, 90.0, 90.0])
    return rutile, replace(rutile, bravais="cF", centring="F", cell=cell)


@pytest.fixture(scope="module")
def phases(pattern):
    return ProfilePhases(pattern, find_peaks(pattern, PeakSearch(max_peaks=ALL_PEAKS)), ())


def salt_deg():
    n = np.array([3, 4, 8, 11, 12, 16, 19, 20, 24])
    return two_theta_from_q2(n / SALT_A**2, CU[0])


def test_peaks_that_a_cell_leaves_are_those_of_the_other_phase(phases, candidates):
    left = phases.leave(candidates[:1])
    at = two_theta_from_q2(left.q2_inv_A2, CU[0])
    away = np.abs(at[:, None] - salt_deg()).min(axis=1)
    assert len(left) >= 5
    assert np.all(away < 0.03)
    assert np.all(away < 5 * left.two_theta_error_deg)
    assert phases.leave(candidates) is None or len(phases.leave(candidates)) <= 1


def test_the_profile_asks_for_the_right_cell_only(phases, candidates):
    rutile, salt = candidates
    gain = phases.gain([rutile], salt)
    assert gain > 20
    off = replace(salt, cell=salt.cell * [1.03, 1.03, 1.03, 1, 1, 1])
    assert phases.gain([rutile], off) < 0
    # What is not there adds nothing, and costs.
    assert phases.gain([rutile, salt], off) < 0


def sample_phase(candidate, share, known):
    lines = np.arange(3)
    return SamplePhase(
        candidate.bravais,
        "known" if known else "found",
        candidate.cell,
        candidate.centring,
        lines,
        np.zeros(3, dtype=bool),
        share,
        9,
        None if known else candidate,
    )


@pytest.mark.parametrize("known", [False, True])
def test_all_phases_are_fitted_together(phases, candidates, known):
    sample = [sample_phase(candidates[1], SHARE, known), sample_phase(candidates[0], 0.7, False)]
    fit = phases.together(sample)
    assert fit.goodness == pytest.approx(1, abs=0.1)
    assert fit.explained == pytest.approx(1, abs=0.005)
    salt, rutile = fit.phases
    assert salt.cell[0] == pytest.approx(SALT_A, abs=5 * salt.cell_error[0])
    assert 0 < salt.cell_error[0] < 1e-2
    assert salt.share + rutile.share == pytest.approx(fit.explained)
    assert salt.share == pytest.approx(SHARE / (1 + SHARE), abs=0.06)
    assert 0 < salt.share_error < 0.02
    assert min(salt.log_evidence, rutile.log_evidence) > 20
    assert np.abs(fit.difference / np.sqrt(fit.observed)).mean() < 1.2
    # Overlaps are shared out: the parts add up to the whole.
    assert np.all(salt.calculated + rutile.calculated <= fit.calculated + 1e-6)
