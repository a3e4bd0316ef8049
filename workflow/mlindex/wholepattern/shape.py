"""Peak widths and shapes over the whole pattern, with their few parameters.

The logarithm of the width is a polynomial of 2theta, as in the peak search: over the range of a
pattern it follows Caglioti's formula and stays positive. The Lorentzian fraction is linear, the
asymmetry goes with the cotangent of 2theta (axial divergence: Finger, Cox & Jephcoat, J. Appl.
Cryst. 27 (1994) 892).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.patterns.peaksearch.calibrate import Calibration
from mlindex.wholepattern.kernels import BY_ASYMMETRY, BY_ETA, BY_LOG_WIDTH

#: Number of the parameters: three of the width, two of the Lorentzian fraction, one of asymmetry.
N_SHAPE = 6
#: What of a peak each of them changes.
KINDS_OF_SHAPE = np.array([BY_LOG_WIDTH] * 3 + [BY_ETA] * 2 + [BY_ASYMMETRY])
_MOST_ASYMMETRY = 0.5
#: Widths that a step may try: from 0.002 to 20 degrees.
_LOG_WIDTHS = np.log([0.002, 20.0])
#: Least cotangent range: beyond it axial divergence is no longer what makes peaks asymmetric.
_LOWEST_DEG, _HIGHEST_DEG = 4.0, 176.0


@dataclass(frozen=True)
class ShapeAt:
    """Full width (degrees), Lorentzian fraction and asymmetry of peaks (k,), and the derivatives
    (6, k) of log width, fraction and asymmetry by the parameters."""

    fwhm: np.ndarray
    eta: np.ndarray
    asymmetry: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True)
class Angles:
    """The range of 2theta (degrees) over which the parameters are polynomials."""

    low: float
    high: float

    def scaled(self, two_theta_deg: np.ndarray) -> np.ndarray:
        """2theta as -1 to 1 over the range, constant beyond."""
        middle, half = (self.low + self.high) / 2, max((self.high - self.low) / 2, 1e-6)
        return np.clip((two_theta_deg - middle) / half, -1.0, 1.0)

    def shape(self, parameters: np.ndarray, two_theta_deg: np.ndarray, blur: float) -> ShapeAt:
        """The shape at positions (k,); widths are ``blur`` times what the parameters (6,) say."""
        u = self.scaled(two_theta_deg)
        log_width = parameters[0] + u * (parameters[1] + u * parameters[2]) + np.log(blur)
        log_width = np.clip(log_width, *_LOG_WIDTHS)
        linear = parameters[3] + parameters[4] * u
        cotangent = 1 / np.tan(np.radians(np.clip(two_theta_deg, _LOWEST_DEG, _HIGHEST_DEG)))
        asymmetry = parameters[5] * cotangent
        factor = np.zeros((N_SHAPE, len(u)))
        factor[0], factor[1], factor[2] = 1.0, u, u * u
        inside = (linear > 0) & (linear < 1)
        factor[3], factor[4] = inside, inside * u
        factor[5] = np.where(np.abs(asymmetry) < _MOST_ASYMMETRY, cotangent, 0.0)
        return ShapeAt(
            np.exp(log_width),
            np.clip(linear, 0.0, 1.0),
            np.clip(asymmetry, -_MOST_ASYMMETRY, _MOST_ASYMMETRY),
            factor,
        )

    def start(self, calibration: Calibration) -> np.ndarray:
        """Parameters (6,) that follow the calibration of the peak search."""
        x = np.linspace(self.low, self.high, 50)
        coefficients = np.polyfit(self.scaled(x), np.log(calibration.widths(x)), 2)
        return np.array([*coefficients[::-1], calibration.shape.eta, 0.0, calibration.axial])
