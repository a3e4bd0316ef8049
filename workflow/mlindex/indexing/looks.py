"""The looks at a peak list: the usual one, and a second for a large zero shift."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlindex.base.clock import Clock, running
from mlindex.base.cores import threads
from mlindex.base.errors import MlindexError
from mlindex.base.quick_start import load_numba
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.formula_volume import Formula, formula_of
from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.further import Look, with_further
from mlindex.indexing.options import Options
from mlindex.indexing.phases import Left, without_known
from mlindex.indexing.result import Candidate, IndexingResult, Searched
from mlindex.indexing.together import PatternPhases
from mlindex.indexing.verdict import verdict
from mlindex.patterns.peaklist import PeakList

if TYPE_CHECKING:
    from mlindex.indexing.search.observed import Observed
    from mlindex.indexing.search.plan import Progress
    from mlindex.indexing.search.run import Run
    from mlindex.indexing.search.trials import Trial

#: The candidate of a Bravais lattice, centring letter and cell (6,), with the shift of another one;
#: None where the lines do not determine it.
Describe = Callable[[str, str, np.ndarray, Candidate], Candidate | None]
#: The trials that the lines leave open, none where they settle the cell.
Open = Callable[[], "Sequence[Trial]"]
#: What more is known of candidates, such as their fit to the whole profile: given those that are
#: found, the most probable first, what was taken off all lines in degrees beside their zero shifts,
#: what known phases left of the list, what makes candidates of further cells, and the trials that
#: are open, it gives them with that, the most probable first.
Weigh = Callable[[Sequence[Candidate], float, Left, Describe, Open], tuple[Candidate, ...]]
_WeighLeft = Callable[[Sequence[Candidate], Describe, Open], tuple[Candidate, ...]]

#: A list of fewer lines is refused.
FEWEST_LINES = 4
_DETAILED = 3
#: Where a first cell is not convincing, what it leaves is searched for lattices with at most four
#: free parameters, unless it is as many lines as a list needs.
_MANY_LINES = 20
_SIMPLE = (
    "cubic",
    "tetragonal",
    "hexagonal",
    "rhombohedral",
    "orthorhombic",
    "monoclinic",
)
#: Candidates that are weighed, even if fewer are kept.
_WEIGHED = 20
#: Lists whose first candidate has less log-evidence get a second look for a large zero shift.
_EXPLAINED = 15.0
#: Log-evidence that such a shift costs: one instrument in a hundred, at any of some 20 shifts. And
#: what a cell needs with it, at least.
_MISALIGNED, _LEAST_MISALIGNED = 8.0, 10.0
#: Such a shift is told, degrees: adjusted instruments show less than half of it.
_GROSS_DEG = 0.2
#: Where candidates are to be weighed, the search ends within this share of the time limit. Not
#: tuned: 20 fits to a whole profile take about 2 s, and limits are often 10 s or more.
_FOR_SEARCH = 0.8


def index_list(
    peaks: PeakList,
    options: Options,
    workers: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
    weigh: Weigh | None = None,
    in_pattern: Callable[[Left], PatternPhases] | None = None,
) -> IndexingResult:
    """Find the unit cell of a peak list; see :func:`mlindex.index`.

    ``weigh`` weighs the candidates by what else is known of them, ``in_pattern`` gives what a whole
    pattern says of several phases, known ones beside them. ``stopped`` may be the clock of a run
    that has begun before.

    Raises:
        MlindexError: the list has too few lines.
    """
    if len(peaks) < FEWEST_LINES:
        raise MlindexError(
            f"{peaks.name}: too few lines to index anything, {len(peaks)}: at least "
            f"{FEWEST_LINES} are needed, 20 are better; measure to higher angles"
        )
    # Compiled code takes its time to load: mistakes in the list come first.
    load_numba()
    from mlindex.indexing.search.run import Run

    clock = running(stopped, options.time_limit_s)
    search = clock if weigh is None else clock.within(_FOR_SEARCH)
    run = Run(search, threads() if workers is None else workers, report)
    formula = None if options.formula is None else formula_of(options.formula)
    left = without_known(peaks, options)
    ask = _Ask(options, formula, run, clock, _weighing(weigh, left))
    result = _with_phases(_result(left, ask), peaks, left)
    whole = None if in_pattern is None or clock() else in_pattern(left)
    result = with_further(result, left, _further(ask), whole)
    return replace(result, seconds=clock.seconds())


def _weighing(weigh: Weigh | None, left: Left) -> _WeighLeft | None:
    """What weighs candidates of a list, maybe a calibrated one, by a pattern that is not."""
    if weigh is None:
        return None
    return lambda found, *more: weigh(found, left.shift.low_deg, left, *more)


def _further(ask: _Ask) -> Look:
    """What searches lines that other phases leave: of them no large shift is to be expected."""

    def look(peaks: PeakList, whole: bool) -> IndexingResult:
        ask.run.report("further phases")
        options = ask.options
        if not whole and not options.lattices and len(peaks) < _MANY_LINES:
            options = replace(options, lattices=_SIMPLE)
        options = replace(options, keep=max(options.keep, _WEIGHED))
        again = replace(ask, options=options, weigh=None, formula=None, further=True)
        found = _look(peaks, again)
        return _of_look(peaks, found, replace(ask, options=options), ())

    return look


def _result(left: Left, ask: _Ask) -> IndexingResult:
    """The result for what known phases leave of a list, times left out."""
    peaks, options = left.rest, ask.options
    if len(peaks) < FEWEST_LINES:
        asked = options.shown() | {"n_lines": len(peaks)}
        reason = f"{_those_that_leave(left)} {len(peaks)} lines: nothing is left to index."
        return IndexingResult(peaks, (), (), False, reason, 0.0, peaks.notes, ask.formula, asked)
    look, said = _looks(peaks, ask)
    return _of_look(peaks, look, ask, said)


def _those_that_leave(left: Left) -> str:
    """The phases that took lines of a list, with their verb."""
    known = sum(phase.kind == "known" for phase in left.phases)
    standard = "standard" if len(left.phases) > known else ""
    phases = f"known phase{'s' if known > 1 else ''}" if known else ""
    plural = known > 1 or bool(known and standard)
    return f"The {' and '.join(filter(None, (standard, phases)))} {'leave' if plural else 'leaves'}"


def _of_look(peaks: PeakList, look: _Look, ask: _Ask, said: tuple[str, ...]) -> IndexingResult:
    """What a look came to as a result, times left out."""
    options = ask.options
    return IndexingResult(
        peaks,
        look.found,
        _searched(options.bravais_lattices(), look.progress),
        look.convincing,
        look.reason,
        0.0,
        (*peaks.notes, *said),
        ask.formula,
        options.shown() | {"n_lines": look.n_lines},
    )


def _with_phases(result: IndexingResult, peaks: PeakList, left: Left) -> IndexingResult:
    """The result for the whole list, with the phases that are known."""
    if not left.phases:
        return result
    found = tuple(left.of_whole_list(candidate) for candidate in result.candidates)
    return replace(
        result,
        peaks=peaks,
        candidates=found,
        notes=(*result.notes, *left.notes),
        phases=left.phases,
        calibration=left.calibration,
    )


def _searched(wanted: Sequence[str], progress: Progress) -> tuple[Searched, ...]:
    return tuple(
        Searched(b, progress.status[b], progress.trials.get(b, 0), progress.seconds.get(b, 0.0))
        for b in wanted
    )


@dataclass(frozen=True)
class _Ask:
    """What is asked of a look, the formula read, and how its searches are run."""

    options: Options
    formula: Formula | None
    run: Run
    clock: Clock
    weigh: _WeighLeft | None
    #: The list is what other phases leave, and the zero shift is known.
    further: bool = False


@dataclass(frozen=True)
class _Look:
    """What a search of a list came to; ``log_evidence`` of the first candidate, or of the best
    lattice where the lines leave all cells open."""

    found: tuple[Candidate, ...]
    log_evidence: float
    convincing: bool
    reason: str
    progress: Progress
    n_lines: int
    shiftable: bool


def _looks(peaks: PeakList, ask: _Ask) -> tuple[_Look, tuple[str, ...]]:
    """A look, or the second one where that explains what the first does not; what to say of it."""
    look, out_of_time = _look(peaks, ask), ask.run.out_of_time
    if look.convincing or not look.shiftable or look.log_evidence >= _EXPLAINED:
        return look, _large(look, peaks)
    least = max(look.log_evidence + _MISALIGNED, _LEAST_MISALIGNED)
    again = None if out_of_time() else _look_misaligned(peaks, ask, least)
    if again is not None:
        return again, _large(again, peaks)
    return look, ("the search for large zero shifts was not finished",) if out_of_time() else ()


def _look(peaks: PeakList, ask: _Ask, taken_off_deg: float = 0.0) -> _Look:
    """A look at a list, a zero shift taken off its lines."""
    from mlindex.indexing.ranking.rank import ranked as by_probability
    from mlindex.indexing.ranking.shipped import shipped_ranking
    from mlindex.indexing.ranking.volume import weighed_by_volume
    from mlindex.indexing.search.describe import candidates, detailed
    from mlindex.indexing.search.find_and_weigh import find

    if taken_off_deg:
        peaks = peaks.shifted(taken_off_deg)
    observed, trials, progress = find(peaks, ask.options, ask.run, ask.further)
    ranked = by_probability(trials, observed, shipped_ranking())
    if ask.formula is not None:
        ranked = weighed_by_volume(ranked, ask.formula)
    keep = ask.options.keep
    most = keep if ask.weigh is None else max(keep, _WEIGHED)
    found = candidates(ranked[:most], observed, peaks, taken_off_deg)
    if ask.weigh is not None:
        describe = _describing(ask, observed, peaks, taken_off_deg)
        found = ask.weigh(found, describe, _open(ask, observed, trials, progress))
    found = detailed(found[:keep], observed, peaks, _DETAILED)
    if peaks.intensity is not None:
        found = _as_one_of_two(found, observed)
    complete = all(progress.status[b] == "complete" for b in ask.options.bravais_lattices())
    convincing, reason = verdict(
        found, bool(trials), complete, ask.formula, peaks.intensity, ask.further
    )
    if not complete and not trials:
        reason = f"{reason} {ask.clock.advice()}"
    if convincing:
        reason = " ".join(filter(None, (reason, _not_searched(ask.options, complete))))
    best = max((trial.evidence for trial in trials), default=-math.inf)
    evidence = found[0].log_evidence if found else best
    n_lines = len(observed.q2)
    return _Look(found, evidence, convincing, reason, progress, n_lines, observed.shiftable)


def _as_one_of_two(found: Sequence[Candidate], observed: Observed) -> tuple[Candidate, ...]:
    """Candidates with their evidence as one of two phases."""
    from mlindex.indexing.search.mixture import evidence_if_mixed

    return tuple(replace(c, log_evidence_if_mixed=evidence_if_mixed(c, observed)) for c in found)


def _open(ask: _Ask, observed: Observed, trials: Sequence[Trial], progress: Progress) -> Open:
    """What gives the trials that a search of these lines leaves open."""
    from mlindex.indexing.search.open_trials import SETTLED, open_trials

    def give() -> Sequence[Trial]:
        if max((trial.evidence for trial in trials), default=-math.inf) >= SETTLED:
            return ()
        return open_trials(progress.pools, observed, ask.clock)

    return give


def _describing(ask: _Ask, observed: Observed, peaks: PeakList, taken_off_deg: float) -> Describe:
    """What makes candidates of further cells of the lattices asked for."""
    from mlindex.indexing.search.describe import candidates
    from mlindex.indexing.search.trials import trial_of

    def describe(
        bravais: str, centring: str, cell: np.ndarray, like: Candidate
    ) -> Candidate | None:
        if bravais not in ask.options.bravais_lattices():
            return None
        shift_deg = like.shift.low_deg - taken_off_deg if observed.shiftable else 0.0
        trial = trial_of(BRAVAIS[bravais], cell, centring, observed, shift_deg)
        made = [] if trial is None else [(trial, like.probability)]
        return next(iter(candidates(made, observed, peaks, taken_off_deg)), None)

    return describe


def _not_searched(options: Options, complete: bool) -> str:
    """What to say of a convincing cell where other lattices were not compared with it."""
    if options.lattices:
        return f"Other lattices than those asked for ({', '.join(options.lattices)}) were left out."
    return "" if complete else "The search was cut short: not all lattices were searched."


def _look_misaligned(peaks: PeakList, ask: _Ask, least: float) -> _Look | None:
    """A look at the list with a large zero shift taken off, if that makes a convincing cell with
    more log-evidence than ``least``."""
    from mlindex.indexing.search.misaligned import large_shift

    ask.run.report("large zero shifts")
    shift = large_shift(peaks, ask.options, ask.run, least)
    if shift is None:
        return None
    look = _look(peaks, ask, shift)
    return look if look.convincing and look.log_evidence > least else None


def _large(look: _Look, peaks: PeakList) -> tuple[str, ...]:
    """What to say of the shift of a convincing cell, if it is a large one."""
    if not look.convincing or not look.shiftable or peaks.wavelength_A is None:
        return ()
    best = look.found[0]
    corrected = two_theta_from_q2(best.q2_corrected_inv_A2, peaks.wavelength_A)
    whole = float(np.mean(best.shift.put_on(corrected) - corrected))
    if not abs(whole) >= _GROSS_DEG:
        return ()
    return (
        f"all lines lie {abs(whole):.2f} degrees of 2theta too {'high' if whole > 0 else 'low'}: "
        "check the alignment and the wavelength",
    )
