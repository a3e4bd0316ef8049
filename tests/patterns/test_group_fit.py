"""The compiled fit of a group of peaks against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from mlindex.patterns.peaksearch.fit import ProfileShape, fit_group
from mlindex.patterns.peaksearch.kernels import profiles

SHAPE = ProfileShape(eta=0.5, asymmetry=0.02)
LINE_SIGMA = 4.0
NO_JACOBIAN = np.empty((0, 0))


def plain_fit(x, y, sigma, start, height, width, split):
    """Cost and parameters: line, shape, then position, height, log of the width of each peak."""
    arm = (x - x.mean()) / (np.ptp(x) / 2)
    mean = np.zeros(4 + 3 * len(start))
    mean[2:4] = SHAPE.eta, SHAPE.asymmetry
    error = np.full(len(mean), np.inf)
    error[:4] = LINE_SIGMA, LINE_SIGMA, SHAPE.eta_sigma, SHAPE.asymmetry_sigma
    error[6::3] = SHAPE.log_width_sigma

    def residuals(p):
        shaped = profiles(
            x, p[4::3], p[5::3], width * np.exp(p[6::3]), p[2], p[3], split, 0.0, NO_JACOBIAN
        )
        return np.append((y - shaped - p[0] - p[1] * arm) / sigma, (p - mean) / error)

    first = mean.copy()
    first[4::3], first[5::3] = start, height
    low, high = np.full(len(mean), -np.inf), np.full(len(mean), np.inf)
    low[2], high[2], low[5::3] = 0.0, 1.0, 0.0
    found = least_squares(residuals, first, bounds=(low, high), x_scale="jac", xtol=1e-12)
    return 2 * found.cost, found.x


@pytest.mark.parametrize("third", [300.0, 0.0])
def test_a_group_is_fitted_as_by_scipy(third):
    rng = np.random.default_rng(5)
    x = np.arange(29.0, 31.5, 0.02)
    positions, heights = np.array([30.0, 30.14, 30.6]), np.array([2000.0, 900.0, third])
    widths, split = np.array([0.1, 0.12, 0.1]), np.zeros(3)
    expected = 50 + profiles(x, positions, heights, widths, 0.6, 0.04, split, 0.0, NO_JACOBIAN)
    y = rng.poisson(expected) - 50.0
    sigma = np.sqrt(expected)
    start, height, width = positions + 0.01, 0.8 * heights, np.full(3, 0.11)
    group = fit_group(x, y, sigma, start, height, width, split, SHAPE, LINE_SIGMA)
    cost, plain = plain_fit(x, y, sigma, start, height, width, split)
    assert group.cost == pytest.approx(cost, rel=2e-3)
    seen = slice(None) if third else slice(2)
    np.testing.assert_allclose(group.position[seen], plain[4::3][seen], atol=1e-3)
    np.testing.assert_allclose(group.height, plain[5::3], rtol=0.02, atol=10)
    np.testing.assert_allclose(group.fwhm[seen], (width * np.exp(plain[6::3]))[seen], rtol=0.02)
