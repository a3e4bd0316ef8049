"""Superlattices: what a smaller cell leaves at the lines of a larger one is its own, and impurities
are not."""

from dataclasses import replace

import numpy as np
import pytest

import mlindex
from helpers.rutile import CU, X, cell, peaks
from mlindex.crystal.derivative import hermite_normal_forms
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.holohedries import reciprocal_change
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.superlattice import (
    PRIOR,
    Listed,
    Seen,
    _further_q2,
    _heights,
    _log_bayes,
    _Places,
    superlattice,
)

PARENT = CellToFit("cP", "P", cell(4.08, 4.08, 4.08))


def counts(expected):
    """The pattern of expected counts."""
    drawn = np.random.default_rng(2).poisson(expected).astype(float)
    return MeasuredPattern("drawn", X, drawn, wavelength_A=CU[0], second_wavelength_A=CU[1])


def pattern(name="elpasolite"):
    """Counts of a structure."""
    return counts(5000 * peaks(name) + 30)


def found(measured, known_deg=(), listed=(), of=PARENT):
    """The fit of a cell, the perovskite if not told, and the superlattice that it asks for."""
    peaks_found = find_peaks(measured)
    fits = fit_candidates(measured, [of], peaks_found)
    points = fits.two_theta_deg, fits.observed, fits.noise, fits.misfit
    known = np.array(known_deg, dtype=float)
    seen = Seen(CU[0], *points, peaks_found.calibration.widths, known)
    return fits.fits[0], superlattice(of, fits.fits[0], seen, listed), seen


def test_an_ordered_perovskite_has_twice_the_axis():
    _, larger, _ = found(pattern())
    assert (larger.index, larger.bravais, larger.centring) == (2, "cF", "F")
    assert larger.cell[0] == pytest.approx(8.16, abs=0.005)
    assert larger.log_odds > 0


def test_lines_too_weak_to_be_found_tell_together():
    weak = counts(5000 * peaks("weak elpasolite") + 30)
    fit, larger, seen = found(weak)
    ways = 2
    assert (larger.index, larger.bravais) == (2, "cF")
    # By what the ranking thought of it, whatever that is.
    other = lattice_of(larger.cell, larger.centring)
    listed = superlattice(PARENT, fit, seen, [Listed(other, -3.0, -1.0)])
    log_bayes = larger.log_odds + PRIOR + np.log(ways)
    assert listed.log_odds == pytest.approx(log_bayes - 3)
    assert listed.log_odds_before == pytest.approx(log_bayes - 1)


def test_places_of_a_known_phase_tell_nothing():
    fit, larger, seen = found(pattern())
    known = np.sort(fit.stray_two_theta_deg)
    without = superlattice(PARENT, fit, replace(seen, known_deg=known))
    assert without is None or without.log_odds < larger.log_odds - 5


def test_an_impurity_is_no_superlattice():
    salt = counts(5000 * peaks("rock salt") + 400 * peaks("rutile") + 30)
    fit, larger, _ = found(salt, of=CellToFit("cF", "F", cell(5.6402, 5.6402, 5.6402)))
    assert len(fit.stray_two_theta_deg) >= 4
    assert larger.log_odds < 0


def test_the_result_puts_the_larger_cell_first_and_says_why():
    result = mlindex.index(pattern("weak elpasolite"), lattices=["cubic"])
    best = result.candidates[0]
    assert (best.bravais, best.profile.parent) == ("cF", "cP")
    assert any("lines of this cF supercell" in note for note in result.notes)


@pytest.mark.parametrize("index", [2, 3, 4])
def test_further_lines_are_those_of_plain_enumeration(index):
    x6 = np.array([0.031, 0.023, 0.017, 0.003, 0.007, 0.005])
    every = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3), axis=-1).reshape(-1, 3)

    def q2_of(hkl, x):
        h, k, l = hkl.T
        return (
            h * h * x[0] + k * k * x[1] + l * l * x[2] + k * l * x[3] + h * l * x[4] + h * k * x[5]
        )

    own = q2_of(every, x6)
    for rows in hermite_normal_forms(index):
        larger = reciprocal_change(rows.T.astype(float)) @ x6
        q2 = q2_of(every, larger)
        q2 = np.unique(np.round(q2[(q2 > 0) & (q2 < 0.08)], 9))
        expected = q2[np.abs(q2[:, None] - own).min(axis=1) > 1e-8]
        np.testing.assert_allclose(_further_q2(larger, rows, 0.08), expected, atol=2e-9)


def test_places_like_all_others_are_on_average_no_evidence():
    # The mean likelihood ratio over what the null gives, all shares alike, is 1.
    t = (np.arange(60) + 0.5) / 60
    share, width = t**8, 8 * t**7 / len(t)
    one = np.array([_log_bayes(np.array([p])) for p in share])
    assert np.exp(one) @ width == pytest.approx(1, abs=0.01)
    two = np.array([[_log_bayes(np.array([p, q])) for p in share] for q in share])
    assert width @ np.exp(two) @ width == pytest.approx(1, abs=0.02)
    assert _log_bayes(np.full(6, 0.01)) > 5
    assert _log_bayes(np.empty(0)) is None


def test_heights_are_those_of_a_plain_fit_and_shares_those_of_a_count():
    fit, _, seen = found(pattern())
    x, width = seen.two_theta_deg, seen.widths(seen.two_theta_deg)
    flat = replace(seen, misfit=0.0)
    heights = _heights(fit, flat, width)
    for i in (200, 900):
        near = np.abs(x - x[i]) < 1.5 * width[i]
        design = np.stack([2 ** (-4 * ((x[near] - x[i]) / width[i]) ** 2), np.ones(near.sum())]).T
        design /= seen.noise[near, None]
        left = (seen.observed - fit.calculated + fit.strays)[near] / seen.noise[near]
        covariance = np.linalg.inv(design.T @ design)
        plain = (covariance @ design.T @ left)[0] / np.sqrt(covariance[0, 0])
        assert heights[i] == pytest.approx(plain, rel=1e-6)
    places = _Places(np.arange(100.0), np.full(100, 1.0), np.arange(100.0))
    shares = places.share_above(np.array([90.0]))
    assert shares == pytest.approx([(1 + 9) / 100])
