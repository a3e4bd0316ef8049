"""A measured pattern is indexed with its profile."""

from dataclasses import replace

import numpy as np
import pytest

import mlindex
from helpers.rutile import CU, X, measured
from mlindex.indexing.options import Options
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.indexer import index_pattern


@pytest.fixture(scope="module")
def result():
    return mlindex.index(measured(other=0.1), lattices=["tetragonal"], keep=3)


def test_candidates_have_their_fits(result):
    best = result.candidates[0]
    assert best.cell[[0, 2]] == pytest.approx([4.5937, 2.9587], rel=1e-3)
    fit = best.profile
    assert fit.goodness == pytest.approx(1, abs=0.1)
    assert 0.8 < fit.explained < 0.95
    assert fit.n_other_peaks >= 2
    assert "other peaks" in repr(fit)
    assert len(result.candidates) == 3
    # One pattern, whatever the candidate.
    assert all(c.profile.observed is fit.observed for c in result.candidates)
    assert all(c.profile.two_theta_deg is fit.two_theta_deg for c in result.candidates)
    assert all(c.profile.log_evidence < fit.log_evidence for c in result.candidates[1:])


def test_what_the_cell_leaves_is_the_other_phase(result):
    fit = result.candidates[0].profile
    salt = np.degrees(2 * np.arcsin(CU[0] / 2 / (5.6402 / 2)))
    at = np.abs(fit.two_theta_deg - salt) < 0.1
    assert fit.difference[at].max() > 100
    noise = np.sqrt(fit.observed)
    assert np.median(np.abs(fit.difference / noise)) < 1


def test_who_stops_waits_for_no_fits():
    found = index_pattern(measured(), Options(lattices=("cubic",)), stopped=lambda: True)[0]
    assert all(candidate.profile is None for candidate in found.candidates)


def test_pattern_over_d_without_a_wavelength_is_fitted():
    pattern = replace(
        measured(),
        wavelength_A=None,
        second_wavelength_A=None,
        nominal_wavelength_A=CU[0],
        two_theta_deg=X,
    )
    found = find_peaks(pattern)
    assert found.peaks.wavelength_A is None
    best = mlindex.index(pattern, lattices=["tP"], keep=1).candidates[0]
    # The second lines of the doublet, of which nothing is known, are nobody's.
    assert 0.8 < best.profile.explained < 0.95
