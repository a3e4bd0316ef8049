"""Indexing a peak list with nothing known of the lattice."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlindex.base.cores import threads
from mlindex.base.errors import MlindexError
from mlindex.crystal.formula import Formula, formula_of
from mlindex.crystal.lattice import BRAVAIS, bravais_of, system_of
from mlindex.indexing.result import Candidate, IndexingResult, Searched
from mlindex.indexing.verdict import verdict
from mlindex.patterns.peaklist import PeakList

if TYPE_CHECKING:
    from mlindex.indexing.search.plan import Progress

_FEWEST_LINES = 4
_LARGEST_ERROR_DEG = 2.0
_DETAILED = 3
#: Lists whose first candidate has less log-evidence get a second look for a gross zero shift.
_EXPLAINED = 15.0
#: Log-evidence that such a shift costs: one instrument in a hundred, at any of some 20 shifts. And
#: what a cell needs with it, at least.
_MISALIGNED, _LEAST_MISALIGNED = 8.0, 10.0


def index(
    peaks: PeakList,
    *,
    time_limit_s: float = 60.0,
    lattices: Sequence[str] = (),
    two_theta_error_deg: float | None = None,
    n_lines: int | None = None,
    keep: int = 20,
    formula: str | None = None,
    workers: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> IndexingResult:
    """Find the unit cell of a peak list.

    The search is deterministic: the same list and options give the same candidates unless the
    time limit cuts it off.

    Args:
        peaks: the list; its first lines are used.
        time_limit_s: the search ends then; what was found is returned.
        lattices: lattice systems or Bravais lattices to try; all 14 if empty.
        two_theta_error_deg: standard error of 2theta; from the list, or 0.02 (in
            proportion to wavelengths below 1.54 A), if None.
        n_lines: lines to use, 4 to 60; if None, 20 to search with and up to 40 to weigh what was
            found.
        keep: candidates to return, at most.
        formula: what the crystal is made of, such as ``C8H9NO2``: cells that hold no whole number
            of such units become less probable.
        workers: threads; the cores that may be used, up to 4, if None. They change no result.
        report: called with a line of text when a stage begins.
        stopped: asked often; the search ends when it says True.

    Raises:
        MlindexError: too few lines, an unknown lattice, no formula, or an option out of range.
    """
    # Compiled code takes its time to load: mistakes in the list and the options come first.
    wanted = _wanted(lattices)
    _check(peaks, n_lines, time_limit_s, two_theta_error_deg)
    made_of = None if formula is None else formula_of(formula)
    started = time.perf_counter()

    def out_of_time() -> bool:
        return stopped() or time.perf_counter() - started > time_limit_s

    how = {
        "n_lines": n_lines,
        "two_theta_error_deg": two_theta_error_deg,
        "wanted": wanted,
        "out_of_time": out_of_time,
        "workers": threads() if workers is None else workers,
    }
    look, said = _looks(peaks, _Ask(how, keep, made_of, report))
    options = {
        "time_limit_s": time_limit_s,
        "lattices": ", ".join(lattices) or "all",
        "two_theta_error_deg": two_theta_error_deg,
        "n_lines": look.n_lines,
        "formula": formula,
    }
    seconds = time.perf_counter() - started
    return IndexingResult(
        peaks,
        look.found,
        _searched(wanted, look.progress),
        look.convincing,
        look.reason,
        seconds,
        (*peaks.notes, *said),
        made_of,
        options,
    )


def _searched(wanted: Sequence[str], progress: Progress) -> tuple[Searched, ...]:
    return tuple(
        Searched(b, progress.status[b], progress.trials.get(b, 0), progress.seconds.get(b, 0.0))
        for b in wanted
    )


@dataclass(frozen=True)
class _Ask:
    """What is asked of a look: what all searches take, and what is done with what they find."""

    how: dict[str, Any]
    keep: int
    formula: Formula | None
    report: Callable[[str], None]


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
    look, out_of_time = _look(peaks, ask), ask.how["out_of_time"]
    if look.convincing or not look.shiftable or look.log_evidence >= _EXPLAINED:
        return look, ()
    least = max(look.log_evidence + _MISALIGNED, _LEAST_MISALIGNED)
    again = None if out_of_time() else _look_misaligned(peaks, ask, least)
    if again is not None:
        return again[0], (again[1],)
    return look, ("the search for gross zero shifts was not finished",) if out_of_time() else ()


def _look(peaks: PeakList, ask: _Ask) -> _Look:
    from mlindex.indexing.ranking.rank import ranked as by_probability
    from mlindex.indexing.ranking.shipped import shipped_ranking
    from mlindex.indexing.ranking.volume import weighed_by_volume
    from mlindex.indexing.search.describe import candidates
    from mlindex.indexing.search.further import find

    observed, trials, progress = find(peaks, **ask.how, report=ask.report)
    ranked = by_probability(trials, observed, shipped_ranking())
    if ask.formula is not None:
        ranked = weighed_by_volume(ranked, ask.formula)
    found = candidates(ranked[: ask.keep], observed, peaks, _DETAILED)
    complete = all(progress.status[b] == "complete" for b in ask.how["wanted"])
    convincing, reason = verdict(found, bool(trials), complete, ask.formula)
    best = max((trial.evidence for trial in trials), default=-math.inf)
    evidence = found[0].log_evidence if found else best
    n_lines = len(observed.q2)
    return _Look(found, evidence, convincing, reason, progress, n_lines, observed.shiftable)


def _look_misaligned(peaks: PeakList, ask: _Ask, least: float) -> tuple[_Look, str] | None:
    """A look at the list with a gross zero shift taken off, and what to say of it, if that makes a
    convincing cell with more log-evidence than ``least``."""
    from mlindex.indexing.search.misaligned import gross_shift

    ask.report("gross zero shifts")
    shift = gross_shift(peaks, **ask.how, least_evidence=least)
    if shift is None:
        return None
    look = _look(peaks.shifted(shift), ask)
    if not look.convincing or look.log_evidence <= least:
        return None
    found = tuple(replace(c, zero_shift_deg=c.zero_shift_deg + shift) for c in look.found)
    whole = found[0].zero_shift_deg
    return replace(look, found=found), (
        f"all lines lie {abs(whole):.2f} degrees of 2theta too {'high' if whole > 0 else 'low'}: "
        "see to the alignment, or to the wavelength"
    )


def _wanted(lattices: Sequence[str]) -> list[str]:
    chosen: set[str] = set()
    for name in lattices:
        try:
            system = system_of(name)
        except ValueError as error:
            raise MlindexError(str(error)) from None
        chosen |= {name} if name in BRAVAIS else {b.symbol for b in bravais_of(system.name)}
    return [symbol for symbol in BRAVAIS if not chosen or symbol in chosen]


def _check(
    peaks: PeakList, n_lines: int | None, time_limit_s: float, error_deg: float | None
) -> None:
    if len(peaks) < _FEWEST_LINES:
        raise MlindexError(
            f"{peaks.name}: too few lines to index anything, {len(peaks)}: at least "
            f"{_FEWEST_LINES} are needed, 20 are better; measure to higher angles"
        )
    if n_lines is not None and not _FEWEST_LINES <= n_lines <= 60:
        raise MlindexError(f"{n_lines} lines asked for: choose {_FEWEST_LINES} to 60")
    if error_deg is not None and not 0 < error_deg <= _LARGEST_ERROR_DEG:
        raise MlindexError(
            f"an error of {error_deg:g} degrees of 2theta can't be used; give one above 0 and up "
            f"to {_LARGEST_ERROR_DEG:g}"
        )
    if not time_limit_s > 0:
        raise MlindexError(f"a time limit of {time_limit_s} s leaves no time; give some seconds")
