"""The evidence for a lattice, against its integral, and how the precision of a list counts."""

import numpy as np
import pytest

from helpers.made_trials import trial_of
from mlindex.files.peak_lists import peaks_from_columns
from mlindex.indexing.search.evidence import log_likelihood, model_of, plain_misfit
from mlindex.indexing.search.lines import STRAY
from mlindex.indexing.search.observed import ERROR_SCALES, observe
from mlindex.indexing.search.walked import walk_of
from mlindex.patterns.peaklist import PeakList

_CUBIC = np.array([6.1, 6.1, 6.1, 90.0, 90.0, 90.0])
_SUMS = np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11])


def _noisy_cubic(error_deg: float) -> np.ndarray:
    q2 = _SUMS / _CUBIC[0] ** 2
    slope = PeakList("x", q2, None, 1.5406).q2_error_inv_A2(1.0)
    return q2 + np.random.default_rng(4).normal(0, error_deg, len(q2)) * slope


def test_evidence_is_the_likelihood_integrated_over_the_parameter() -> None:
    q2 = _noisy_cubic(0.01)
    trial, observed = trial_of("cP", _CUBIC, "P", q2)
    x = trial.x[0] * (1 + np.linspace(-2e-3, 2e-3, 4001))
    whole = [
        np.trapezoid(
            [
                np.exp(
                    log_likelihood(plain_misfit(q2 - _SUMS * v), errors, observed.stray, 11, q2[-1])
                )
                for v in x
            ],
            x,
        )
        for errors in observed.errors
    ]
    width = model_of(walk_of(trial.bravais.system).matrix, q2[-1], False, 100).prior[0]
    # Of the scales the best one counts, at the price of choosing.
    expected = np.log(max(whole) / width / len(ERROR_SCALES))
    # 3 0 0 and 2 2 1 are one line and two reflections.
    assert trial.number == 11
    # The weights of the refinement end it a little beside the top of the likelihood.
    assert trial.evidence == pytest.approx(expected, abs=0.4)


def test_a_line_is_a_reflection_or_a_stray() -> None:
    errors = np.full(2, 1e-4)
    sure = log_likelihood(plain_misfit(np.zeros(2)), errors, np.full(2, STRAY), 10, 0.3)
    peak = 0.97 * 0.03 / (np.sqrt(2 * np.pi) * 1e-4) + STRAY
    assert sure == pytest.approx(2 * np.log(peak))
    one_off = log_likelihood(plain_misfit(np.array([0.0, 1.0])), errors, np.full(2, STRAY), 10, 0.3)
    assert one_off == pytest.approx(np.log(peak) + np.log(STRAY))


@pytest.mark.parametrize("n", [1, 15, 16, 17, 60])
def test_no_number_of_lines_is_too_many_for_a_product(n) -> None:
    errors, stray = np.full(n, 1e-14), np.full(n, STRAY)
    exact = log_likelihood(plain_misfit(np.zeros(n)), errors, stray, 10, 0.3)
    assert exact == pytest.approx(n * np.log(0.97 * 0.03 / (np.sqrt(2 * np.pi) * 1e-14) + STRAY))
    assert log_likelihood(plain_misfit(np.ones(n)), errors, stray, 10, 0.3) == pytest.approx(
        n * np.log(STRAY)
    )


def test_errors_of_a_list_go_down_to_its_rounding() -> None:
    two_theta = np.array([14.4131, 20.4512, 25.1234, 29.0987, 35.6543, 41.4567])
    exact = observe(peaks_from_columns("x", "2theta", two_theta + 1e-7, 1.5406), 20, None)
    np.testing.assert_allclose(exact.errors, ERROR_SCALES[:, None] * exact.sigma)
    rounded = observe(peaks_from_columns("x", "2theta", two_theta, 1.5406), 20, None)
    step = 1e-4 / np.sqrt(12)
    np.testing.assert_allclose(rounded.errors[0], step * rounded.slope, rtol=1e-3)
    np.testing.assert_allclose(rounded.errors[-1], exact.errors[-1], rtol=1e-4)


def test_exact_lines_are_worth_more_than_rounded_ones() -> None:
    q2 = _SUMS / _CUBIC[0] ** 2
    exact, observed = trial_of("cP", _CUBIC, "P", q2)
    noisy, _ = trial_of("cP", _CUBIC, "P", _noisy_cubic(0.01))
    # Each of nine lines beyond the one that gives the parameter gains what its error is less.
    least = observed.errors[0, 0] / observed.sigma[0]
    assert exact.evidence - noisy.evidence == pytest.approx(-9 * np.log(least), rel=0.15)
