"""The benchmark of lists whose close lines were merged."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.indexing.rates.judge import Truth


@pytest.mark.parametrize("intensities", [False, True])
def test_close_lines_become_one_at_their_centroid(intensities):
    two_theta = np.array([20.0, 25.0, 25.02, 25.06, 30.0, 31.0])
    strength = np.array([50.0, 30.0, 10.0, 20.0, 100.0, 0.05])
    with benchmark("merged") as merged:
        q2 = q2_from_two_theta(two_theta, merged._WAVELENGTH_A)
        truth = Truth(np.array([5.0, 5.0, 5.0, 90.0, 90.0, 90.0]), "P")
        crystal = merged.Crystal("x", "cubic", truth, q2, strength)
        options = Namespace(within=0.05, least=0.001, intensities=intensities)
        peaks = merged._merged(crystal, options)
        found = two_theta_from_q2(peaks.q2_inv_A2, merged._WAVELENGTH_A)
    centre = np.average(two_theta[1:4], weights=strength[1:4])
    np.testing.assert_allclose(found, [20.0, centre, 30.0], rtol=1e-9)
    if intensities:
        np.testing.assert_allclose(peaks.intensity, [50.0, 60.0, 100.0])
    else:
        assert peaks.intensity is None
