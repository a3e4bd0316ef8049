"""Bragg's law: angles to q² and back, other wavelengths, and what can't be reached."""

import numpy as np
import pytest

from mlindex.crystal.bragg import (
    q2_from_two_theta,
    q2_per_radian,
    two_theta_at_wavelength,
    two_theta_from_q,
    two_theta_from_q2,
)

CU, OTHER = 1.5405929, 1.392234
ANGLES = np.linspace(0.5, 179.5, 400)


def test_silicon_111_as_certified():
    assert two_theta_from_q2(3 / 5.43123**2, CU) == pytest.approx(28.441, abs=1e-3)


def test_there_and_back():
    q2 = q2_from_two_theta(ANGLES, CU)
    np.testing.assert_allclose(two_theta_from_q2(q2, CU), ANGLES, rtol=1e-10)
    np.testing.assert_array_equal(two_theta_from_q(np.sqrt(q2), CU), two_theta_from_q2(q2, CU))


def test_slope_is_the_derivative():
    step = 1e-4
    ends = q2_from_two_theta(ANGLES + step, CU) - q2_from_two_theta(ANGLES - step, CU)
    found = q2_per_radian(np.radians(ANGLES), CU)
    np.testing.assert_allclose(found, ends / np.radians(2 * step), rtol=1e-5, atol=1e-9)


def test_same_planes_at_another_wavelength():
    found = two_theta_at_wavelength(ANGLES, CU, OTHER)
    np.testing.assert_allclose(q2_from_two_theta(found, OTHER), q2_from_two_theta(ANGLES, CU))


def test_what_cannot_be_reached_is_nan_or_180_degrees():
    beyond = np.array([1.01, 9.0, np.inf]) * (2 / CU) ** 2
    assert np.isnan(two_theta_from_q2(beyond, CU)).all()
    assert (two_theta_from_q2(beyond, CU, at_most_180=True) == 180).all()
    assert np.isnan(two_theta_at_wavelength(170.0, OTHER, CU))
    assert two_theta_at_wavelength(170.0, OTHER, CU, at_most_180=True) == 180
