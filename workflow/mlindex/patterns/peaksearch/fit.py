"""Least-squares fit of a group of overlapping peaks.

Split pseudo-Voigt profiles over a straight line. Widths, Lorentzian fraction and asymmetry are
drawn to what the whole pattern shows, so that strong peaks find their own and weak ones don't
run away. Levenberg-Marquardt with limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.patterns.peaksearch.kernels import profiles
from mlindex.patterns.peakshape import area_of_unit_peak

_NO_JACOBIAN = np.empty((0, 0))
_SHARED = 4
_MAX_ITERATIONS = 25
_TOLERANCE = 1e-4
#: Limits of asymmetry and of log(width over the curve), and of a step of the position in FWHM.
_MOST_ASYMMETRY = 0.8
_MOST_LOG_WIDTH = 1.3
_MOST_SHIFT = 0.7


@dataclass(frozen=True)
class ProfileShape:
    """What is known of the profiles before a group is fitted: means and standard deviations."""

    eta: float = 0.5
    eta_sigma: float = 0.3
    asymmetry: float = 0.0
    asymmetry_sigma: float = 0.08
    log_width_sigma: float = 0.2
    ratio: float = 0.0


@dataclass(frozen=True)
class Group:
    """Fitted peaks (m,) of one group; errors are standard uncertainties, misfit included.

    ``chi2`` is the reduced one, ``cost`` the sum of squares with what was expected beforehand.
    ``evidence`` (m,) is the significance by which the group's fit needs each peak, where tried.
    """

    position: np.ndarray
    height: np.ndarray
    fwhm: np.ndarray
    split: np.ndarray
    eta: float
    asymmetry: float
    ratio: float
    position_error: np.ndarray
    height_error: np.ndarray
    fwhm_error: np.ndarray
    chi2: float
    cost: float
    evidence: np.ndarray

    @property
    def significance(self) -> np.ndarray:
        """Height over its uncertainty, or the evidence: overlap blurs heights, not the need."""
        return np.maximum(self.height / self.height_error, self.evidence)

    def profile(self, x: np.ndarray) -> np.ndarray:
        """Sum of the profiles at x (n,), without the straight line."""
        return profiles(
            x,
            self.position,
            self.height,
            self.fwhm,
            self.eta,
            self.asymmetry,
            self.split,
            self.ratio,
            _NO_JACOBIAN,
        )

    def area(self) -> np.ndarray:
        """Areas (m,) of the profiles, all lines of a doublet together."""
        unit = area_of_unit_peak(1.0, self.eta, self.asymmetry)
        return self.height * self.fwhm * unit * (1 + self.ratio)


class _ProfileProblem:
    """Residuals, Jacobian and limits of one group."""

    def __init__(self, x, y, sigma, start, width, split, shape, line_sigma):
        self.x, self.y, self.weight, self.start = x, y, 1 / sigma, start
        self.width, self.split, self.shape = width, split, shape
        m = len(start)
        self.arm = (x - x.mean()) / max(np.ptp(x) / 2, 1e-12)
        self.prior_mean = np.zeros(_SHARED + 3 * m)
        self.prior_mean[2:4] = shape.eta, shape.asymmetry
        self.prior_weight = np.zeros(_SHARED + 3 * m)
        self.prior_weight[:4] = 1 / np.array(
            [line_sigma, line_sigma, shape.eta_sigma, shape.asymmetry_sigma]
        )
        self.prior_weight[6::3] = 1 / shape.log_width_sigma
        self.low = np.full(_SHARED + 3 * m, -np.inf)
        self.high = np.full(_SHARED + 3 * m, np.inf)
        self.low[2], self.high[2] = 0.0, 1.0
        self.low[3], self.high[3] = -_MOST_ASYMMETRY, _MOST_ASYMMETRY
        self.low[4::3], self.high[4::3] = start - _MOST_SHIFT * width, start + _MOST_SHIFT * width
        self.low[5::3] = 0.0
        self.low[6::3], self.high[6::3] = -_MOST_LOG_WIDTH, _MOST_LOG_WIDTH

    def model(self, p, jacobian=_NO_JACOBIAN):
        fwhm = self.width * np.exp(p[6::3])
        shaped = profiles(
            self.x, p[4::3], p[5::3], fwhm, p[2], p[3], self.split, self.shape.ratio, jacobian
        )
        return shaped + p[0] + p[1] * self.arm

    def cost(self, p):
        residual = (self.y - self.model(p)) * self.weight
        prior = (p - self.prior_mean) * self.prior_weight
        return residual @ residual + prior @ prior

    def normal(self, p):
        """Normal matrix, gradient step's right side and chi² of the data."""
        jacobian = np.empty((len(self.x), len(p)))
        jacobian[:, 0], jacobian[:, 1] = 1.0, self.arm
        inner = np.empty((len(self.x), len(p) - 2))
        residual = (self.y - self.model(p, inner)) * self.weight
        jacobian[:, 2:] = inner
        jacobian *= self.weight[:, None]
        matrix = jacobian.T @ jacobian + np.diag(self.prior_weight**2)
        right = jacobian.T @ residual - self.prior_weight**2 * (p - self.prior_mean)
        return matrix, right, residual @ residual


def fit_group(
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray,
    start: np.ndarray,
    height: np.ndarray,
    width: np.ndarray,
    split: np.ndarray,
    shape: ProfileShape,
    line_sigma: float,
) -> Group:
    """Fit the peaks of one group.

    Args:
        x, y, sigma: 2theta in degrees, intensity over the background, its uncertainty (n,).
        start, height: positions in degrees and heights to begin with (m,).
        width: FWHM expected in degrees (m,).
        split: distance of the second line of a doublet in degrees (m,).
        shape: what is known of the profiles.
        line_sigma: by how much the background may be wrong.
    """
    problem = _ProfileProblem(x, y, sigma, start, width, split, shape, line_sigma)
    p = problem.prior_mean.copy()
    p[4::3], p[5::3] = start, np.maximum(height, 0)
    p = _minimize(problem, p)
    matrix, _, chi2 = problem.normal(p)
    # A height on its limit would leave the position and width without a determinant.
    matrix[np.diag_indices_from(matrix)] += 1e-9 * np.maximum(np.diag(matrix), 1e-12)
    variance = np.diag(np.linalg.inv(matrix)).clip(1e-300)
    reduced = chi2 / max(len(x) - len(p), 1)
    error = np.sqrt(variance * max(reduced, 1.0))
    fwhm = width * np.exp(p[6::3])
    return Group(
        p[4::3],
        p[5::3],
        fwhm,
        split,
        float(p[2]),
        float(p[3]),
        shape.ratio,
        error[4::3],
        error[5::3],
        fwhm * error[6::3],
        float(reduced),
        float(problem.cost(p)),
        np.zeros(len(start)),
    )


def _minimize(problem: _ProfileProblem, p: np.ndarray) -> np.ndarray:
    damping, cost = 1e-3, problem.cost(p)
    for _ in range(_MAX_ITERATIONS):
        matrix, right, _ = problem.normal(p)
        free = ~(((p <= problem.low) & (right < 0)) | ((p >= problem.high) & (right > 0)))
        diagonal = np.diag(matrix).copy()
        diagonal = np.maximum(diagonal, 1e-12 * max(diagonal.max(), 1e-300))
        improved = False
        while damping < 1e8 and not improved:
            step = np.zeros(len(p))
            damped = matrix + np.diag(damping * diagonal)
            step[free] = np.linalg.solve(damped[np.ix_(free, free)], right[free])
            trial = np.clip(p + step, problem.low, problem.high)
            new = problem.cost(trial)
            improved = new < cost
            damping *= 0.2 if improved else 5.0
        if not improved:
            break
        gain, p, cost = cost - new, trial, new
        if gain < _TOLERANCE * (1 + 1e-3 * cost):
            break
    return p
