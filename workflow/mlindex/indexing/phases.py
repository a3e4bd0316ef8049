"""The phases of a sample: whose each line of the list is, and what is left to search with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.phase import Phase, phase_of
from mlindex.indexing.known import Match, matched
from mlindex.indexing.options import Options, names_file
from mlindex.indexing.result import Candidate, SamplePhase
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

    def of_whole_list(self, candidate: Candidate) -> Candidate:
        """A candidate found in the rest, with the positions of its lines in the whole list."""
        if not self.phases:
            return candidate
        return replace(candidate, used_lines=self.lines[candidate.lines])


def without_known(peaks: PeakList, options: Options) -> Left:
    """The list without the lines that known phases explain alone.

    Raises:
        MlindexError: a phase was given by the name of a file, or has too many lines.
    """
    phases = [_read(one) for one in options.known_phases]
    if not phases:
        return Left(peaks, np.arange(len(peaks)))
    found = matched(peaks, phases, options.two_theta_error_deg)
    kept = np.ones(len(peaks), dtype=bool)
    for match in found:
        kept[match.lines[~match.shared]] = False
    made = tuple(_known(match, peaks) for match in found)
    return Left(peaks.only(kept), np.flatnonzero(kept), made, tuple(map(_said, found)))


def _read(given: Phase | str) -> Phase:
    if isinstance(given, Phase):
        return given
    if names_file(given):
        raise MlindexError(
            f"known phase {given!r}: files are read by whoever asks; give "
            f"mlindex.read_phase({given!r})"
        )
    return phase_of(given)


def _known(match: Match, peaks: PeakList) -> SamplePhase:
    phase = match.phase
    return SamplePhase(
        phase.name,
        "known",
        phase.cell,
        phase.centring,
        match.lines,
        match.shared,
        share_of(peaks, match.lines, match.shared),
        match.expected,
    )


def _said(match: Match) -> str:
    n = len(match.lines)
    text = f"known phase {match.phase.name}: {n} of its {match.expected} lines in the range"
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


def of_first_cell(
    peaks: PeakList, best: Candidate, others: Sequence[SamplePhase], name: str = "cell 1"
) -> SamplePhase:
    """The first cell as a phase beside others, with the lines that it indexes."""
    lines = best.lines[best.indexed]
    taken = {int(line) for phase in others for line in phase.lines}
    shared = np.array([int(line) in taken for line in lines], dtype=bool)
    shown = best.settings[0]
    return SamplePhase(
        name,
        "found",
        shown.cell,
        shown.centring,
        lines,
        shared,
        share_of(peaks, lines, shared),
        best.n_calculated,
    )
