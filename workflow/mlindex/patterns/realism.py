"""How powder patterns are measured: everything between the lines that are calculated and those
that a peak search finds, drawn at random from declared ranges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.crystal.lorentz import lorentz_polarization
from mlindex.patterns.seen import between, merged, together
from mlindex.patterns.settings import Realism
from mlindex.patterns.spoil import WAVELENGTH_A

#: A position is known to this share of the width, however many counts there are; and no line that
#: is found at all is further off than the other.
_BEST, _WORST = 0.02, 0.3
#: Error of the position of a Gaussian peak over its width, for one count.
_ONE_COUNT = 1 / np.sqrt(8 * np.log(2))
#: Background below a peak counts over about two widths.
_WIDTHS_OF_BACKGROUND = 2.0

Lines = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Measurement:
    """One measurement: radiation, alignment, widths, counts, range, sample.

    Widths are ``fwhm_deg`` + ``fwhm_slope_deg`` tan(theta). ``counts`` are those of the strongest
    line, ``background`` the height of the background over that of this line. Lines are found from
    ``detection`` standard deviations on, and told apart from ``resolution_fwhm`` widths on.
    ``intensity_spread`` is the spread (standard deviation of the logarithm) of the intensities by
    texture and coarse grains.
    """

    wavelength_A: float
    zero_shift_deg: float
    displacement_deg: float
    fwhm_deg: float
    fwhm_slope_deg: float
    counts: float
    background: float
    first_deg: float
    last_deg: float
    second_share: float
    intensity_spread: float
    resolution_fwhm: float
    detection: float


@dataclass(frozen=True)
class MeasuredLines:
    """Lines that are found, rising: q² in 1/A² and intensity (n,); and the range of the pattern."""

    q2_inv_A2: np.ndarray
    intensity: np.ndarray
    first_q2_inv_A2: float
    last_q2_inv_A2: float


def draw_measurement(settings: Realism, rng: np.random.Generator) -> Measurement:
    """A measurement as the settings allow it. Angles scale with the wavelength, as q does."""
    wavelength = float(rng.choice(settings.wavelengths_A))
    scale = wavelength / WAVELENGTH_A
    shifted, displaced, mixed, uneven = rng.random(4) < (
        settings.shifted_share,
        settings.shifted_share,
        settings.second_phase_share,
        settings.uneven_share,
    )
    fwhm = scale * between(settings.fwhm_deg, rng)
    return Measurement(
        wavelength,
        scale * settings.zero_shift_deg * rng.normal() * shifted,
        scale * settings.displacement_deg * rng.normal() * displaced,
        fwhm,
        fwhm * rng.uniform(0, 1),
        between(settings.counts, rng),
        between(settings.background, rng),
        scale * rng.uniform(*settings.first_deg),
        min(scale * rng.uniform(*settings.last_deg), 175.0),
        rng.uniform(0, settings.second_phase_most) * mixed,
        rng.uniform(0, settings.intensity_spread) * uneven,
        rng.uniform(*settings.resolution_fwhm),
        settings.detection,
    )


def measured_lines(
    main: Lines, second: Lines, calculated_A: float, how: Measurement, rng: np.random.Generator
) -> MeasuredLines:
    """The lines that are found of a crystal, with some of a second one.

    Args:
        main: q² in 1/A² and intensity (m,) of the lines of the crystal; those without intensity
            are passed over.
        second: those of the second (k,).
        calculated_A: wavelength in A that the intensities were calculated for.
        how: the measurement.
        rng: source of the noise.

    Returns:
        The lines, none where nothing stands out of the noise.
    """
    both = (_at(lines, calculated_A, how, rng) for lines in (main, second))
    lines = together(*both, how.second_share, how.wavelength_A)
    within = (lines[0] >= how.first_deg) & (lines[0] <= how.last_deg)
    two_theta, intensity, of_second = (values[within] for values in lines)
    ends = q2_from_two_theta(np.array([how.first_deg, how.last_deg]), how.wavelength_A)
    if not len(two_theta):
        return MeasuredLines(np.empty(0), np.empty(0), *map(float, ends))
    width = _width(two_theta, how)
    two_theta, intensity, _ = merged(two_theta, intensity, of_second, how.resolution_fwhm * width)
    area = how.counts * intensity / intensity.max()
    noise = np.sqrt(area + _WIDTHS_OF_BACKGROUND * how.background * how.counts)
    counted = area + noise * rng.normal(size=len(area))
    width = _width(two_theta, how)
    error = width * np.hypot(np.minimum(_ONE_COUNT * noise / area, _WORST), _BEST)
    two_theta = two_theta + error * rng.normal(size=len(area))
    found = counted > how.detection * noise
    shift = how.zero_shift_deg + how.displacement_deg * np.cos(np.radians(two_theta / 2))
    seen = np.clip((two_theta + shift)[found], 1e-3, 179.0)
    order = np.argsort(seen, kind="stable")
    q2 = q2_from_two_theta(seen[order], how.wavelength_A)
    return MeasuredLines(q2, counted[found][order], *map(float, ends))


def _at(lines: Lines, calculated_A: float, how: Measurement, rng: np.random.Generator) -> Lines:
    """Lines with intensity, as at the wavelength of a measurement and uneven by the sample."""
    q2, intensity = (np.asarray(values, dtype=float) for values in lines)
    wavelengths = (how.wavelength_A, calculated_A)
    used = (intensity > 0) & (np.sqrt(q2) * max(wavelengths) / 2 < 1)
    q2, intensity = q2[used], intensity[used]
    theta, calculated = (np.arcsin(np.sqrt(q2) * wavelength / 2) for wavelength in wavelengths)
    ratio = lorentz_polarization(theta) / lorentz_polarization(calculated)
    uneven = np.exp(how.intensity_spread * rng.normal(size=len(q2)))
    return q2, intensity * ratio * uneven


def _width(two_theta_deg: np.ndarray, how: Measurement) -> np.ndarray:
    return how.fwhm_deg + how.fwhm_slope_deg * np.tan(np.radians(two_theta_deg / 2))
