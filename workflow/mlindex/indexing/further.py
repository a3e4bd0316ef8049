"""Further phases: what the first cell leaves is recognized, or indexed again.

Where the first cell is convincing, the lines that it leaves are searched for a second and a third
phase. Where it is not, for the other phase's lines may be all that speaks against it, they are
searched too; and with a convincing second cell the rest is searched once more, so that two cells
which explain the list together are convincing together.

Of a whole pattern the lines that are searched are the peaks that the profile fit of the cells so
far leaves, those that hide in overlaps among them; and a further cell must make the fit of all of
them more probable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.phase import Phase
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.cubic import cubic_lattice
from mlindex.indexing.known import Degrees
from mlindex.indexing.named import Named, recognized, said
from mlindex.indexing.phases import Left, share_of
from mlindex.indexing.rest import Rest, only
from mlindex.indexing.result import Candidate, IndexingResult, SamplePhase
from mlindex.indexing.shift import LineShift
from mlindex.indexing.together import PatternPhases
from mlindex.indexing.verdict import verdict
from mlindex.patterns.peaklist import PeakList

#: A search of some lines of a list; the second value says whether the whole search is wanted.
Look = Callable[[PeakList, bool], IndexingResult]

#: Lines, and share of the intensity, that are worth a search of their own.
_FEWEST, _LEAST_SHARE = 6, 0.01
#: Cells that a list is searched for, the first one included.
_MOST_CELLS = 3
#: The share of its lines that the cell of a further phase must index, beside being convincing.
#: Lines that a first cell leaves are worse than a list: remains of strong lines, overlaps. Wrong
#: first cells of such lines had a log-evidence of -6 and less (9 of 12 patterns with a second phase
#: of 5 and 20 %), right ones of -3 to 24.
_LEAST_INDEXED = 0.6
#: By how much a further cell must raise ln(evidence) of the whole profile, at least.
_LEAST_GAIN = 0.0
#: A further cell is sure where it raises it by so much, by so much more than any other candidate,
#: and leaves no more than this share of the peaks. Of 17 simulated mixtures with 20 % of a second
#: phase (benchmarks/mixtures.py, seeds 5 and 7) the true cell gained 46 to 133, and 6 to 13 more
#: than any other; where it was not among the candidates these gained 14 at most but for one, with
#: 40, that left 3 of 21 peaks. A large cell has lines anywhere: of another seed, wrong ones with
#: primitive volumes of 700 and 1,550 A3 gained 25 and 34. So much more is asked for with each A3.
_SURE_GAIN, _GAIN_PER_A3, _AHEAD, _MOST_REMAINING = 20.0, 0.02, 4.0, 0.1
#: Its probability by the lines counts as well, but for no less than this: few lines tell little.
_LEAST_PROBABLE = 1e-3
#: Peaks of a fit that are worth a search: the profile between them speaks as well.
_FEWEST_OF_FIT = 4
#: The same of a cubic lattice of a few lines, which is hardly there by chance, and has one
#: parameter: 3 lines of silicon carbide beside zinc (fityk's SiC_Zn) gain 7.5.
_LEAST_GAIN_CUBIC = 5.0
#: Phases that are fitted together.
_SEVERAL = 2
#: The list's own lines are searched too where a fit leaves not even this share of them.
_MOST_SEARCHED = 0.3
#: Lines of the whole list that a further cell must have, at least.
_FEWEST_LISTED = 1
#: Lines of the first cell that may turn out to be the second one's, so many or this share of them:
#: with more of them, a subcell of a pseudosymmetric crystal was called convincing.
_FEW_SHARED, _MOST_SHARED = 2, 1 / 12
#: Where two phases are as strong, a large cell that meets lines of both by chance may come first:
#: another candidate is begun with if its log-evidence as one of two is so much more.
_AHEAD_AS_ONE_OF_TWO = 5.0
#: Candidates that are tried with a cubic lattice beside them, and the log-evidence that another
#: than the first must be ahead with it.
_OTHERS, _WORTH_ANOTHER = 5, 3.0
#: Lines that were not used are a cell's within so many root-mean-square misfits of those that were,
#: or so many degrees.
_MISFITS, _NEAR_DEG = 3.0, (0.02, 0.08)


@dataclass(frozen=True, eq=False)
class _Cell:
    """A cell that was found: its search, which lines of the whole list (n,) it explains, and its
    place among the candidates, from 0."""

    result: IndexingResult
    lines: np.ndarray
    place: int = 0

    @property
    def best(self) -> Candidate:
        """Its candidate, with the positions of its lines in the whole list."""
        return self.result.candidates[self.place]


def with_further(
    result: IndexingResult, left: Left, look: Look, whole: PatternPhases | None = None
) -> IndexingResult:
    """The result with what the first cell leaves: lines recognized, and cells of further phases.

    Args:
        result: of the whole list, known phases included.
        left: what was searched for it.
        look: searches a list.
        whole: what the pattern of the list says of several phases, if there is one.
    """
    if not result.candidates:
        return result
    search = _Search(result.peaks, left, look, whole)
    first = _Cell(result, search.explained(result.candidates[0]))
    rest = search.all & ~first.lines
    shift = result.candidates[0].shift.low_deg
    named = recognized(result.peaks, rest, shift) if rest.any() else ()
    for one in named:
        # A substance may be named for another that has some of its lines: its lines are searched.
        if one.phase is None:
            rest[one.lines] = False
    cells = search.after(first, rest) if result.convincing else search.jointly(first, rest)
    if len(cells) > 1:
        named = tuple(one for one in named if _stands(one, cells))
    elif not named and rest.any():
        cells, cubic = search.with_cubic(first, rest)
        named = named if cubic is None else (*named, cubic)
    told = _told(search, result, cells, named)
    if whole is None or len(told.phases) < _SEVERAL:
        return told
    together = replace(told, together=whole.together(told.phases))
    return together if told.convincing or len(cells) > 1 else search.beside_recognized(together)


@dataclass(frozen=True, eq=False)
class _Search:
    """The search of a list for several cells."""

    peaks: PeakList
    left: Left
    look: Look
    whole: PatternPhases | None

    @property
    def all(self) -> np.ndarray:
        """Which lines of the whole list (n,) known phases do not explain alone."""
        kept = np.zeros(len(self.peaks), dtype=bool)
        kept[self.left.lines] = True
        return kept

    def explained(self, candidate: Candidate) -> np.ndarray:
        """Which lines of the whole list (n,) a candidate explains, those not used included."""
        found = np.zeros(len(self.peaks), dtype=bool)
        found[candidate.lines[candidate.indexed]] = True
        used = self._used(candidate)
        others = self.all & ~used
        if others.any():
            found[others] = self._near(candidate)[others]
        return found

    def _near(self, candidate: Candidate) -> np.ndarray:
        """Which lines (n,) lie near reflections of a candidate."""
        axis = Degrees(self.left.of_all(self.peaks), None)
        shift = candidate.shift.low_deg - self.left.shift.low_deg
        phase = Phase("", candidate.bravais, candidate.cell, candidate.centring)
        try:
            reflections_q2 = phase.lines(float(axis.q2[-1]) * 1.02)
        except MlindexError:
            # So many reflections that any line is near one.
            return np.ones(len(axis.q2), dtype=bool)
        away = np.abs(axis.distances(reflections_q2, shift))
        mine = away[candidate.lines[candidate.indexed]]
        rms = float(np.sqrt(np.mean(mine**2))) if len(mine) else 0.0
        return away <= np.clip(_MISFITS * rms, *_NEAR_DEG)

    def after(self, first: _Cell, rest: np.ndarray) -> list[_Cell]:
        """A convincing first cell, and those of what it leaves, ``rest`` (n,)."""
        cells = [first]
        while len(cells) < _MOST_CELLS:
            found = self._next(cells, rest, True)
            if found is None:
                break
            cells.append(found)
            rest = rest & ~found.lines
        return cells

    def jointly(self, first: _Cell, rest: np.ndarray) -> list[_Cell]:
        """The first cell alone, or two that are convincing together."""
        begin = self._likeliest_of_two(first)
        if begin is not first:
            rest = self.all & ~begin.lines
        second = self._next([begin], rest, False)
        if second is None:
            return [first]
        again = self._again(second)
        return [first] if again is None else sorted([again, second], key=self._weight)

    def _again(self, second: _Cell) -> _Cell | None:
        """The first cell, searched for in what a convincing second one leaves."""
        rest = self.all & ~second.lines
        for lines in self._left_by([second], rest):
            again = self._looked(lines, rest, second.best.shift.low_deg, True)
            if again is None:
                continue
            if not again.result.convincing:
                # The second cell may have part in lines that the first one met by chance.
                shared = self.explained(second.best) & ~again.lines & self._used(again.best)
                if shared.sum() <= max(_FEW_SHARED, _MOST_SHARED * again.best.n_used):
                    again = self._judged_without(again, shared)
            if again.result.convincing and self._adds([second], again):
                return again
        return None

    def _next(self, cells: list[_Cell], rest: np.ndarray, whole: bool) -> _Cell | None:
        """A convincing cell of what others leave, ``rest`` (n,) of the whole list."""
        for lines in self._left_by(cells, rest):
            found = self._looked(lines, rest, cells[0].best.shift.low_deg, whole)
            if found is None:
                continue
            sure = self._sure(cells, found, lines, rest)
            if sure is not None:
                return sure
            best = found.best
            enough = best.n_indexed >= _LEAST_INDEXED * best.n_used
            if found.result.convincing and enough and self._adds(cells, found):
                return found
        return None

    def _sure(
        self, cells: list[_Cell], found: _Cell, lines: Rest, rest: np.ndarray
    ) -> _Cell | None:
        """The cell found in some lines that the whole profile asks for, and for no other so much;
        None where that is open."""
        if self.whole is None:
            return None
        before, several = [cell.best for cell in cells], found.result.candidates
        gains = np.array([self.whole.gain(before, candidate) for candidate in several])
        probability = np.array([candidate.probability for candidate in several])
        gains = gains + np.log(np.maximum(probability, _LEAST_PROBABLE))
        place = int(np.argmax(gains))
        ahead = gains[place] - np.delete(gains, place).max(initial=0.0)
        best = several[place]
        volume_A3 = lattice_of(best.cell, best.centring).volume_A3
        if gains[place] < _SURE_GAIN + _GAIN_PER_A3 * volume_A3 or ahead < _AHEAD:
            return None
        left = self.whole.leave([*before, best])
        if left is None or len(left) > _MOST_REMAINING * len(lines.peaks):
            return None
        reason = (
            f"With it the whole profile is e^{gains[place]:.0f} times as probable as without, "
            f"and e^{ahead:.0f} times as probable as with any other cell."
        )
        others = tuple(c for c in several if c is not best)
        result = replace(found.result, candidates=(best, *others), convincing=True, reason=reason)
        return _Cell(result, self.explained(best) & (rest | self._used(best)))

    def _adds(self, cells: list[_Cell], further: _Cell) -> bool:
        """Whether the whole profile, if there is one, asks for a further cell."""
        if self.whole is None:
            return True
        return self.whole.gain([cell.best for cell in cells], further.best) >= _LEAST_GAIN

    def _left_by(self, cells: list[_Cell], rest: np.ndarray) -> Iterator[Rest]:
        """What to search for a further cell: peaks that the profile fit leaves, then the lines of
        the list that are left, ``rest`` (n,)."""
        beside = rest
        found = None if self.whole is None else self.whole.leave([cell.best for cell in cells])
        if found is not None:
            lines = Rest.of_fit(found, self.peaks)
            beside = rest.copy()
            beside[lines.positions[lines.positions >= 0]] = False
            if self._worth(found, _FEWEST_OF_FIT):
                yield lines
        # Lines that the fit leaves as well are not worth another search.
        if beside.sum() > _MOST_SEARCHED * rest.sum():
            lines = Rest.of_list(self.peaks, rest)
            if self._worth(lines.peaks):
                yield lines

    def _likeliest_of_two(self, first: _Cell) -> _Cell:
        """The first cell, or that of a candidate which is far ahead as one of two phases."""
        mixed = [
            -np.inf if c.log_evidence_if_mixed is None else c.log_evidence_if_mixed
            for c in first.result.candidates
        ]
        place = int(np.argmax(mixed))
        if mixed[place] < mixed[0] + _AHEAD_AS_ONE_OF_TWO:
            return first
        return _Cell(first.result, self.explained(first.result.candidates[place]), place)

    def _used(self, candidate: Candidate) -> np.ndarray:
        """Which lines of the whole list (n,) a candidate was found with."""
        used = np.zeros(len(self.peaks), dtype=bool)
        used[candidate.lines] = True
        return used

    def _judged_without(self, cell: _Cell, others: np.ndarray) -> _Cell:
        """A cell judged again without lines (n,) that others explain."""
        candidates = tuple(_without(c, others) for c in cell.result.candidates)
        strong = self.peaks.intensity
        used = None if strong is None else strong[candidates[0].lines]
        convincing, reason = verdict(candidates, True, True, None, used)
        judged = {"candidates": candidates, "convincing": convincing, "reason": reason}
        return _Cell(replace(cell.result, **judged), cell.lines & ~others)

    def beside_recognized(self, result: IndexingResult) -> IndexingResult:
        """The result with the verdict on its first cell beside phases that were recognized, all
        fitted together: their lines do not speak against it."""
        others = [phase for phase in result.phases if phase.kind == "recognized"]
        first = result.candidates[0]
        if result.together is None or not others or first.profile is None:
            return result
        theirs = np.zeros(len(self.peaks), dtype=bool)
        theirs[np.concatenate([phase.lines for phase in others])] = True
        explained = replace(first.profile, explained=result.together.explained)
        judged = (replace(first, profile=explained), *result.candidates[1:])
        judged = tuple(_without(c, theirs & ~self.explained(first)) for c in judged)
        strong = self.peaks.intensity
        used = None if strong is None else strong[judged[0].lines]
        names = " and ".join(phase.name for phase in others)
        convincing, reason = verdict(judged, True, True, result.formula, used, beside=names)
        return replace(result, convincing=True, reason=reason) if convincing else result

    def _weight(self, cell: _Cell) -> float:
        """How little the lines of a cell are: their intensity, where it is known."""
        strong = self.peaks.intensity
        return -float(cell.lines.sum() if strong is None else strong[cell.lines].sum())

    def with_cubic(self, first: _Cell, rest: np.ndarray) -> tuple[list[_Cell], Named | None]:
        """The first cell and the cubic lattice that ``rest`` (n,) is of, if any; another candidate
        where the first is not convincing and the two of them say more together."""
        cubic = self._cubic(first, rest)
        if cubic is not None or first.result.convincing:
            return [first], cubic
        best, most = (first, cubic), first.best.log_evidence + _WORTH_ANOTHER
        for place, candidate in enumerate(first.result.candidates[1:_OTHERS], 1):
            lines = self.explained(candidate)
            cubic = self._cubic(_Cell(first.result, lines, place), self.all & ~lines)
            if cubic is None or candidate.log_evidence - np.log(cubic.chance) <= most:
                continue
            most = candidate.log_evidence - np.log(cubic.chance)
            best = _Cell(first.result, lines, place), cubic
        return [best[0]], best[1]

    def _cubic(self, cell: _Cell, rest: np.ndarray) -> Named | None:
        """The cubic lattice that few lines are of which a cell leaves, if any: lines of the list,
        ``rest`` (n,), or the peaks that its fit leaves."""
        shift_deg = cell.best.zero_shift_deg
        cubic = cubic_lattice(self.peaks, rest, shift_deg)
        found = None if self.whole is None or cubic else self.whole.leave([cell.best])
        if found is None:
            return cubic
        both, left = Rest.of_fit(found, self.peaks).among(self.peaks, self.all & ~rest)
        cubic = cubic_lattice(both.peaks, left, shift_deg)
        if cubic is None or self.whole.gain([cell.best], cubic.phase) < _LEAST_GAIN_CUBIC:
            return None
        lines = np.unique(both.positions[cubic.lines])
        return replace(cubic, lines=lines[lines >= 0])

    def _worth(self, lines: PeakList, fewest: int = _FEWEST) -> bool:
        """Whether lines are enough, and strong enough, to be searched."""
        if len(lines) < fewest:
            return False
        if lines.intensity is None or not self.peaks.intensity.sum() > 0:
            return True
        return bool(lines.intensity.sum() >= _LEAST_SHARE * self.peaks.intensity.sum())

    def _looked(self, lines: Rest, rest: np.ndarray, shift_deg: float, whole: bool) -> _Cell | None:
        """The search of some lines, ``rest`` (n,) of the whole list, a zero shift of the list as
        measured taken off; None if that finds nothing."""
        peaks = self.left.of_all(lines.peaks)
        more = shift_deg - self.left.shift.low_deg if shift_deg else 0.0
        if more and peaks.wavelength_A is not None:
            peaks = peaks.shifted(more)
        result = self.look(peaks, whole)
        found = [lines.in_whole_list(c) for c in result.candidates]
        if not found or found[0].n_used < _FEWEST_LISTED:
            return None
        # Lines beyond the whole list were searched, but can't be shown.
        found = [
            replace(c, shift=c.shift.plus(LineShift(more)).plus(self.left.shift))
            for c in found
            if c.n_used
        ]
        result = replace(result, candidates=tuple(found))
        return _Cell(result, self.explained(found[0]) & (rest | self._used(found[0])))


def _stands(one: Named, cells: list[_Cell]) -> bool:
    """Whether lines are still of what they were named, cells having been found: if none has them,
    or one of that lattice."""
    if one.phase is None or not np.any([cell.lines[one.lines] for cell in cells]):
        return True
    lattice = lattice_of(one.phase.cell, one.phase.centring)
    others = [lattice_of(cell.best.cell, cell.best.centring) for cell in cells]
    return any(same(lattice, other, *FOUND_LATTICE) for other in others)


def _without(candidate: Candidate, others: np.ndarray) -> Candidate:
    """A candidate without some lines (n,) of the list."""
    return only(candidate, ~others[candidate.lines], candidate.lines)


def _told(
    search: _Search, result: IndexingResult, cells: list[_Cell], named: tuple[Named, ...]
) -> IndexingResult:
    """The result with its further phases, by name."""
    notes = said(named, search.peaks)
    first = cells[0].result
    given = tuple(phase for phase in result.phases if phase.kind != "found")
    taken = np.any([cell.lines for cell in cells], axis=0)
    given += tuple(
        _recognized(search, one)
        for one in named
        if one.phase is not None and not taken[one.lines].any()
    )
    if len(cells) == 1 and not given:
        return replace(result, notes=(*result.notes, *notes))
    found = []
    for number, cell in enumerate(cells, 1):
        name = f"candidate {cell.place + 1}" if cell.place else f"cell {number}"
        found.append(_phase(search, cell, name, [*given, *found]))
    together = len(cells) > 1
    return replace(
        result,
        candidates=first.candidates,
        convincing=first.convincing,
        reason=_reason(search, first, cells) if together else result.reason,
        notes=(*result.notes, *notes),
        phases=(*given, *found),
    )


def _phase(search: _Search, cell: _Cell, name: str, others: list[SamplePhase]) -> SamplePhase:
    lines = np.flatnonzero(cell.lines)
    taken = {int(line) for phase in others for line in phase.lines}
    shared = np.array([int(line) in taken for line in lines], dtype=bool)
    shown = cell.best.settings[0]
    return SamplePhase(
        name,
        "found",
        shown.cell,
        shown.centring,
        lines,
        shared,
        share_of(search.peaks, lines, shared),
        cell.best.n_calculated,
        cell.best,
        "" if cell.place else cell.result.reason,
    )


def _recognized(search: _Search, one: Named) -> SamplePhase:
    shared = np.zeros(len(one.lines), dtype=bool)
    return SamplePhase(
        one.name,
        "recognized",
        one.phase.cell,
        one.phase.centring,
        one.lines,
        shared,
        share_of(search.peaks, one.lines, shared),
        len(one.phase.lines(float(search.peaks.q2_inv_A2[-1]))),
    )


def _reason(search: _Search, first: IndexingResult, cells: list[_Cell]) -> str:
    explained = np.any([cell.lines for cell in cells], axis=0)
    of = int(search.all.sum())
    share = ""
    if search.peaks.intensity is not None and search.peaks.intensity.sum() > 0:
        part = share_of(search.peaks, np.flatnonzero(explained), np.zeros(explained.sum(), bool))
        share = f", with {100 * part:.1f} % of the intensity"
    number = {2: "Two", 3: "Three"}[len(cells)]
    return f"{first.reason} {number} phases explain {int(explained.sum())} of {of} lines{share}."
