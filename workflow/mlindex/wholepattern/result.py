"""What profile fits of candidates return."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlindex.wholepattern.evidence import Evidence
from mlindex.wholepattern.heights import Heights


@dataclass(frozen=True)
class LineIntensities:
    """Intensities of the lines (k,) of a cell, those too close to be told apart taken as one.

    Intensities are areas in the pattern's unit times degrees, all lines of a doublet together.
    ``hkl`` (k, 3) names each, ``multiplicity`` counts its reflections, ``members`` the different
    lines of the lattice that are taken together. ``fitted`` is not negative.
    """

    hkl: np.ndarray
    multiplicity: np.ndarray
    members: np.ndarray
    two_theta_deg: np.ndarray
    fitted: np.ndarray
    #: Area of a line of height 1.
    unit: np.ndarray
    heights: Heights

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance (k, k) of the intensities, the overlaps and the background in it."""
        return self.heights.covariance * np.outer(self.unit, self.unit)

    @cached_property
    def error(self) -> np.ndarray:
        """Standard uncertainties (k,)."""
        return np.sqrt(np.diagonal(self.covariance))

    @cached_property
    def unbounded(self) -> np.ndarray:
        """Intensities (k,) if they might be negative, to which the covariance belongs: what tests
        of absences need, for a 0 that is a limit tells less than a measured one."""
        return self.heights.unbounded * self.unit

    def __len__(self) -> int:
        return len(self.hkl)


@dataclass(frozen=True)
class Shift:
    """A shift of the lines: zero shift of 2theta, or displacement d of d cos(theta), in degrees.

    ``used`` says whether the cell was refined with it; the error is that beside the other one.
    """

    deg: float
    error_deg: float
    used: bool


@dataclass(frozen=True)
class ProfileFit:
    """The fit of one candidate.

    Attributes:
        cell, cell_error: refined cell (A, degrees) in the candidate's setting, and its standard
            uncertainties; where the pattern can't tell zero shift and displacement apart, they
            contain both.
        zero_shift: observed 2theta = true 2theta + shift.
        displacement: observed 2theta = true 2theta + displacement cos(theta), of a sample that is
            not on the axis.
        r_wp, r_p: weighted and plain profile R factors, background included.
        goodness: R_wp over what counting allows for, 1 at best.
        explained: share of the intensity over the background that is in lines of the cell.
        evidence: for the cell, see :mod:`mlindex.wholepattern.evidence`.
        lines: its lines and their intensities.
        stray_two_theta_deg, stray_intensity: peaks (s,) that are none of its lines.
        calculated, background: (n,) at the points of the fits.
        strays: what the peaks that are none of its lines add to ``calculated`` (n,).
    """

    cell: np.ndarray
    cell_error: np.ndarray
    zero_shift: Shift
    displacement: Shift
    r_wp: float
    r_p: float
    goodness: float
    explained: float
    evidence: Evidence
    lines: LineIntensities
    stray_two_theta_deg: np.ndarray
    stray_intensity: np.ndarray
    calculated: np.ndarray
    background: np.ndarray
    strays: np.ndarray

    def __repr__(self) -> str:
        return (
            f"ProfileFit(R_wp {100 * self.r_wp:.1f} %, {100 * self.explained:.1f} % explained by "
            f"{len(self.lines)} lines, {len(self.stray_intensity)} other peaks)"
        )


@dataclass(frozen=True)
class ProfileFits:
    """Fits of candidates to one pattern, in the order of the candidates.

    Attributes:
        two_theta_deg: points that were fitted (n,), averaged where the pattern is finer than it
            needs to be.
        observed, noise: intensities (n,) and their standard uncertainties from the scatter.
        misfit: share of a peak's height that profiles of one shape don't explain.
        fits: None where a cell could not be fitted.
    """

    two_theta_deg: np.ndarray
    observed: np.ndarray
    noise: np.ndarray
    misfit: float
    fits: tuple[ProfileFit | None, ...]

    @property
    def ranked(self) -> tuple[int, ...]:
        """Candidates, counted from 0, the best by evidence first; those without a fit left out."""
        there = [i for i, fit in enumerate(self.fits) if fit is not None]
        return tuple(sorted(there, key=lambda i: self.fits[i].evidence.total))

    def difference(self, candidate: int) -> np.ndarray:
        """Observed less calculated intensities (n,) of a candidate, counted from 0.

        Raises:
            ValueError: it has no fit.
        """
        fit = self.fits[candidate]
        if fit is None:
            raise ValueError(f"candidate {candidate + 1} could not be fitted")
        return self.observed - fit.calculated
