"""What a profile fit sees of a pattern: points, uncertainties, background, radiation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlindex.crystal.bragg import two_theta_at_wavelength
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch.doublet import line_of
from mlindex.patterns.peaksearch.found import FoundPeaks
from mlindex.patterns.peaksearch.noise import standard_errors
from mlindex.wholepattern.kernels import products

#: All peaks of a pattern may be needed to tell what a cell leaves.
ALL_PEAKS = 1000
#: Points that a peak's width needs; finer patterns are averaged.
_POINTS_PER_FWHM = 6.0
#: A correction of the background bends over no less than this many widths, and has this many knots.
_KNOT_FWHM, _MOST_KNOTS = 40.0, 12
#: By how much of itself and of the noise of a point the background may be wrong.
_BACKGROUND_SHARE, _BACKGROUND_NOISE = 0.3, 5.0


@dataclass(frozen=True)
class Radiation:
    """First line, and the second one of a doublet with its ratio of heights (0 for a single)."""

    first_A: float
    second_A: float | None = None
    ratio: float = 0.0

    def split(self, two_theta_deg: np.ndarray) -> np.ndarray:
        """Distance of the second line in degrees at true positions of the first."""
        if self.second_A is None or self.ratio == 0:
            return np.zeros_like(two_theta_deg)
        second = two_theta_at_wavelength(
            two_theta_deg, self.first_A, self.second_A, at_most_180=True
        )
        return second - two_theta_deg


@dataclass(frozen=True)
class Data:
    """Points of a pattern (n,) as they are fitted.

    Attributes:
        x: 2theta in degrees.
        y: intensity over ``base``.
        base: background of the peak search.
        noise: standard uncertainty of the intensities, as the points scatter.
        sigma: the same with what no profile fits, see :mod:`mlindex.wholepattern.reference`.
        splines: rows (b, n) of the corrections of the background.
        spline_sigma: by how much each may be used, in units of the intensity.
        radiation: the wavelengths.
    """

    x: np.ndarray
    y: np.ndarray
    base: np.ndarray
    noise: np.ndarray
    sigma: np.ndarray
    splines: np.ndarray
    spline_sigma: float
    radiation: Radiation

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def border(self) -> tuple[np.ndarray, np.ndarray]:
        """Corrections of the background and, last, the intensities, over the uncertainties
        (b + 1, n), and the products of these rows with each other (b + 1, b + 1)."""
        weight = 1 / self.sigma
        rows = np.vstack([self.splines * weight, self.y * weight])
        return rows, products(rows)

    def with_sigma(self, sigma: np.ndarray) -> Data:
        """The same with other uncertainties (n,)."""
        return replace(self, sigma=sigma)


def prepare(pattern: MeasuredPattern, found: FoundPeaks, two_theta_max_deg: float = 180.0) -> Data:
    """The points of a pattern up to an angle, averaged where they are finer than needed.

    Args:
        pattern: the pattern; it has a wavelength, if only a nominal one.
        found: its peaks, with their calibration.
        two_theta_max_deg: where the fit ends.
    """
    x, y = pattern.two_theta_deg, pattern.intensity.astype(float)
    used = np.isfinite(x) & np.isfinite(y) & (x > 0) & (x < min(180.0, two_theta_max_deg))
    noise = np.zeros(len(x))
    noise[used] = standard_errors(y[used], None if pattern.error is None else pattern.error[used])
    x, y, base, noise = x[used], y[used], found.background[used], noise[used]
    fwhm = found.calibration.widths(x)
    block = int(max(1, np.min(fwhm) / (_POINTS_PER_FWHM * np.median(np.diff(x)))))
    x, y, base, noise = (_averaged(values, block) for values in (x, y, base, noise))
    noise /= np.sqrt(block)
    line = line_of(pattern)
    ratio = found.calibration.shape.ratio
    radiation = Radiation(
        wavelength_of(pattern, found), line.second_A if ratio > 0 else None, float(ratio)
    )
    width = float(np.median(fwhm))
    knots = int(np.clip((x[-1] - x[0]) / (_KNOT_FWHM * width), 1, _MOST_KNOTS))
    spread = _BACKGROUND_SHARE * np.median(np.abs(base)) + _BACKGROUND_NOISE * np.median(noise)
    return Data(x, y - base, base, noise, noise, cubic_splines(x, knots), float(spread), radiation)


def wavelength_of(pattern: MeasuredPattern, found: FoundPeaks) -> float:
    """The wavelength in A that the positions of the peaks found are at, true or nominal."""
    return found.peaks.wavelength_A or pattern.scale_A


def _averaged(values: np.ndarray, block: int) -> np.ndarray:
    n = len(values) // block * block
    return values[:n].reshape(-1, block).mean(axis=1)


def cubic_splines(x: np.ndarray, intervals: int) -> np.ndarray:
    """Cubic B-splines (intervals + 3, n) on equal intervals of the range of x (n,).

    They add up to 1 everywhere (de Boor, A Practical Guide to Splines, 1978).
    """
    at = (x - x[0]) / max(x[-1] - x[0], 1e-12) * intervals
    t = np.abs(at - np.arange(-1, intervals + 2)[:, None])
    near = 2 / 3 - t**2 + t**3 / 2
    far = np.maximum(2 - t, 0) ** 3 / 6
    return np.where(t < 1, near, far)
