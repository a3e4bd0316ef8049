"""Bragg's law, lambda = 2 d sin(theta), with q = 1/d.

Everything between an angle and q² passes through here. Angles are 2theta in degrees, wavelengths
in A, q in 1/A and q² in 1/A². Arrays keep their shape.
"""

from __future__ import annotations

import numpy as np


def two_theta_from_q2(
    q2_inv_A2: np.ndarray, wavelength_A: float, *, at_most_180: bool = False
) -> np.ndarray:
    """2theta in degrees of q² (...).

    Args:
        q2_inv_A2: q² in 1/A².
        wavelength_A: wavelength in A.
        at_most_180: 180 degrees, instead of NaN, where the reflection can't be reached.
    """
    q = np.sqrt(np.asarray(q2_inv_A2, dtype=float))
    return two_theta_from_q(q, wavelength_A, at_most_180=at_most_180)


def two_theta_from_q(
    q_inv_A: np.ndarray, wavelength_A: float, *, at_most_180: bool = False
) -> np.ndarray:
    """2theta in degrees of q = 1/d (...) in 1/A; otherwise as :func:`two_theta_from_q2`."""
    sine = wavelength_A * q_inv_A / 2
    return _two_theta(np.minimum(sine, 1.0) if at_most_180 else sine)


def q2_from_two_theta(two_theta_deg: np.ndarray, wavelength_A: float) -> np.ndarray:
    """q² in 1/A² of 2theta (...) in degrees."""
    return (2 * np.sin(np.radians(np.asarray(two_theta_deg, dtype=float) / 2)) / wavelength_A) ** 2


def q2_per_radian(two_theta_rad: np.ndarray, wavelength_A: float) -> np.ndarray:
    """d(q²)/d(2theta) = 2 sin(2theta) / lambda², in 1/A² per radian, at 2theta (...) in radians."""
    return 2 * np.sin(two_theta_rad) / wavelength_A**2


def two_theta_at_wavelength(
    two_theta_deg: np.ndarray, wavelength_A: float, other_A: float, *, at_most_180: bool = False
) -> np.ndarray:
    """2theta in degrees at which the planes that reflect one wavelength reflect another.

    Args:
        two_theta_deg: 2theta (...) in degrees of reflections of ``wavelength_A``.
        wavelength_A, other_A: the two wavelengths in A.
        at_most_180: from 0 to 180 degrees also where the other can't be reflected, instead of NaN.
    """
    sine = np.sin(np.radians(two_theta_deg) / 2) * other_A / wavelength_A
    return _two_theta(np.clip(sine, 0, 1) if at_most_180 else sine)


def _two_theta(sine: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan)))
