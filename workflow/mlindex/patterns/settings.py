"""Settings of pattern simulation and peak lists."""

from __future__ import annotations

from mlindex.base.section import Section, setting


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
