"""Pseudo-Voigt peak shape: the one home of its formula, compiled.

A peak of height 1 and full width w at half maximum is eta / (1 + 4 z²) + (1 - eta) exp(-4 ln 2 z²)
with z the distance from its position over w (Wertheim et al., Rev. Sci. Instrum. 45 (1974) 1369).
An asymmetric peak has the width w exp(a) on its left and w exp(-a) on its right side.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: 4 ln 2: a Gaussian of full width 1 falls to one half at a distance of 1/2.
LN16 = 2.772588722239781


@njit(cache=True, nogil=True)
def pseudo_voigt(d, width, eta):
    """Pseudo-Voigt of height 1 at distance d, and its derivatives by z = d / width and by eta."""
    z = d / width
    lorentz = 1.0 / (1.0 + 4.0 * z * z)
    gauss = np.exp(-LN16 * z * z)
    value = eta * lorentz + (1.0 - eta) * gauss
    slope = -8.0 * z * lorentz * lorentz * eta - 2.0 * LN16 * z * gauss * (1.0 - eta)
    return value, slope, lorentz - gauss


def area_of_unit_peak(fwhm: np.ndarray, eta: np.ndarray, asymmetry: np.ndarray) -> np.ndarray:
    """Area of a single peak of height 1, in the unit of its width; arguments broadcast."""
    lorentz, gauss = np.pi / 2, np.sqrt(np.pi / np.log(2)) / 2
    return fwhm * (np.cosh(asymmetry) * (eta * lorentz + (1 - eta) * gauss))
