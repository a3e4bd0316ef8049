"""What fits to the whole profile of a pattern say of a candidate, or of all phases; lists have
none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CandidateProfile:
    """A Pawley fit of one candidate: each line of its cell has an intensity of its own.

    Peaks that no line explains are fitted beside them, so that a second phase spoils no figure;
    they are no part of ``calculated``.

    Attributes:
        r_wp: weighted profile R factor, background included, of lines and other peaks together.
        goodness: R_wp over what counting allows for, 1 at best.
        explained: share of the intensity over the background, without the peaks of known phases,
            that the lines of the cell explain.
        n_lines: lines of the cell that the fit can tell apart.
        n_other_peaks: peaks that are none of them.
        zero_shift_deg: observed 2theta = true 2theta + shift; 0 where the fit needs none.
        displacement_deg: observed 2theta = true 2theta + displacement cos(theta), of a sample that
            is not on the axis; 0 where the fit needs none.
        log_evidence: natural logarithm of the evidence of the profile for this cell; differences
            between candidates of one pattern count.
        probability_before: probability of the candidate by its lines alone, without the profile.
        two_theta_deg: points of the fit (n,), averaged where the pattern is finer than it needs to
            be, the same array for all candidates.
        observed: intensities (n,), likewise.
        calculated: background and lines of the cell (n,).
        higher: the Bravais lattice of higher symmetry that this cell was bent out of, because
            widths and splitting of the lines ask for it; empty for cells that the search found.
        parent: the Bravais lattice of the smaller cell that this one was put before, because it
            explains the peaks which that one leaves; else empty.
    """

    r_wp: float
    goodness: float
    explained: float
    n_lines: int
    n_other_peaks: int
    zero_shift_deg: float
    displacement_deg: float
    log_evidence: float
    probability_before: float
    two_theta_deg: np.ndarray
    observed: np.ndarray
    calculated: np.ndarray
    higher: str = ""
    parent: str = ""

    @property
    def difference(self) -> np.ndarray:
        """Observed less calculated intensities (n,): what the cell leaves."""
        return self.observed - self.calculated

    def __repr__(self) -> str:
        return (
            f"CandidateProfile(R_wp {100 * self.r_wp:.1f} %, {100 * self.explained:.1f} % "
            f"explained by {self.n_lines} lines, {self.n_other_peaks} other peaks)"
        )


@dataclass(frozen=True)
class PhaseShare:
    """What a phase has in the fit of all phases together.

    Attributes:
        share, share_error: its part of the intensity over the background, lines that overlap shared
            out by the fit, and its standard uncertainty.
        cell, cell_error: its cell as the fit refined it (A, degrees), in the setting that the
            phase is given in, and standard uncertainties.
        log_evidence: by how much ln(evidence) of the profile falls without it.
        calculated: what its lines add to the pattern (n,).
    """

    share: float
    share_error: float
    cell: np.ndarray
    cell_error: np.ndarray
    log_evidence: float
    calculated: np.ndarray


@dataclass(frozen=True)
class PhasesProfile:
    """A Pawley fit of all phases of a sample to the whole profile: each has its cell, and each of
    its lines an intensity; background, shifts, widths and shape are those of all.

    Attributes:
        phases: one for each phase of the result, in their order.
        r_wp, goodness, explained, n_other_peaks, zero_shift_deg, displacement_deg: as of one
            candidate, see :class:`CandidateProfile`.
        two_theta_deg, observed, calculated: points (n,); calculated without other peaks.
    """

    phases: tuple[PhaseShare, ...]
    r_wp: float
    goodness: float
    explained: float
    n_other_peaks: int
    zero_shift_deg: float
    displacement_deg: float
    two_theta_deg: np.ndarray
    observed: np.ndarray
    calculated: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Observed less calculated intensities (n,): what the phases leave."""
        return self.observed - self.calculated
