"""The phases of a sample: whose each line of the list is, and what is left to search with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.phase import Phase, phase_of
from mlindex.crystal.standards import standard_named
from mlindex.indexing.calibration import Calibration, calibrated
from mlindex.indexing.known import Match, matched
from mlindex.indexing.options import Options, names_file
from mlindex.indexing.result import Candidate, SamplePhase
from mlindex.indexing.shift import NO_SHIFT, LineShift
from mlindex.patterns.peaklist import PeakList

#: A known phase that shows no more than this share of its lines is said to show few.
_FEW_SEEN = 0.3


@dataclass(frozen=True)
class Left:
    """What known phases leave of a list: ``lines`` are the positions (n,) of the rest in it."""

    rest: PeakList
    lines: np.ndarray
    phases: tuple[SamplePhase, ...] = ()
    notes: tuple[str, ...] = ()
    calibration: Calibration | None = None

    @property
    def shift(self) -> LineShift:
        """What was taken off by calibration."""
        known = self.calibration
        if known is None:
            return NO_SHIFT
        return LineShift(
            known.zero_shift_deg,
            known.displacement_deg or 0.0,
            known.zero_shift_error_deg,
            known.displacement_error_deg or 0.0,
        )

    def of_all(self, peaks: PeakList) -> PeakList:
        """The whole list, calibrated if there is a standard."""
        return peaks if self.calibration is None else self.calibration.corrected(peaks)

    def of_whole_list(self, candidate: Candidate) -> Candidate:
        """A candidate found in the rest, with the positions of its lines in the whole list, and the
        shift of the list as measured."""
        if not self.phases:
            return candidate
        shift = candidate.shift.plus(self.shift)
        return replace(candidate, used_lines=self.lines[candidate.lines], shift=shift)


def without_known(peaks: PeakList, options: Options) -> Left:
    """The list, calibrated if there is a standard, without the lines that the standard and known
    phases explain alone.

    Raises:
        MlindexError: a phase was given by the name of a file, or has too many lines; the standard
            has too few, or the wavelength is not known.
    """
    phases = [_read(one) for one in options.known_phases]
    found: list[Match] = []
    calibration, true = None, peaks
    if options.standard is not None:
        standard = standard_named(options.standard)
        calibration, match = calibrated(peaks, standard, options.two_theta_error_deg)
        true = calibration.corrected(peaks)
        found.append(match)
    if phases:
        found += matched(true, phases, options.two_theta_error_deg)
    if not found:
        return Left(peaks, np.arange(len(peaks)))
    kept = np.ones(len(peaks), dtype=bool)
    for match in found:
        kept[match.lines[~match.shared]] = False
    kinds = ["known" if calibration is None or n else "standard" for n in range(len(found))]
    made = tuple(_known(match, peaks, kind) for match, kind in zip(found, kinds, strict=True))
    notes = [_said(match, kind) for match, kind in zip(found, kinds, strict=True)]
    notes = ([f"standard {calibration}"] if calibration else []) + notes
    return Left(true.only(kept), np.flatnonzero(kept), made, tuple(notes), calibration)


def _read(given: Phase | str) -> Phase:
    if isinstance(given, Phase):
        return given
    if names_file(given):
        raise MlindexError(
            f"known phase {given!r}: files are read by whoever asks; give "
            f"mlindex.read_phase({given!r})"
        )
    return phase_of(given)


def _known(match: Match, peaks: PeakList, kind: str) -> SamplePhase:
    phase = match.phase
    return SamplePhase(
        phase.name,
        kind,
        phase.cell,
        phase.centring,
        match.lines,
        match.shared,
        share_of(peaks, match.lines, match.shared),
        match.expected,
    )


def _said(match: Match, kind: str) -> str:
    n = len(match.lines)
    what = "standard" if kind == "standard" else "known phase"
    text = f"{what} {match.phase.name}: {n} of its {match.expected} lines in the range"
    shared = int(match.shared.sum())
    also = f", {shared} of them shared with another phase" if shared else ""
    few = "; is it there?" if n <= _FEW_SEEN * match.expected else ""
    return f"{text} are in the list{also}{few}"


def share_of(peaks: PeakList, lines: np.ndarray, shared: np.ndarray) -> float | None:
    """The part that lines (m,) have of the intensity of a list, half of the ``shared`` ones (m,)
    counted; None without intensities."""
    if peaks.intensity is None or not peaks.intensity.sum() > 0:
        return None
    part = peaks.intensity[lines] * np.where(shared, 0.5, 1.0)
    return float(part.sum() / peaks.intensity.sum())
