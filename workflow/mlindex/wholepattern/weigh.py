"""Candidates with their fits to the whole profile of their pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlindex.indexing.profile import CandidateProfile
from mlindex.indexing.result import Candidate
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import FoundPeaks
from mlindex.wholepattern.candidates import fit_candidates
from mlindex.wholepattern.result import ProfileFit, ProfileFits, Shift


def with_profiles(
    pattern: MeasuredPattern,
    found: Sequence[Candidate],
    peaks: FoundPeaks,
    workers: int | None = None,
    shift_deg: float = 0.0,
) -> tuple[Candidate, ...]:
    """Candidates with their fits to the whole profile, as far as they can be fitted.

    Args:
        pattern: the pattern.
        found: candidates, the most probable first.
        peaks: all peaks of the pattern.
        workers: threads; if None, one for each core that may be used, up to 4.
        shift_deg: the zero shift of all lines beside those of the candidates.
    """
    shifted = [replace(c, zero_shift_deg=c.zero_shift_deg + shift_deg) for c in found]
    fits = fit_candidates(pattern, shifted, peaks, workers)
    if fits is None:
        return tuple(found)
    profiles = [None if fit is None else _profile(fits, fit) for fit in fits.fits]
    profiles += [None] * (len(found) - len(profiles))
    return tuple(replace(c, profile=p) for c, p in zip(found, profiles, strict=True))


def _profile(fits: ProfileFits, fit: ProfileFit) -> CandidateProfile:
    return CandidateProfile(
        r_wp=fit.r_wp,
        goodness=fit.goodness,
        explained=fit.explained,
        n_lines=len(fit.lines),
        n_other_peaks=len(fit.stray_intensity),
        zero_shift_deg=_used(fit.zero_shift),
        displacement_deg=_used(fit.displacement),
        log_evidence=-fit.evidence.total / 2,
        two_theta_deg=fits.two_theta_deg,
        observed=fits.observed,
        calculated=fit.calculated - fit.strays,
    )


def _used(shift: Shift) -> float:
    return shift.deg if shift.used else 0.0
