"""Lines as measurements find them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.lorentz import lorentz_polarization
from mlindex.patterns.realism import Measurement, draw_measurement, measured_lines
from mlindex.patterns.settings import Realism

CU = 1.5406
TWO_THETA = np.array([20.0, 30.0, 30.05, 45.0, 80.0])
MAIN = (q2_from_two_theta(TWO_THETA, CU), np.array([100.0, 60.0, 20.0, 0.0, 0.5]))
NONE = (np.empty(0), np.empty(0))
#: So many counts that nothing is left to chance.
SHARP = Measurement(CU, 0, 0, 1e-6, 0, 1e14, 1e-9, 5, 175, 0, 0, 0.5, 4)


def found(how: Measurement, main=MAIN, second=NONE, seed=1):
    return measured_lines(main, second, CU, how, np.random.default_rng(seed))


def test_a_perfect_measurement_finds_the_lines_that_have_intensity() -> None:
    lines = found(SHARP)
    seen = MAIN[1] > 0
    assert two_theta_from_q2(lines.q2_inv_A2, CU) == pytest.approx(TWO_THETA[seen], abs=1e-6)
    assert lines.intensity / lines.intensity.max() == pytest.approx(MAIN[1][seen] / 100, rel=1e-4)
    assert lines.first_q2_inv_A2 == pytest.approx(q2_from_two_theta(np.array([5.0]), CU)[0])


def test_near_lines_are_one_at_their_centroid() -> None:
    lines = found(replace(SHARP, fwhm_deg=0.2, counts=1e16))
    assert len(lines.q2_inv_A2) == 3
    centre = two_theta_from_q2(lines.q2_inv_A2, CU)[1]
    # Positions are off by 2 % of the width however many counts there are.
    assert centre == pytest.approx((30 * 60 + 30.05 * 20) / 80, abs=0.02)


def test_weak_lines_are_lost_in_few_counts() -> None:
    few = [len(found(replace(SHARP, counts=100.0), seed=k).q2_inv_A2) for k in range(20)]
    assert max(few) == 3


def test_shift_and_displacement_move_lines() -> None:
    lines = found(replace(SHARP, zero_shift_deg=0.1, displacement_deg=0.2))
    seen = TWO_THETA[MAIN[1] > 0]
    moved = two_theta_from_q2(lines.q2_inv_A2, CU) - seen
    assert moved == pytest.approx(0.1 + 0.2 * np.cos(np.radians(seen / 2)), abs=1e-5)


def test_intensities_follow_the_wavelength() -> None:
    lines = found(replace(SHARP, wavelength_A=0.7))
    seen = MAIN[1] > 0
    theta = [np.arcsin(np.sqrt(MAIN[0][seen]) * w / 2) for w in (0.7, CU)]
    expected = MAIN[1][seen] * lorentz_polarization(theta[0]) / lorentz_polarization(theta[1])
    assert lines.intensity / lines.intensity.max() == pytest.approx(
        expected / expected.max(), rel=1e-4
    )


def test_only_the_range_is_seen_and_a_second_phase_has_its_share() -> None:
    assert len(found(replace(SHARP, first_deg=25, last_deg=60)).q2_inv_A2) == 2
    assert len(found(replace(SHARP, first_deg=81)).q2_inv_A2) == 0
    second = (q2_from_two_theta(np.array([25.0]), CU), np.array([7.0]))
    lines = found(replace(SHARP, second_share=0.2), second=second)
    stranger = np.argmin(np.abs(two_theta_from_q2(lines.q2_inv_A2, CU) - 25))
    assert lines.intensity[stranger] / lines.intensity.sum() == pytest.approx(0.2, rel=1e-3)


def test_measurements_are_drawn_within_their_ranges_and_the_same_again() -> None:
    settings = Realism()
    drawn = [draw_measurement(settings, np.random.default_rng(k)) for k in range(200)]
    assert drawn == [draw_measurement(settings, np.random.default_rng(k)) for k in range(200)]
    assert {m.wavelength_A for m in drawn} == set(settings.wavelengths_A)
    widths = np.array([m.fwhm_deg * CU / m.wavelength_A for m in drawn])
    low, high = settings.fwhm_deg
    assert low <= widths.min() < 1.2 * low
    assert high / 1.2 < widths.max() <= high
    assert 0.15 < np.mean([m.second_share > 0 for m in drawn]) < 0.45
    assert max(m.last_deg for m in drawn) < 180
