"""K-alpha doublets of X-ray tubes, recognized in the data, and lines of other wavelengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import two_theta_at_wavelength
from mlindex.crystal.wavelengths import DOUBLET_RATIO, OTHER_LINES, TUBES
from mlindex.patterns.measured import MeasuredPattern

#: The largest share of the height of K-alpha1 that another line of the tube has beside a filter or
#: mirror.
_LARGEST_SHARE = {"K-beta": 0.025, "W L-alpha": 0.03, "K-alpha satellites": 0.012}
_SAME_LINE_REL = 3e-4
#: A height is at least so many of its standard uncertainties below the one found.
_SURE = 2.0
#: K-alpha1 as people write it, 1.5406 or 1.54056: nearly always of a tube, whose other line is
#: there, too; other wavelengths near it, such as 1.5403 of neutrons, are less sure.
_AS_WRITTEN_REL = 1e-4
#: A doublet that is expected holds unless single lines fit better by the first factor; one that is
#: not must fit better by the second. The first is from 432 simulated patterns of Cu, half of them
#: doublets, of widths from 0.06 to 0.5 degrees: misfit of single lines over that of doublets was
#: 0.98 or more for doublets, less than 0.95 for single lines unless they were too wide to tell. In
#: 20 measured patterns that state doublets it was 0.98 or more, in one of K-alpha1 0.90.
_CLEARLY_SINGLE, _CLEAR_FACTOR = 1.05, 1.15


@dataclass(frozen=True)
class Line:
    """Radiation as the search takes it; the second line is None for a single one.

    ``stated``: the pattern names the second line; ``expected``: it does, or gives the mean of a
    doublet, which only means something for both lines together, or K-alpha1 without saying that it
    is alone. What is expected does not depend on the format that a scan was written in.
    """

    wavelength_A: float
    second_A: float | None
    ratio: float
    tube: str | None
    stated: bool
    first_if_doublet_A: float
    expected: bool = False

    def split(self, two_theta_deg: np.ndarray, ratio: float) -> np.ndarray:
        """Distance of the second line in degrees at positions of the first; 0 if ratio is 0."""
        if self.second_A is None or ratio == 0:
            return np.zeros_like(two_theta_deg)
        second = two_theta_at_wavelength(
            two_theta_deg, self.first_if_doublet_A, self.second_A, at_most_180=True
        )
        return second - two_theta_deg


def line_of(pattern: MeasuredPattern) -> Line:
    """The radiation of a pattern, with the doublet that its wavelength suggests."""
    wavelength = pattern.scale_A
    # A nominal wavelength says nothing of the radiation.
    if pattern.radiation == "neutron" or pattern.wavelength_A is None:
        return Line(wavelength, None, 0.0, None, False, wavelength)
    for tube, (first, second) in TUBES.items():
        for usual in (first, (2 * first + second) / 3):
            if abs(wavelength / usual - 1) < _SAME_LINE_REL:
                start = wavelength if usual == first else first
                other = pattern.second_wavelength_A
                stated = other is not None and other > start
                ours = start * second / first
                # Older values of K-alpha2, and files without it, give the same peaks.
                if not stated or abs(other / ours - 1) < _AS_WRITTEN_REL:
                    other = ours
                written = abs(wavelength / first - 1) < _AS_WRITTEN_REL
                alone = pattern.second_ratio == 0
                expected = stated or usual != first or (written and not alone)
                ratio = pattern.second_ratio or DOUBLET_RATIO
                return Line(wavelength, other, ratio, tube, stated, start, expected)
    other = pattern.second_wavelength_A
    if other is not None and other > wavelength:
        return Line(wavelength, other, pattern.second_ratio, None, True, wavelength, True)
    return Line(wavelength, None, 0.0, None, False, wavelength)


def is_doublet(line: Line, misfit_single: float, misfit_double: float) -> bool:
    """Whether the data show a doublet; what is expected holds where they don't decide."""
    if line.second_A is None:
        return False
    if line.expected:
        return not misfit_single * _CLEARLY_SINGLE < misfit_double
    return misfit_double * _CLEAR_FACTOR < misfit_single


def ghosts(
    line: Line,
    two_theta_deg: np.ndarray,
    height: np.ndarray,
    height_error: np.ndarray,
    tolerance_deg: np.ndarray,
) -> dict[str, np.ndarray]:
    """Peaks (m,) that lie where another line of the tube puts a much stronger peak.

    Heights count as far as they are sure.

    Returns:
        For each kind of such peaks, by name, which they are: bool (m,).
    """
    out = {}
    for name, wavelength in OTHER_LINES.get(line.tube or "", ()):
        image = two_theta_at_wavelength(two_theta_deg, line.first_if_doublet_A, wavelength)
        near = np.abs(image[:, None] - two_theta_deg) < tolerance_deg
        share = _LARGEST_SHARE[name]
        weak = height - _SURE * height_error < share * height[:, None]
        out[name] = np.any(near & weak, axis=0)
    return out
