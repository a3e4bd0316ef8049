"""The whole search: the first lines of a list find cells, more of them weigh what was found.

A cell is found with 20 lines, the significant ones where intensities are known. The others, and
those that follow, tell it from its neighbours, and true lines from impurities, of which a list has
no more than so many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.crystal.lattice import CENTRING_CODES
from mlindex.indexing.options import Options
from mlindex.indexing.search.observed import Observed, observe
from mlindex.indexing.search.plan import Progress, search
from mlindex.indexing.search.run import Run
from mlindex.indexing.search.strays import stray_of
from mlindex.indexing.search.subcells import with_parents
from mlindex.indexing.search.trials import Trial, different, weigh
from mlindex.patterns.peaklist import PeakList

#: Lines to search with, and to weigh what was found with, if a list has so many.
SEARCH_LINES, WEIGHED_LINES = 20, 40
#: Lines that are strays with no more than this probability find cells.
_SIGNIFICANT = 0.2


def find(
    peaks: PeakList, options: Options, run: Run | None = None
) -> tuple[Observed, list[Trial], Progress]:
    """The lines that were used, the trials found, best first, and how the search went."""
    chosen = searched_lines(peaks, options)
    first = observe(peaks.only(chosen), len(chosen), options.two_theta_error_deg)
    n_lines = options.n_lines or max(WEIGHED_LINES, int(chosen[-1]) + 1)
    observed = observe(peaks, n_lines, options.two_theta_error_deg)
    trials, progress = search(first, options.bravais_lattices(), run or Run())
    if len(observed.q2) > len(first.q2):
        trials = weighed_again(trials, observed)
    with_pairs = observed.with_pairs()
    if with_pairs.resolution.any():
        trials = weighed_again(with_parents(trials, observed), with_pairs)
    return observed, trials, progress


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
