"""Least-squares fit of a group of overlapping peaks.

Split pseudo-Voigt profiles over a straight line. Widths, Lorentzian fraction and asymmetry are
drawn to what the whole pattern shows, so that strong peaks find their own and weak ones don't
run away. Levenberg-Marquardt with limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.patterns.peaksearch.kernels import profiles
from mlindex.patterns.peaksearch.minimize import (
    GroupData,
    cost_of,
    minimize,
    normal_equations,
)
from mlindex.patterns.peakshape import area_of_unit_peak

_NO_JACOBIAN = np.empty((0, 0))
_SHARED = 4
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


def _data(x, y, sigma, start, width, split, shape, line_sigma) -> GroupData:
    """What is fitted of one group; see :func:`fit_group`."""
    size = _SHARED + 3 * len(start)
    mean, prior_weight = np.zeros(size), np.zeros(size)
    mean[2:4] = shape.eta, shape.asymmetry
    prior_weight[:4] = 1 / np.array(
        [line_sigma, line_sigma, shape.eta_sigma, shape.asymmetry_sigma]
    )
    prior_weight[6::3] = 1 / shape.log_width_sigma
    low, high = np.full(size, -np.inf), np.full(size, np.inf)
    low[2], high[2] = 0.0, 1.0
    low[3], high[3] = -_MOST_ASYMMETRY, _MOST_ASYMMETRY
    low[4::3], high[4::3] = start - _MOST_SHIFT * width, start + _MOST_SHIFT * width
    low[5::3] = 0.0
    low[6::3], high[6::3] = -_MOST_LOG_WIDTH, _MOST_LOG_WIDTH
    arm = (x - x.mean()) / max(np.ptp(x) / 2, 1e-12)
    # Compiled for contiguous arrays only.
    x, y, width, split = (np.ascontiguousarray(v, dtype=float) for v in (x, y, width, split))
    ratio = float(shape.ratio)
    return GroupData(x, y, 1 / sigma, arm, width, split, ratio, mean, prior_weight, low, high)


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
    data = _data(x, y, sigma, start, width, split, shape, line_sigma)
    p = data.mean.copy()
    p[4::3], p[5::3] = start, np.maximum(height, 0)
    minimize(data, p)
    matrix, _, chi2 = normal_equations(data, p)
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
        float(cost_of(data, p)),
        np.zeros(len(start)),
    )
