"""Settings of pattern simulation and peak lists."""

from __future__ import annotations

from typing import Any

from mlindex.base.section import Section, setting

_SHARE: dict[str, Any] = {"ge": 0, "le": 1}


class Simulation(Section):
    """The calculated powder pattern (Moreau 2.1.1)."""

    wavelength_A: float = setting(1.5406, "Wavelength (Cu K-alpha1).", "A", gt=0.1, lt=10)
    two_theta_max_deg: float = setting(60.0, "End of the pattern.", "degree", gt=0, lt=180)
    two_theta_step_deg: float = setting(0.02, "Step of the pattern.", "degree", gt=0)
    fwhm_deg: float = setting(0.1, "Full width at half maximum of a peak.", "degree", gt=0)
    displacement: bool = setting(
        True, "Use the isotropic displacement parameters that the entry states."
    )


class Peaks(Section):
    """Which reflections make the two peak lists (Moreau 2.1.1)."""

    length: int = setting(60, "Reflections in each list, at most.", gt=0, le=60)
    min_intensity: float = setting(
        0.005, "Least intensity of an observed peak in the pattern with sum(I²) = 1.", gt=0
    )
    max_curvature_inv_deg2: float = setting(
        -1.0, "An observed peak's second derivative lies below this.", "1/degree²"
    )
    min_separation_fwhm: float = setting(
        1 / 1.5, "Closer than this many widths, only the stronger of two peaks is observed.", gt=0
    )


class Realism(Section):
    """How patterns are measured, drawn anew for each: the ranges for Cu K-alpha1.

    Angles are scaled with the wavelength. The ranges are not tuned: wide enough for laboratories
    and synchrotrons.
    """

    wavelengths_A: tuple[float, ...] = setting(
        (1.5406, 1.5406, 0.7093, 1.789, 0.5),
        "Wavelengths, each as probable as the others.",
        "A",
        min_length=1,
    )
    shifted_share: float = setting(
        0.6, "Share with a zero shift, and with a displacement.", **_SHARE
    )
    zero_shift_deg: float = setting(0.03, "Spread of zero shifts.", "degree", ge=0, le=1)
    displacement_deg: float = setting(
        0.04, "Spread of displacements, times cos(theta).", "degree", ge=0, le=1
    )
    fwhm_deg: tuple[float, float] = setting((0.04, 0.3), "Widths of peaks at 0.", "degree")
    counts: tuple[float, float] = setting((300.0, 1e6), "Counts in the strongest line.")
    background: tuple[float, float] = setting(
        (1e-4, 0.3), "Height of the background over that of the strongest line."
    )
    first_deg: tuple[float, float] = setting((2.0, 15.0), "Begin of the pattern.", "degree")
    last_deg: tuple[float, float] = setting((50.0, 110.0), "End of the pattern.", "degree")
    second_phase_share: float = setting(0.3, "Share with lines of a second phase.", **_SHARE)
    second_phase_most: float = setting(
        0.15, "Most of the intensity that is the second phase's.", ge=0, lt=1
    )
    uneven_share: float = setting(
        0.7, "Share whose intensities are uneven by texture or coarse grains.", **_SHARE
    )
    intensity_spread: float = setting(
        0.6, "Most spread (standard deviation of the logarithm) of uneven intensities.", ge=0, le=3
    )
    resolution_fwhm: tuple[float, float] = setting(
        (0.5, 1.0), "Lines nearer than so many widths are one."
    )
    detection: float = setting(
        4.0, "Lines are found from so many standard deviations of their counts on.", gt=0, le=100
    )
