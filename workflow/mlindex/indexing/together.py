"""What a whole pattern says of cells as phases of its sample; lists say nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlindex.crystal.phase import Phase
from mlindex.indexing.profile import PhasesProfile
from mlindex.indexing.result import Candidate, SamplePhase
from mlindex.patterns.peaklist import PeakList


class PatternPhases(Protocol):
    """What the whole profile of a pattern says of cells as phases of its sample."""

    def leave(self, cells: Sequence[Candidate]) -> PeakList | None:
        """The peaks that cells and known phases leave in a fit, as a list at the positions
        measured; None where they can't be fitted."""
        ...

    def gain(self, cells: Sequence[Candidate], further: Candidate | Phase) -> float:
        """By how much ln(evidence) of the profile grows with a further cell."""
        ...

    def together(self, phases: Sequence[SamplePhase]) -> PhasesProfile | None:
        """The fit of all phases together; None where they can't be fitted."""
        ...
