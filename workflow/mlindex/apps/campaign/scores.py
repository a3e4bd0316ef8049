"""What turns files into scores of a campaign: indexing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType

from mlindex.apps.command import index_content
from mlindex.apps.signals import at_once, handled, interruptible
from mlindex.base.errors import MlindexError
from mlindex.campaigns.scoring import Scored, Scorers
from mlindex.campaigns.space.settings import Objective
from mlindex.files import read
from mlindex.indexing.compiling import announced
from mlindex.indexing.options import Options
from mlindex.indexing.result import IndexingResult
from mlindex.wholepattern.compiling import warm_up

#: Lines from which a list without a cell scores almost as much as the worst with one.
_ENOUGH_LINES = 20
#: Best score of a list that no cell explains; those of a cell that is not convincing lie above 1.
_MOST_WITHOUT = 0.99


def by_indexing(path: Path, given: Objective) -> Scored:
    """How far a pattern or peak list can be indexed: 0 to 3.

    Up to 1: there is no cell; the more lines there are, the more (none: 0, twenty or more: 0.99).
    From 1 to 2: there is a cell that is not convincing, 1 and its probability. From 2 to 3: it is
    convincing, 2 and the share of the intensity (of the lines, where it is not known) that its
    lines have. Only the order matters to the methods.

    Raises:
        MlindexError: the file can't be read.
        KeyboardInterrupt: Ctrl-C or SIGTERM came.
    """
    options = Options(wavelength_A=given.wavelength_A, known_phases=given.known_phases)
    content = read(path, options.wavelength_A)
    _ready()
    try:
        # An exception would wait for the processes that search; they heed the flag.
        with interruptible(at_once) as stopped:
            result = index_content(content, options, stopped=stopped).result
    except MlindexError as problem:
        # There are no lines, or too few to index.
        if stopped():
            raise KeyboardInterrupt from None
        return Scored(0.0, f"nothing to index: {_first_sentence(str(problem), path)}")
    if stopped():
        raise KeyboardInterrupt
    return score_of(result)


def score_of(result: IndexingResult) -> Scored:
    """The score of a result of indexing, see :func:`by_indexing`."""
    if not result.candidates:
        # Lines that known phases explain say nothing of what is wanted.
        count = sum(not names for names in result.phase_of_lines)
        share = min(count / _ENOUGH_LINES, 1.0)
        return Scored(_MOST_WITHOUT * share, f"{count} lines without a cell")
    best = result.candidates[0]
    cell = " ".join(f"{value:.4g}" for value in best.settings[0].cell)
    found = f"{best.bravais} {cell}, {best.indexed.sum()} of {len(best.indexed)} lines"
    if not result.convincing:
        return Scored(1 + best.probability, f"not convincing: {found}")
    return Scored(2 + _explained(result), f"convincing: {found}")


def _explained(result: IndexingResult) -> float:
    """Share of the intensity, else of the lines, that the first cell explains."""
    best, strength = result.candidates[0], result.peaks.intensity
    used = best.used_lines
    if strength is None or (used is None and len(strength) < len(best.indexed)):
        return float(best.indexed.mean())
    strength = strength[: len(best.indexed)] if used is None else strength[used]
    total = float(strength.sum())
    return float(strength[best.indexed].sum()) / total if total > 0 else float(best.indexed.mean())


@cache
def _ready() -> None:
    # Compiling must not take its time from a search. Nothing is written meanwhile, and an exception
    # that is raised in the compiler gets lost.
    with handled(at_once), announced():
        warm_up()


def _first_sentence(text: str, path: Path) -> str:
    return text.removeprefix(f"{path}: ").partition(";")[0]


#: By the name that an objective has them under.
SCORERS: Scorers = MappingProxyType({"mlindex": by_indexing})
