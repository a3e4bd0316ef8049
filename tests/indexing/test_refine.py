"""Refined cells against exact data, scipy's general least squares, and statistics of many fits."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.refine import refine

WAVELENGTH_A = 1.5406
START = np.array([6.1, 7.3, 8.7, 81.0, 95.0, 103.0])


def _cell(symbol: str) -> np.ndarray:
    system = BRAVAIS[symbol].system
    return system.cell_from_free(system.free_from_cell(START))


def _lines(cell: np.ndarray, centring: str, n: int = 25) -> tuple[np.ndarray, np.ndarray]:
    hkl = reflections(cell, centring, 0.6)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    _, first = np.unique(np.round(q2, 9), return_index=True)
    return hkl[first][:n], q2[first][:n]


@pytest.mark.parametrize("symbol", list(BRAVAIS))
@pytest.mark.parametrize("shift", [0.0, 0.07])
def test_exact_lines_give_back_cell_and_shift(symbol: str, shift: float) -> None:
    lattice, cell = BRAVAIS[symbol], _cell(symbol)
    hkl, q2 = _lines(cell, lattice.centring)
    two_theta = two_theta_from_q2(q2, WAVELENGTH_A) + shift
    observed = q2_from_two_theta(two_theta, WAVELENGTH_A)
    found = refine(
        cell * 1.01,
        lattice.centring,
        lattice.system,
        observed,
        np.full(len(q2), 1e-5),
        hkl,
        two_theta,
        WAVELENGTH_A,
        zero_shift=True,
    )
    np.testing.assert_allclose(found.cell, cell, rtol=1e-8)
    assert found.shift.zero_deg == pytest.approx(shift, abs=1e-8)
    np.testing.assert_allclose(found.q2_corrected_inv_A2, q2, rtol=1e-7)
    np.testing.assert_allclose(found.q2_calculated_inv_A2, q2, rtol=1e-7)
    fixed = [not isinstance(entry, str) for entry in lattice.system.template]
    assert not found.cell_error[fixed].any()
    assert found.used.all()


@pytest.mark.parametrize("symbol", list(BRAVAIS))
def test_uncertainties_are_those_of_general_least_squares(symbol: str) -> None:
    lattice, cell = BRAVAIS[symbol], _cell(symbol)
    system = lattice.system
    hkl, q2 = _lines(cell, lattice.centring)
    rng = np.random.default_rng(11)
    two_theta = two_theta_from_q2(q2, WAVELENGTH_A) + 0.04 + rng.normal(0, 0.01, len(q2))
    q2 = q2_from_two_theta(two_theta, WAVELENGTH_A)
    sigma = 2e-5 * (1 + np.arange(len(q2)) / 10)
    found = refine(
        cell, lattice.centring, system, q2, sigma, hkl, two_theta, WAVELENGTH_A, zero_shift=True
    )

    def residual(p: np.ndarray) -> np.ndarray:
        x = reciprocal_from_cell(system.cell_from_free(p[:-1]))
        corrected = q2_from_two_theta(two_theta - p[-1], WAVELENGTH_A)
        return (corrected - quadratic_terms(hkl) @ x) / sigma

    start = np.append(system.free_from_cell(cell), 0.0)
    fit = least_squares(residual, start, method="lm", xtol=1e-13, ftol=1e-13)
    chi2 = 2 * fit.cost / (len(q2) - len(start))
    error = np.sqrt(np.diag(np.linalg.inv(fit.jac.T @ fit.jac)) * chi2)
    np.testing.assert_allclose(system.free_from_cell(found.cell), fit.x[:-1], rtol=1e-6)
    np.testing.assert_allclose(system.free_from_cell(found.cell_error), error[:-1], rtol=2e-3)
    assert found.shift.zero_deg == pytest.approx(fit.x[-1], abs=1e-6)
    assert found.shift.zero_error_deg == pytest.approx(error[-1], rel=2e-3)
    assert found.chi2_reduced == pytest.approx(chi2, rel=1e-6)


def test_uncertainties_are_the_scatter_of_many_measurements() -> None:
    system = SYSTEMS["monoclinic"]
    cell = np.array([6.1, 7.3, 8.7, 90, 95, 90])
    hkl, q2 = _lines(cell, "P")
    rng = np.random.default_rng(5)
    sigma = np.full(len(q2), 3e-5)
    fits = [refine(cell, "P", system, q2 + rng.normal(0, sigma), sigma, hkl) for _ in range(300)]
    pull = np.array(
        [(f.cell - cell)[:5] / np.where(f.cell_error, f.cell_error, 1)[:5] for f in fits]
    )
    free = [0, 1, 2, 4]
    # Student's t with 21 degrees of freedom: 1.05.
    np.testing.assert_allclose(pull[:, free].std(axis=0), 1.05, atol=0.12)
    np.testing.assert_allclose(pull[:, free].mean(axis=0), 0, atol=0.2)


def test_lines_without_indices_take_no_part() -> None:
    system = SYSTEMS["orthorhombic"]
    cell = np.array([5.0, 6.1, 7.3, 90, 90, 90])
    hkl, q2 = _lines(cell, "P")
    hkl, q2 = hkl.copy(), q2.copy()
    hkl[3], q2[3] = 0, q2[3] * 1.01
    found = refine(cell, "P", system, q2, np.full(len(q2), 1e-5), hkl)
    np.testing.assert_allclose(found.cell, cell, rtol=1e-10)
    assert np.isnan(found.q2_calculated_inv_A2[3])
    assert not found.used[3]
    assert found.used.sum() == len(q2) - 1


def test_outliers_are_left_out_when_asked() -> None:
    system = SYSTEMS["orthorhombic"]
    cell = np.array([5.0, 6.1, 7.3, 90, 90, 90])
    hkl, q2 = _lines(cell, "P")
    rng = np.random.default_rng(2)
    sigma = np.full(len(q2), 2e-5)
    q2 = q2 + rng.normal(0, sigma)
    q2[[4, 9, 17]] += np.array([60, -40, 25]) * sigma[0]
    kept = refine(cell, "P", system, q2, sigma, hkl)
    found = refine(cell, "P", system, q2, sigma, hkl, outlier_sigmas=4.5)
    assert list(np.flatnonzero(~found.used)) == [4, 9, 17]
    assert np.abs(found.cell - cell).max() < 0.2 * np.abs(kept.cell - cell).max()
    assert found.chi2_reduced < 3 < kept.chi2_reduced


def test_indices_are_found_where_none_are_given() -> None:
    system = SYSTEMS["tetragonal"]
    cell = np.array([5.0, 5.0, 7.3, 90, 90, 90])
    _, q2 = _lines(cell, "I")
    start = cell * np.array([1.001, 1.001, 0.9995, 1, 1, 1])
    found = refine(start, "I", system, q2, np.full(len(q2), 1e-5))
    np.testing.assert_allclose(found.cell, cell, rtol=1e-9)
    assert (found.hkl.sum(axis=1) % 2 == 0).all()


def test_what_cannot_be_refined_says_why() -> None:
    system = SYSTEMS["orthorhombic"]
    cell = np.array([5.0, 6.1, 7.3, 90, 90, 90])
    hkl, q2 = _lines(cell, "P")
    sigma = np.full(len(q2), 1e-5)
    with pytest.raises(ValueError, match="2 indexed lines for 3 parameters"):
        refine(cell, "P", system, q2[:2], sigma[:2], hkl[:2])
    flat = hkl[:, 2] == 0
    with pytest.raises(ValueError, match="don't determine the cell"):
        refine(cell, "P", system, q2[flat], sigma[flat], hkl[flat])
    with pytest.raises(ValueError, match="without the wavelength"):
        refine(cell, "P", system, q2, sigma, hkl, zero_shift=True)
    with pytest.raises(ValueError, match="can't be reached"):
        refine(cell, "P", system, q2, sigma, hkl, wavelength_A=9.0, zero_shift=True)
    with pytest.raises(ValueError, match="don't fit any cell"):
        refine(
            cell,
            "P",
            system,
            np.array([0.04, 0.02, 0.05]),
            sigma[:3],
            hkl=[[1, 0, 0], [1, 1, 0], [0, 0, 1]],
        )
