"""Profile fits of simulated patterns of real structures."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from helpers.rutile import CU, ETA, FWHM, X, cell, lines, measured
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.wholepattern.candidates import CellToFit, fit_candidates

AREA = FWHM * (ETA * np.pi / 2 + (1 - ETA) * np.sqrt(np.pi / np.log(2)) / 2)
RUTILE = CellToFit("tP", "P", cell(4.5937, 4.5937, 2.9587))
DOUBLED = CellToFit("tP", "P", cell(4.5937, 4.5937, 2 * 2.9587))
HALVED = CellToFit("tI", "I", cell(4.5937, 4.5937, 2.9587))
WRONG = CellToFit("tP", "P", cell(4.71, 4.71, 3.02))


@cache
def fits(**how):
    return fit_candidates(measured(**how), [RUTILE, DOUBLED, HALVED, WRONG])


def true_areas(fit):
    """Calculated areas (k,) of the lines of a fit, of counts 2000 high."""
    found = lines("rutile")
    at = two_theta_from_q2(found.q2_inv_A2, CU[0])
    near = np.abs(at[:, None] - fit.lines.two_theta_deg) < 0.06
    return 2000 / 100 * 1.5 * AREA * found.intensity @ near


def test_intensities_come_back_within_their_errors():
    fit = fits().fits[0]
    inside = (fit.lines.two_theta_deg > X[0] + 0.5) & (fit.lines.two_theta_deg < X[-1] - 1)
    true, error = true_areas(fit)[inside], fit.lines.error[inside]
    # Where tails end and the background begins is uncertain by some percent of each area.
    off = (fit.lines.unbounded[inside] - true) / np.hypot(error, 0.02 * true)
    assert np.sqrt(np.mean(off**2)) < 1.7
    assert np.abs(off).max() < 4.5
    strong = true > 150
    assert np.allclose(fit.lines.fitted[inside][strong], true[strong], rtol=0.04)
    assert np.all(fit.lines.fitted >= 0)
    # Counts alone leave the error sqrt(area step).
    assert 1 < np.median(error[strong] / np.sqrt(0.02 * true[strong])) < 2


def test_the_fit_is_as_good_as_counting_allows():
    fit = fits().fits[0]
    assert fit.goodness == pytest.approx(1, abs=0.08)
    assert fit.explained == pytest.approx(1, abs=0.005)
    assert np.all(np.abs(fit.cell - RUTILE.cell)[[0, 2]] < 5 * fit.cell_error[[0, 2]])
    assert np.all(fit.cell_error[3:] == 0)
    assert 0 < fit.cell_error[0] < 1e-3
    difference = fits().difference(0)
    assert np.std(difference / fits().noise) == pytest.approx(1, abs=0.1)


def test_covariance_is_positive_and_holds_overlaps():
    found = fits().fits[0].lines
    assert np.linalg.eigvalsh(found.covariance).min() > 0
    correlation = found.covariance / np.outer(found.error, found.error)
    apart = np.abs(np.subtract.outer(found.two_theta_deg, found.two_theta_deg))
    assert np.abs(correlation[apart > 5]).max() < 0.05


@pytest.mark.parametrize("times", [0.01, 7.0])
def test_counts_in_another_unit_scale_the_intensities(times):
    fit, scaled = fits().fits[0], fits(times=times).fits[0]
    assert np.allclose(scaled.lines.fitted, times * fit.lines.fitted, rtol=1e-3, atol=times * 0.05)
    assert scaled.r_wp == pytest.approx(fit.r_wp, rel=1e-3)
    assert scaled.evidence.total == pytest.approx(fit.evidence.total, abs=1)


def test_supercell_fits_no_worse_and_is_less_probable():
    fit, doubled = fits().fits[:2]
    assert doubled.r_wp <= fit.r_wp * (1 + 1e-4)
    assert doubled.evidence.total > fit.evidence.total + 20
    assert doubled.evidence.misfit <= fit.evidence.misfit + 0.5


@pytest.mark.parametrize("how", [{}, {"other": 0.2}, {"other": 0.06, "zero": 0.05}])
def test_true_cell_is_first(how):
    found = fits(**how)
    assert found.ranked[0] == 0
    assert set(found.ranked) == {0, 1, 2, 3}


def test_other_phases_are_free_peaks():
    fit = fits(other=0.2).fits[0]
    strong = two_theta_from_q2(np.array([4, 8]) / 5.6402**2, CU[0])
    assert all(np.abs(fit.stray_two_theta_deg - at).min() < 0.03 for at in strong)
    assert 0.7 < fit.explained < 0.95
    assert np.all(np.abs(fit.cell - RUTILE.cell)[[0, 2]] < 5 * fit.cell_error[[0, 2]])


@pytest.mark.parametrize(("zero", "displacement"), [(0.08, 0.0), (0.0, 0.08)])
def test_shifts_are_found_and_do_not_bend_the_cell(zero, displacement):
    fit = fits(height=20000.0, zero=zero, displacement=displacement).fits[0]
    used = [s.deg if s.used else 0.0 for s in (fit.zero_shift, fit.displacement)]
    theta = np.radians(np.array([15.0, 40.0]))
    seen = used[0] + used[1] * np.cos(theta)
    # The two differ by 0.01 degrees over this range: errors of the cell contain both.
    assert np.allclose(seen, zero + displacement * np.cos(theta), atol=0.03)
    assert np.all(np.abs(fit.cell - RUTILE.cell)[[0, 2]] < 4 * fit.cell_error[[0, 2]])


def test_cells_that_are_too_large_are_left_out():
    huge = CellToFit("aP", "P", np.array([400.0, 410.0, 420.0, 80.0, 85.0, 95.0]))
    found = fit_candidates(measured(), [huge, RUTILE])
    assert found.fits[0] is None
    assert found.ranked == (1,)
    with pytest.raises(ValueError, match="candidate 1 could not be fitted"):
        found.difference(0)


def test_no_candidates_and_no_peaks_give_nothing():
    assert fit_candidates(measured(), []) is None
    flat = replace(measured(), intensity=np.full(len(X), 5.0))
    assert fit_candidates(flat, [RUTILE]) is None


def test_workers_change_nothing():
    one = fit_candidates(measured(), [RUTILE, DOUBLED], workers=1)
    two = fit_candidates(measured(), [RUTILE, DOUBLED], workers=2)
    for a, b in zip(one.fits, two.fits, strict=True):
        assert np.array_equal(a.calculated, b.calculated)
        assert a.evidence == b.evidence
