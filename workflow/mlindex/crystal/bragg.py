"""Bragg's law."""

from __future__ import annotations

import numpy as np


def two_theta_from_q2(q2_inv_A2: np.ndarray, wavelength_A: float) -> np.ndarray:
    """2theta in degrees; NaN where the reflection can't be reached."""
    sine = wavelength_A * np.sqrt(np.asarray(q2_inv_A2, dtype=float)) / 2
    return np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan)))


def q2_from_two_theta(two_theta_deg: np.ndarray, wavelength_A: float) -> np.ndarray:
    """q² in 1/A² of 2theta in degrees (Bragg)."""
    return (2 * np.sin(np.radians(np.asarray(two_theta_deg, dtype=float) / 2)) / wavelength_A) ** 2
