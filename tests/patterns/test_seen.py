"""Peak lists with intensities of samples of two crystals."""

from __future__ import annotations

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.patterns.seen import Seen, peaks_seen
from mlindex.patterns.spoil import WAVELENGTH_A

PLAIN = Seen(0.0, 0.01, 0.0, 0.0, 0.0)


def lines(*two_theta_deg: float) -> np.ndarray:
    return q2_from_two_theta(np.array(two_theta_deg), WAVELENGTH_A)


MAIN = lines(20.0, 25.0, 30.0, 40.0), np.array([100.0, 50.0, 2.0, 48.0])
SECOND = lines(20.05, 33.0, 60.0), np.array([30.0, 10.0, 500.0])


def test_a_pure_sample_is_its_crystal():
    found = peaks_seen(MAIN, SECOND, PLAIN, np.random.default_rng(1))
    np.testing.assert_allclose(found.q2_inv_A2, MAIN[0], rtol=1e-12)
    np.testing.assert_allclose(found.intensity, MAIN[1])
    assert not found.second.any()


def test_the_second_crystal_has_its_share_and_near_lines_are_one():
    how = Seen(0.2, 0.1, 0.0, 0.0, 0.0)
    found = peaks_seen(MAIN, SECOND, how, np.random.default_rng(1))
    # Its line beyond the last of the main crystal is not in the list, and not in the share.
    two_theta = two_theta_from_q2(found.q2_inv_A2, WAVELENGTH_A)
    assert len(two_theta) == 5
    np.testing.assert_allclose((found.second * found.intensity).sum() / found.intensity.sum(), 0.2)
    of_second = found.second[0] * found.intensity[0]
    centroid = (20.0 * 100 + 20.05 * of_second) / (100 + of_second)
    np.testing.assert_allclose(two_theta[0], centroid, atol=1e-9)


def test_weak_lines_are_lost_or_less_exact():
    how = Seen(0.0, 0.01, 0.03, 0.1, 0.0)
    found = peaks_seen(MAIN, SECOND, how, np.random.default_rng(1))
    two_theta = two_theta_from_q2(found.q2_inv_A2, WAVELENGTH_A)
    np.testing.assert_allclose(two_theta, [20.1, 25.1, 40.1], atol=1e-9)
    noisy = peaks_seen(MAIN, SECOND, Seen(0.0, 0.01, 0.0, 0.0, 0.01), np.random.default_rng(1))
    np.testing.assert_allclose(noisy.two_theta_error_deg, [0.01, 0.01, 0.01 * np.sqrt(5), 0.01])
    off = two_theta_from_q2(noisy.q2_inv_A2, WAVELENGTH_A) - [20, 25, 30, 40]
    assert (np.abs(off) > 0).all()
    assert np.abs(off).max() < 0.1
