"""Superlattices: peaks that a smaller cell leaves are a larger one's, and impurities are not."""

import numpy as np
import pytest

import mlindex
from helpers.rutile import CU, X, cell, peaks
from mlindex.crystal.derivative import hermite_normal_forms
from mlindex.crystal.holohedries import reciprocal_change
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.superlattice import (
    OWN,
    Seen,
    _covered,
    _further_q2,
    _log_odds,
    superlattice,
)

PARENT = CellToFit("cP", "P", cell(4.08, 4.08, 4.08))
ENDS_DEG = (15.0, 85.0)


def widths(at_deg):
    return np.full(len(at_deg), 0.12)


def counts(expected):
    """The pattern of expected counts."""
    drawn = np.random.default_rng(2).poisson(expected).astype(float)
    return MeasuredPattern("drawn", X, drawn, wavelength_A=CU[0], second_wavelength_A=CU[1])


def pattern(name="elpasolite"):
    """Counts of a structure."""
    return counts(5000 * peaks(name) + 30)


def found(measured, known_deg=()):
    """The superlattice of the perovskite that the peaks left ask for."""
    peaks_found = find_peaks(measured)
    (fit,) = fit_candidates(measured, [PARENT], peaks_found).fits
    seen = Seen(CU[0], ENDS_DEG, peaks_found.calibration.widths, np.array(known_deg, dtype=float))
    return fit, superlattice(PARENT, fit, seen)


def test_an_ordered_perovskite_has_twice_the_axis():
    fit, larger = found(pattern())
    assert len(fit.stray_two_theta_deg) >= 2
    assert (larger.index, larger.bravais, larger.centring) == (2, "cF", "F")
    assert larger.cell[0] == pytest.approx(8.16, abs=0.005)
    assert larger.n_peaks == len(fit.stray_two_theta_deg)
    assert larger.log_odds > 0


def test_peaks_of_a_known_phase_tell_nothing():
    fit, _ = found(pattern())
    _, larger = found(pattern(), fit.stray_two_theta_deg)
    assert larger is None


def test_an_impurity_is_no_superlattice():
    salt = counts(5000 * peaks("rock salt") + 400 * peaks("rutile") + 30)
    peaks_found, of = find_peaks(salt), CellToFit("cF", "F", cell(5.6402, 5.6402, 5.6402))
    (fit,) = fit_candidates(salt, [of], peaks_found).fits
    assert len(fit.stray_two_theta_deg) >= 4
    seen = Seen(CU[0], ENDS_DEG, peaks_found.calibration.widths, np.empty(0))
    assert superlattice(of, fit, seen).log_odds < 0


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


def test_peaks_anywhere_are_on_average_no_evidence():
    # The mean likelihood ratio of what was drawn at random is 1.
    rng = np.random.default_rng(4)
    at = np.sort(rng.uniform(*ENDS_DEG, 60))
    seen = Seen(CU[0], ENDS_DEG, widths, np.empty(0))
    odds = [_log_odds(np.sort(rng.uniform(*ENDS_DEG, 2)), at, seen)[0] for _ in range(20_000)]
    assert np.exp(odds).mean() == pytest.approx(1, abs=0.1)
    log_odds, n = _log_odds(at[:3], at, seen)
    assert n == 3
    grid = np.linspace(*ENDS_DEG, 70_001)
    covered = float(np.mean(np.abs(grid[:, None] - at).min(axis=1) < 0.036))
    assert _covered(at, 0.3 * widths(at), ENDS_DEG) == pytest.approx(covered, rel=0.01)
    assert log_odds == pytest.approx(3 * np.log(1 - OWN + OWN / covered), rel=0.01)
