"""Indexing as a function, :func:`mlindex.index`."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

from mlindex.base.clock import Clock, running
from mlindex.base.errors import MlindexError
from mlindex.indexing.looks import FEWEST_LINES, Describe, Open, Weigh, index_list
from mlindex.indexing.options import Options, about
from mlindex.indexing.phases import Left
from mlindex.indexing.result import Candidate, IndexingResult
from mlindex.indexing.together import PatternPhases
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList

if TYPE_CHECKING:
    from mlindex.patterns.peaksearch import FoundPeaks

#: A list has its wavelength with it.
_OPTIONS = [option for option in fields(Options) if not about(option).of_file]


def index(
    peaks: PeakList | MeasuredPattern,
    *,
    options: Options | None = None,
    workers: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
    **named: Any,
) -> IndexingResult:
    """Find the unit cell of a peak list, or of a measured pattern.

    The search is deterministic: the same list and options give the same candidates unless the
    time limit cuts it off.

    Args:
        peaks: the list, or a pattern, whose peaks are searched for first.
        {options}
        options: all these options at once; those given by name take precedence.
        workers: threads; if None, one for each core that may be used, up to 4. They change no
            result.
        report: called with a line of text when a stage begins.
        stopped: asked often; the search ends when it says True.

    Raises:
        MlindexError: too few lines, no peaks, or an option or number of workers with a wrong
            value.
    """
    asked = replace(options or Options(), **_known(named))
    if workers is not None and not (isinstance(workers, Integral) and workers >= 1):
        raise MlindexError(
            f"workers {workers!r}: give a whole number of threads, 1 or more, or None for one "
            "for each core"
        )
    if isinstance(peaks, MeasuredPattern):
        return index_pattern(peaks, asked, workers, report, stopped)[0]
    if not isinstance(peaks, PeakList):
        raise MlindexError(
            f"a peak list is needed, not a {type(peaks).__name__}: give mlindex.read(path), or "
            "mlindex.peaks_from_columns(name, 'd', values, None) for values of d in A"
        )
    return index_list(peaks, asked, workers, report, stopped)


def index_pattern(
    pattern: MeasuredPattern,
    options: Options,
    workers: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[IndexingResult, FoundPeaks]:
    """Find the unit cell of a measured pattern; also gives the peaks found in it.

    The candidates are fitted to the whole profile, as many as there is time for.

    Raises:
        MlindexError: there are no peaks, or too few.
    """
    from mlindex.patterns.peaksearch import PeakSearch, find_peaks, nothing_found
    from mlindex.wholepattern.data import ALL_PEAKS

    clock = running(stopped, options.time_limit_s)
    every = find_peaks(pattern, PeakSearch(max_peaks=ALL_PEAKS), clock)
    found = every.first(PeakSearch().max_peaks)
    if len(found.peaks) < FEWEST_LINES and clock():
        raise MlindexError(f"{pattern.name}: the peak search was not finished. {clock.advice()}")
    if not len(found.peaks):
        raise nothing_found(pattern)
    cut: list[str] = []
    weigh = _by_profile(pattern, every, workers, report, clock, cut)

    def in_pattern(left: Left) -> PatternPhases:
        from mlindex.wholepattern.phases import ProfilePhases

        return ProfilePhases(pattern, every, left.phases, clock)

    result = index_list(found.peaks, options, workers, report, clock, weigh, in_pattern)
    notes = tuple(
        dict.fromkeys((*pattern.notes, *found.notes, *result.notes, *cut, *_of_first(result)))
    )
    return replace(result, notes=notes), found


def _of_first(result: IndexingResult) -> tuple[str, ...]:
    """What to say of a first cell that only the profile tells from one of higher symmetry, or only
    weak peaks from a smaller one."""
    best = next(iter(result.candidates), None)
    if best is None or best.profile is None:
        return ()
    higher, parent, notes = best.profile.higher, best.profile.parent, []
    if parent:
        notes.append(
            f"most lines are those of a smaller {parent} cell as well: what that leaves is at "
            f"lines of this {best.bravais} supercell more than elsewhere"
        )
    if higher:
        notes.append(
            f"the positions of the lines are those of a {higher} cell as well, but their "
            f"widths or splitting ask for {best.bravais}: it fits the whole profile much better"
        )
    return tuple(notes)


def _by_profile(
    pattern: MeasuredPattern,
    every: FoundPeaks,
    workers: int | None,
    report: Callable[[str], None],
    clock: Clock,
    cut: list[str],
) -> Weigh:
    """What weighs candidates by the whole profile, all its peaks given; ``cut`` takes what to say
    of fits that there was no time for."""

    def weigh(
        found: Sequence[Candidate],
        shift_deg: float,
        left: Left,
        describe: Describe,
        still_open: Open,
    ) -> tuple[Candidate, ...]:
        if clock():
            cut.append("the candidates were not fitted to the whole profile: no time was left")
            return tuple(found)
        # Compiled code takes its time to load.
        from mlindex.wholepattern.known import known_positions
        from mlindex.wholepattern.weigh import with_profiles

        report("fits to the whole profile")
        known_deg = known_positions(left, pattern)
        weighed = with_profiles(
            pattern, found, every, workers, shift_deg, known_deg, describe, still_open, clock
        )
        fitted = sum(candidate.profile is not None for candidate in weighed)
        if clock() and fitted < len(weighed):
            cut.append(
                f"the fits to the whole profile were cut short: {fitted} of {len(weighed)} "
                "candidates were fitted"
            )
        return weighed

    return weigh


def _known(named: dict[str, Any]) -> dict[str, Any]:
    known = [option.name for option in _OPTIONS]
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the options are {', '.join(known)}"
            raise TypeError(f"index() has no option {name!r}; {hint}")
    return named


def _declare() -> None:
    """Give :func:`index` the options in its signature and its docstring, for help and editors."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.signature(index)
    parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = [
        inspect.Parameter(o.name, keyword, default=o.default, annotation=o.type) for o in _OPTIONS
    ]
    index.__signature__ = signature.replace(parameters=parameters[:1] + options + parameters[1:])
    lines = [f"{o.name}: {_said(about(o).help, about(o).unit)}" for o in _OPTIONS]
    # Compiled without docstrings (-OO), there is none.
    index.__doc__ = (index.__doc__ or "").replace("{options}", "\n        ".join(lines))


def _said(help: str, unit: str) -> str:
    return f"({unit}) {help}" if unit else help


_declare()
