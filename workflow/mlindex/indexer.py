"""Indexing a peak list with nothing known of the lattice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mlindex.errors import MlindexError
from mlindex.lattice import BRAVAIS, bravais_of, system_of
from mlindex.peaklist import PeakList
from mlindex.result import Candidate, IndexingResult, Searched

_FEWEST_LINES = 4
#: A first candidate less probable than this is not convincing.
CONVINCING_PROBABILITY = 0.9
#: Nor is one that leaves more than this share of the lines unindexed.
_MOST_UNINDEXED = 0.2
#: Log-evidence a candidate needs, whatever the others have.
_LEAST_EVIDENCE = 10.0
_DETAILED = 3


def index(
    peaks: PeakList,
    *,
    time_limit_s: float = 60.0,
    lattices: Sequence[str] = (),
    two_theta_error_deg: float | None = None,
    n_lines: int | None = None,
    keep: int = 20,
    workers: int = 2,
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
        workers: threads.
        report: called with a line of text when a stage begins.
        stopped: asked often; the search ends when it says True.

    Raises:
        MlindexError: too few lines, or an unknown lattice.
    """
    # Compiled code takes its time to load: mistakes in the list and the options come first.
    wanted = _wanted(lattices)
    _check(peaks, n_lines, time_limit_s)
    from mlindex.ranking.network import RankingModel
    from mlindex.ranking.network import ranked as by_probability
    from mlindex.search.describe import candidates
    from mlindex.search.further import find

    started = time.perf_counter()

    def out_of_time() -> bool:
        return stopped() or time.perf_counter() - started > time_limit_s

    observed, trials, progress = find(
        peaks, n_lines, two_theta_error_deg, wanted, out_of_time, workers, report
    )
    ranked = by_probability(trials, observed, RankingModel.shipped())
    found = candidates(ranked[:keep], observed, peaks, _DETAILED)
    convincing, reason = verdict(found)
    searched = tuple(
        Searched(b, progress.status[b], progress.trials.get(b, 0), progress.seconds.get(b, 0.0))
        for b in wanted
    )
    options = {
        "time_limit_s": time_limit_s,
        "lattices": ", ".join(lattices) or "all",
        "two_theta_error_deg": two_theta_error_deg,
        "n_lines": len(observed.q2),
    }
    seconds = time.perf_counter() - started
    return IndexingResult(
        peaks, found, searched, convincing, reason, seconds, 0, peaks.notes, options
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


def _check(peaks: PeakList, n_lines: int | None, time_limit_s: float) -> None:
    if len(peaks) < _FEWEST_LINES:
        raise MlindexError(
            f"{peaks.name}: {len(peaks)} lines are too few to index anything: at least "
            f"{_FEWEST_LINES} are needed, 20 are better; measure to higher angles"
        )
    if n_lines is not None and not _FEWEST_LINES <= n_lines <= 60:
        raise MlindexError(f"{n_lines} lines asked for: choose {_FEWEST_LINES} to 60")
    if not time_limit_s > 0:
        raise MlindexError(f"a time limit of {time_limit_s} s leaves no time; give some seconds")


def verdict(found: Sequence[Candidate]) -> tuple[bool, str]:
    """Whether the first candidate is convincing, and why (not)."""
    if not found:
        return False, "No lattice explains the lines: check wavelength, zero shift and impurities."
    best = found[0]
    unindexed = best.n_used - best.n_indexed
    if best.log_evidence < _LEAST_EVIDENCE:
        return False, (
            f"The best cell explains {best.n_indexed} of {best.n_used} lines hardly better than "
            f"chance (log-evidence {best.log_evidence:.1f}, {_LEAST_EVIDENCE:g} needed)."
        )
    if unindexed > _MOST_UNINDEXED * best.n_used:
        return False, f"The best cell leaves {unindexed} of {best.n_used} lines unindexed."
    sure = best.probability_with_partners
    if sure < CONVINCING_PROBABILITY:
        return False, (
            f"With the partners named the first cell has a probability of only {_percent(sure)}: "
            "others explain the lines about as well, or none does well."
        )
    return True, f"With the partners named its probability is {_percent(sure)}."


def _percent(share: float) -> str:
    return "more than 99 %" if share > 0.99 else f"{100 * share:.0f} %"
