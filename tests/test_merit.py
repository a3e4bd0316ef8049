"""Figures of merit against sums done by hand and against gemmi."""

import gemmi
import numpy as np
import pytest

from mlindex.lattice import BRAVAIS, allowed_by_centring
from mlindex.merit import (
    distinct,
    f_n,
    merit,
    nearest_index,
    q2_from_two_theta,
    reflections,
    two_theta_from_q2,
)


def test_m_of_a_cubic_cell_by_hand() -> None:
    # a = 10: lines at 1, 2, 3, 4, 5, 6, 8 hundredths; five are seen, each 1e-5 too high.
    q2 = np.array([1, 2, 3, 5, 6]) / 100 + 1e-5
    found = merit(q2, np.array([10, 10, 10, 90, 90, 90]), "P")
    assert found.n_calculated == 6
    assert found.m == pytest.approx(q2[-1] / (2 * 1e-5 * 6))
    np.testing.assert_allclose(found.q2_calculated_inv_A2, np.array([1, 2, 3, 5, 6]) / 100)


def test_published_figure_of_smith_and_snyder_form() -> None:
    # t-ZrO2 (Powder Diffraction 12, 96, 1997): F18 = 62 (0.012, 24), that is 18/(0.012 x 24).
    two_theta = np.linspace(25, 90, 18)
    q2 = q2_from_two_theta(two_theta, 1.5406)
    calculated = q2_from_two_theta(two_theta + 0.012, 1.5406)
    assert f_n(q2, calculated, 24, 1.5406) == pytest.approx(62.5, rel=1e-6)


def test_centring_halves_the_calculated_lines() -> None:
    cell = np.array([7.0, 8.1, 9.3, 90, 90, 90])
    q2 = np.sort(1 / np.array([4.0, 3.1, 2.2]) ** 2)
    counts = {c: merit(q2, cell, c).n_calculated for c in "PIF"}
    assert counts["P"] > 1.7 * counts["I"]
    assert counts["I"] > 1.5 * counts["F"]


def test_exact_lines_give_a_finite_figure_with_a_floor() -> None:
    cell = np.array([5.0, 5.0, 5.0, 90, 90, 90])
    q2 = np.array([1, 2, 3]) / 25
    assert merit(q2, cell, "P", floor_q2_inv_A2=1e-6).m == pytest.approx(
        0.12 / (2e-6 * 3), rel=1e-6
    )


@pytest.mark.parametrize("symbol", ["P 1", "A 1 2 1", "B 1 1 2", "C 1 2 1", "I 4", "F 2 3"])
def test_absences_are_those_of_gemmi(symbol: str) -> None:
    operations = gemmi.SpaceGroup(symbol).operations()
    hkl = np.array([(h, k, l) for h in range(-3, 4) for k in range(-3, 4) for l in range(-3, 4)])
    expected = [not operations.is_systematically_absent(list(map(int, row))) for row in hkl]
    np.testing.assert_array_equal(allowed_by_centring(hkl, symbol[0]), expected)


def test_every_reflection_is_there_once() -> None:
    cell = np.array([5.1, 6.2, 7.3, 81, 95, 103])
    q2_max = 0.3
    hkl = reflections(cell, "P", q2_max)
    unit = gemmi.UnitCell(*cell)
    expected = {
        (h, k, l)
        for h in range(-9, 10)
        for k in range(-9, 10)
        for l in range(-9, 10)
        if (h, k, l) > (0, 0, 0) and unit.calculate_1_d2([h, k, l]) <= q2_max
    }
    assert {tuple(int(v) for v in row) for row in hkl} == expected


def test_too_large_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        reflections(np.array([400.0, 400, 400, 90, 90, 90]), "P", 0.5)


def test_angles_and_back() -> None:
    assert two_theta_from_q2(q2_from_two_theta(37.5, 1.2), 1.2) == pytest.approx(37.5)
    assert np.isnan(two_theta_from_q2(9.0, 1.5406))


def test_nearest_and_distinct() -> None:
    assert list(nearest_index(np.array([0.0, 1.4, 1.6, 9.0]), np.array([1.0, 2.0]))) == [0, 0, 1, 1]
    assert list(distinct(np.array([1.0, 1.0 + 1e-12, 2.0]))) == [0, 2]


def test_each_bravais_lattice_names_its_letters() -> None:
    for lattice in BRAVAIS.values():
        assert lattice.centring in lattice.centrings
        assert lattice.published_rate
