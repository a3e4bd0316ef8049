"""Functions that numpy lacks, against scipy."""

import numpy as np
import pytest
from scipy import linalg, optimize, special

from mlindex.base.linear import solve_pentadiagonal
from mlindex.base.special import erf, nonnegative_least_squares, softmax


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_error_function_has_the_bits_of_scipy(precision):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, s, 20000) for s in (0.3, 1, 3, 8)]).astype(precision)
    x = np.append(x, np.array([0, -0.0, 1, -1, 6, 30, -40], dtype=precision))
    assert erf(x).dtype == precision
    np.testing.assert_array_equal(erf(x), special.erf(x))


def test_softmax_has_the_bits_of_scipy():
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 30, 300):
        x = rng.normal(0, 5, n)
        np.testing.assert_array_equal(softmax(x), special.softmax(x))


def test_nonnegative_least_squares_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(1, 9))
        t = np.linspace(-1, 1, int(rng.integers(n + 6, 80)))
        columns = [np.exp(-(((t - c) / 0.2) ** 2)) for c in np.linspace(-1, 1, n)]
        matrix = np.stack([*columns, np.ones(len(t)), -np.ones(len(t)), t, -t], axis=1)
        right = matrix[:, :n] @ rng.normal(1, 2, n) + rng.normal(0, 0.3, len(t)) + rng.normal() * t
        expected = optimize.nnls(matrix, right)[0]
        np.testing.assert_allclose(
            nonnegative_least_squares(matrix, right), expected, atol=1e-10 * max(expected)
        )


@pytest.mark.parametrize("n", [3, 4, 1000])
@pytest.mark.parametrize("strength", [1.0, 1e7])
def test_banded_systems_are_solved_like_those_of_scipy(n, strength):
    rng = np.random.default_rng(0)
    bands = np.zeros((3, n))
    bands[2] = rng.uniform(0, 1, n) + 1e-7
    # The squares of second differences.
    bands[2, :-2] += strength
    bands[2, 1:-1] += 4 * strength
    bands[2, 2:] += strength
    bands[1, 1:-1] -= 2 * strength
    bands[1, 2:] -= 2 * strength
    bands[0, 2:] += strength
    right = rng.normal(size=n)
    expected = linalg.solveh_banded(bands, right)
    assert solve_pentadiagonal(bands.copy(), right)
    # Two ways of solving may differ by the rounding that the system itself enlarges.
    values = linalg.eigvals_banded(bands)
    enlarged = np.finfo(float).eps * values[-1] / values[0]
    np.testing.assert_allclose(right, expected, atol=enlarged * np.abs(expected).max(), rtol=0)


def test_a_banded_system_that_is_not_positive_is_refused():
    bands = np.array([[0, 0, 1.0], [0, 5, 5], [1, 1, 1]])
    assert not solve_pentadiagonal(bands, np.ones(3))
