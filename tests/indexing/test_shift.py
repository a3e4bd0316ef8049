"""Zero shift and sample displacement: which is chosen, and what the errors of the cell say."""

from __future__ import annotations

import numpy as np
import pytest

import mlindex
from mlindex.crystal.bragg import q2_from_two_theta, q2_per_radian, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.refine import Refined, refine
from mlindex.indexing.shift import NO_SHIFT, LineShift
from mlindex.indexing.shift_choice import refine_with_shift
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.notation import shift_text

WAVELENGTH_A = 1.5406
MONOCLINIC = np.array([6.1, 7.3, 8.7, 90, 95, 90])
CUBIC = np.array([7.8, 7.8, 7.8, 90, 90, 90])


def _lines(cell: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n, 3) and true 2theta (n,) of the first lines of a primitive cell."""
    hkl = reflections(cell, "P", 1.2)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    _, first = np.unique(np.round(q2, 9), return_index=True)
    return hkl[first][:n], two_theta_from_q2(q2[first][:n], WAVELENGTH_A)


def _refined(symbol: str, cell: np.ndarray, hkl: np.ndarray, seen_deg: np.ndarray) -> Refined:
    system = BRAVAIS[symbol].system
    q2 = q2_from_two_theta(seen_deg, WAVELENGTH_A)
    sigma = np.radians(q2_per_radian(np.radians(seen_deg), WAVELENGTH_A)) * 0.02
    return refine_with_shift(
        lambda zero, displacement: refine(
            cell, "P", system, q2, sigma, hkl, seen_deg, WAVELENGTH_A, zero, displacement
        )
    )


def test_what_is_put_on_is_taken_off() -> None:
    true = np.linspace(3, 150, 40)
    shift = LineShift(-0.2, 0.35)
    np.testing.assert_allclose(shift.taken_off(shift.put_on(true)), true, atol=1e-10)
    np.testing.assert_array_equal(NO_SHIFT.put_on(true), true)
    assert shift.put_on(np.array([120.0]))[0] == pytest.approx(120 - 0.2 + 0.35 / 2)


@pytest.mark.parametrize(("zero", "displacement"), [(0.06, 0.0), (0.0, 0.15), (-0.05, 0.12)])
def test_the_shift_that_a_pattern_has_is_chosen(zero: float, displacement: float) -> None:
    # Up to 110 degrees of 2theta, and better than most instruments: below, the two look alike.
    hkl, true = _lines(CUBIC, 60)
    rng = np.random.default_rng(0)
    seen = LineShift(zero, displacement).put_on(true) + rng.normal(0, 0.0004, len(true))
    found = _refined("cP", CUBIC, hkl, seen)
    shift = found.shift
    assert (shift.zero_deg != 0, shift.displacement_deg != 0) == (zero != 0, displacement != 0)
    assert not shift.undecided
    assert abs(shift.zero_deg - zero) < max(4 * shift.zero_error_deg, 1e-3)
    assert abs(shift.displacement_deg - displacement) < max(4 * shift.displacement_error_deg, 1e-3)
    assert abs(found.cell[0] - 7.8) < 4 * found.cell_error[0] < 0.003


def test_errors_contain_both_shifts_where_the_lines_do_not_tell_them_apart() -> None:
    hkl, true = _lines(CUBIC, 12)
    rng = np.random.default_rng(3)
    found = _refined("cP", CUBIC, hkl, LineShift(0.0, 0.1).put_on(true) + rng.normal(0, 0.01, 12))
    assert found.shift.undecided
    assert "the errors of the cell contain both" in shift_text(found.shift)
    one = "displacement" if found.shift.displacement_deg else "zero shift"
    assert one in shift_text(found.shift).split(",")[0]


@pytest.mark.parametrize("noise_deg", [0.003, 0.015])
def test_errors_of_cells_cover_the_truth_as_often_as_they_say(noise_deg: float) -> None:
    hkl, true = _lines(MONOCLINIC, 25)
    rng = np.random.default_rng(5)
    pulls = []
    for number in range(120):
        size = rng.normal(0, 0.08)
        shift = LineShift(size, 0.0) if number % 2 else LineShift(0.0, size)
        seen = shift.put_on(true) + rng.normal(0, noise_deg, len(true))
        found = _refined("mP", MONOCLINIC, hkl, seen)
        free = found.cell_error > 0
        pulls.append(np.abs((found.cell - MONOCLINIC)[free] / found.cell_error[free]))
    within = np.array(pulls)
    assert 0.6 < (within < 1).mean() < 0.9
    assert (within < 3).mean() > 0.98


def test_a_displaced_sample_does_not_bend_the_cell() -> None:
    _, true = _lines(CUBIC, 20)
    seen = LineShift(0.0, 0.15).put_on(true)
    peaks = PeakList("x", q2_from_two_theta(seen, WAVELENGTH_A), None, WAVELENGTH_A)
    found = mlindex.index(peaks, lattices="cP", time_limit_s=600)
    best = found.candidates[0]
    assert best.displacement_deg == pytest.approx(0.15, abs=1e-4)
    assert best.zero_shift_deg == 0
    assert best.cell[0] == pytest.approx(7.8, abs=1e-5)
    np.testing.assert_allclose(
        best.shift.put_on(two_theta_from_q2(best.q2_calculated_inv_A2, WAVELENGTH_A)),
        seen,
        atol=1e-4,
    )


def test_lines_without_a_shift_get_none() -> None:
    _, true = _lines(CUBIC, 20)
    peaks = PeakList("x", q2_from_two_theta(true, WAVELENGTH_A), None, WAVELENGTH_A)
    found = mlindex.index(peaks, lattices="cP", time_limit_s=600)
    assert found.candidates[0].shift == NO_SHIFT
