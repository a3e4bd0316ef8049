"""The target function (Moreau 2.4.1, eqs. 29 to 31) and the threshold of 2.4.4."""

from __future__ import annotations

import numpy as np


def variance(
    discrepancy_inv_A2: np.ndarray, q2_inv_A2: np.ndarray, epsilon_inv_A2: np.ndarray | float
) -> np.ndarray:
    """sigma² of eq. 31, q²_obs (|Δq²| + epsilon), in 1/A⁴; shapes broadcast.

    The text has |Δq² + epsilon|, which vanishes at Δq² = -epsilon: epsilon stands outside here.
    """
    return q2_inv_A2 * (np.abs(discrepancy_inv_A2) + epsilon_inv_A2)


def negative_log_likelihood(
    discrepancy_inv_A2: np.ndarray, q2_inv_A2: np.ndarray, epsilon_inv_A2: np.ndarray | float
) -> np.ndarray:
    """-ln of the product of eq. 30 over the lines (last axis), without the indices' own weight."""
    sigma2 = variance(discrepancy_inv_A2, q2_inv_A2, epsilon_inv_A2)
    return 0.5 * np.sum(np.log(2 * np.pi * sigma2) + discrepancy_inv_A2**2 / sigma2, axis=-1)


def explaining_threshold(
    q2_inv_A2: np.ndarray, epsilon_inv_A2: np.ndarray | float, factor: float
) -> float:
    """Negative log-likelihood below which a cell explains all lines (2.4.4).

    The least value, where every discrepancy is 0, plus room for a geometric mean of
    |Δq²| + epsilon of ``factor`` epsilon. With epsilon = 1e-10 /A² and a factor of 100 this comes
    to the -10 n of the text.
    """
    least = negative_log_likelihood(np.zeros_like(q2_inv_A2), q2_inv_A2, epsilon_inv_A2)
    return float(least + 0.5 * len(q2_inv_A2) * np.log(factor))


def negative_log_posterior(
    nll: np.ndarray, n_lines: int, calculated_lines: np.ndarray
) -> np.ndarray:
    """-ln of eq. 29 with an even weight over the calculated lines for every line's assignment.

    With N calculated lines in range, chance alone brings the nearest to about 1/N of the range.
    Eq. 31 makes the likelihood go with the square root of the discrepancy, so the weight of an
    assignment is N^-1/2: then cells that only have more lines gain nothing. It differs by a
    constant from -(n/2) ln M, M being de Wolff's with a geometric mean (:func:`geometric_merit`).

    Args:
        nll: of eq. 30, shape (...).
        n_lines: number of observed lines.
        calculated_lines: number of calculated lines up to the last observed one, shape (...).
    """
    return nll + 0.5 * n_lines * np.log(calculated_lines)


def geometric_merit(target: np.ndarray, q2_inv_A2: np.ndarray) -> np.ndarray:
    """q²_n / (2 g N), with g the geometric mean of |Δq²| + epsilon, from the posterior (...)."""
    n = len(q2_inv_A2)
    # Up to the exponential's term, which is small where a cell fits at all.
    log_g_n = 2 * (target - 0.5 * np.sum(np.log(2 * np.pi * q2_inv_A2))) / n
    return q2_inv_A2[-1] / 2 * np.exp(-log_g_n)
