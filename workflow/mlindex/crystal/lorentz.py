"""The Lorentz-polarization factor of powder lines."""

from __future__ import annotations

import numpy as np


def lorentz_polarization(theta_rad: np.ndarray) -> np.ndarray:
    """(1 + cos²(2 theta)) / (sin²(theta) cos(theta)) of theta in radians: that of a powder and an
    unpolarized beam without monochromator."""
    sine = np.sin(theta_rad)
    return (1 + np.cos(2 * theta_rad) ** 2) / (sine**2 * np.cos(theta_rad))
