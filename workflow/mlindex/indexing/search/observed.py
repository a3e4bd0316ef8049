"""What was observed, as the searches see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.indexing.search.lines import STRAY, Lines, lines_of
from mlindex.indexing.search.strays import stray_of
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A, PeakList

#: Error of 2theta where neither the list nor the user gives one, degrees, from Cu K-alpha1 on.
DEFAULT_ERROR_DEG = 0.02
#: Errors below this are not believed, degrees.
_LEAST_ERROR_DEG = 0.003
#: A reflection explains a line within this many errors.
_WINDOW = 2.5
#: Reflections nearer than the nearest two lines of a list, in degrees, may be one line; not where
#: lines are nearer than the first, and none farther apart than the second.
_LEAST_APART_DEG, _MOST_APART_DEG = 0.02, 0.1
#: Factors on the errors, which are not trusted: lists are often better, and calculated ones exact.
ERROR_SCALES = np.array([5e-5, 5e-4, 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.5])


@dataclass(frozen=True)
class Observed:
    """The lines used, as arrays (n,).

    ``q2`` as observed, 1/A²; ``sigma`` its errors, ``rounding`` what rounding adds to them;
    ``slope`` d(q²)/d(2theta), 1/A² per degree; ``stray`` how probable it is that each line belongs
    to something else; ``resolution`` how far apart reflections are two lines, 1/A², 0 where all
    are taken as such; ``shiftable``: whether the wavelength is known, so that a zero shift means
    something.
    """

    q2: np.ndarray
    sigma: np.ndarray
    rounding: np.ndarray
    slope: np.ndarray
    stray: np.ndarray
    resolution: np.ndarray
    shiftable: bool

    @cached_property
    def errors(self) -> np.ndarray:
        """The errors at every scale that is tried (s, n), 1/A²: never less than by rounding."""
        return np.maximum(ERROR_SCALES[:, None] * self.sigma, self.rounding)

    @cached_property
    def weight(self) -> np.ndarray:
        """What each line weighs (n,): how surprising a stray it would be, 1 where intensities are
        not known."""
        return np.log(self.stray) / np.log(STRAY)

    def with_pairs(self) -> Observed:
        """The same, where a line may be a pair of reflections nearer than any two lines are."""
        apart = float(np.min(np.diff(self.q2) / self.slope[1:], initial=_MOST_APART_DEG))
        return replace(self, resolution=apart * self.slope * (apart >= _LEAST_APART_DEG))

    def resolves(self, sharpness: float) -> bool:
        """Whether windows of errors times ``sharpness`` hold most lines, rounded as they are."""
        return bool(np.median(_WINDOW * sharpness * self.sigma - self.rounding) >= 0)

    def lines(self, sharpness: float, shift_deg: float, effort: int = 0) -> Lines:
        """Lines for a search: errors times ``sharpness``, a zero shift taken off."""
        window = _WINDOW * sharpness * self.sigma
        return lines_of(self.q2 - self.slope * shift_deg, window, effort)


def observe(peaks: PeakList, n_lines: int, error_deg: float | None) -> Observed:
    """The first lines of a list, with errors from the user, the list or the default."""
    n = min(n_lines, len(peaks))
    q2 = peaks.q2_inv_A2[:n]
    slope = peaks.q2_error_inv_A2(1.0)[:n]
    usual = _usual_error_deg(peaks.wavelength_A)
    errors = np.full(n, usual if error_deg is None else error_deg)
    if error_deg is None and peaks.two_theta_error_deg is not None:
        # Positions of a fit are better known than the lattice fits them: sample and optics err.
        errors = np.hypot(peaks.two_theta_error_deg[:n], usual / 2)
    sigma = slope * np.maximum(errors, _LEAST_ERROR_DEG)
    rounding = np.zeros(n) if peaks.rounding_inv_A2 is None else peaks.rounding_inv_A2[:n]
    if error_deg is None:
        sigma = np.hypot(sigma, rounding)
    reachable = peaks.wavelength_A is not None and bool(
        np.all(np.isfinite(two_theta_from_q2(q2, peaks.wavelength_A)))
    )
    return Observed(q2, sigma, rounding, slope, stray_of(peaks)[:n], np.zeros(n), reachable)


def _usual_error_deg(wavelength_A: float | None) -> float:
    # Patterns of shorter wavelengths are narrower, and what measures them resolves d as well.
    return DEFAULT_ERROR_DEG * min(1.0, (wavelength_A or ERROR_WAVELENGTH_A) / ERROR_WAVELENGTH_A)
