"""The whole search: the first lines of a list find cells, more of them weigh what was found.

A cell is found with 20 lines, the significant ones where intensities are known. The others, and
those that follow, tell it from its neighbours, and true lines from impurities, of which a list has
no more than so many. Where these lines have no answer, many of them may be of a second phase: the
strongest lines of the list, which have fewer of them, find cells as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.crystal.lattice import CENTRING_CODES
from mlindex.indexing.options import Options
from mlindex.indexing.search.observed import Observed, observe
from mlindex.indexing.search.plan import PLAIN, STAGES, Progress, SearchStage, search, stands_out
from mlindex.indexing.search.run import Run
from mlindex.indexing.search.strays import stray_of
from mlindex.indexing.search.subcells import with_parents
from mlindex.indexing.search.trials import Trial, different, weigh
from mlindex.patterns.peaklist import PeakList

#: Lines to search with, and to weigh what was found with, if a list has so many.
SEARCH_LINES, WEIGHED_LINES = 20, 40
#: Lines that are strays with no more than this probability find cells.
_SIGNIFICANT = 0.2
#: The strongest lines are searched if so many of them are not among the first. Of nine patterns
#: with a second phase of 20 % (benchmarks/mixtures.py) 8 to 16 of the first 20 lines were the main
#: phase's, and 14 to 18 of the strongest 20; two monoclinic cells came of these only.
_OTHERS = 4


def find(
    peaks: PeakList, options: Options, run: Run | None = None, aligned: bool = False
) -> tuple[Observed, list[Trial], Progress]:
    """The lines that were used, the trials found, best first, and how the search went.

    Args:
        peaks: the list.
        options: what is asked for.
        run: how the search is run.
        aligned: the zero shift is known: larger ones than cells are refined with are not tried.
    """
    chosen = searched_lines(peaks, options)
    first = observe(peaks.only(chosen), len(chosen), options.two_theta_error_deg)
    n_lines = options.n_lines or max(WEIGHED_LINES, int(chosen[-1]) + 1)
    observed = observe(peaks, n_lines, options.two_theta_error_deg)
    wanted, run = options.bravais_lattices(), run or Run()
    others = strongest_lines(peaks, options, chosen)
    of_strongest: list[Trial] = []

    def elsewhere() -> bool:
        if others is None or run.out_of_time():
            return False
        strongest = observe(peaks.only(others), len(others), options.two_theta_error_deg)
        found, _ = search(strongest, wanted, run, PLAIN)
        of_strongest.extend(_weighed_with_all(found, observed))
        return stands_out(of_strongest)

    stages = _aligned_stages(peaks) if aligned else STAGES
    trials, progress = search(first, wanted, run, stages, elsewhere)
    if len(observed.q2) > len(first.q2) or of_strongest:
        trials = weighed_again(trials, observed)
        both = sorted([*trials, *of_strongest], key=lambda t: -t.evidence)
        trials = different(both, len(trials) or len(both))
    return observed, _weighed_with_pairs(trials, observed), progress


def _aligned_stages(peaks: PeakList) -> tuple[SearchStage, ...]:
    """Those without a zero shift; of peaks with errors of their own, none for exact lists."""
    if peaks.two_theta_error_deg is not None:
        return PLAIN
    return tuple(stage for stage in STAGES if not stage.shift_deg)


def _weighed_with_all(trials: list[Trial], observed: Observed) -> list[Trial]:
    return _weighed_with_pairs(weighed_again(trials, observed), observed)


def _weighed_with_pairs(trials: list[Trial], observed: Observed) -> list[Trial]:
    """The trials, with their parents, weighed where lines may be pairs of reflections."""
    with_pairs = observed.with_pairs()
    if not with_pairs.resolution.any():
        return trials
    return weighed_again(with_parents(trials, observed), with_pairs)


def strongest_lines(peaks: PeakList, options: Options, searched: np.ndarray) -> np.ndarray | None:
    """Numbers (n,), rising, of the strongest lines, as many as were ``searched`` (n,); None where
    they are mostly the same, or intensities are not known."""
    if options.n_lines or peaks.intensity is None or len(peaks) <= len(searched):
        return None
    order = np.argsort(-np.nan_to_num(peaks.intensity), kind="stable")
    strongest = np.sort(order[: len(searched)])
    return strongest if len(np.setdiff1d(strongest, searched)) >= _OTHERS else None


def searched_lines(peaks: PeakList, options: Options) -> np.ndarray:
    """Numbers (n,), rising, of the lines to search with: the first that are hardly strays, or as
    many as asked for."""
    n_lines = options.n_lines or SEARCH_LINES
    if options.n_lines or peaks.intensity is None or len(peaks) <= n_lines:
        return np.arange(min(n_lines, len(peaks)))
    stray = stray_of(peaks)
    significant = np.flatnonzero(stray <= _SIGNIFICANT)
    if len(significant) < n_lines:
        significant = np.sort(np.argsort(stray, kind="stable")[:n_lines])
    return significant[:n_lines]


def weighed_again(trials: Sequence[Trial], observed: Observed) -> list[Trial]:
    """The trials refined and weighed with other lines, the best first, each lattice once."""
    found = []
    for trial in trials:
        codes = np.array([CENTRING_CODES[trial.centring]])
        shift = trial.shift_deg
        found += weigh(trial.bravais, trial.x[None], codes, observed, shift, shift != 0.0).values()
    return different(sorted(found, key=lambda t: -t.evidence), len(trials))
