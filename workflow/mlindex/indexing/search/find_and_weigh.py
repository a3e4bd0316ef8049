"""The whole search: the first lines of a list find cells, more of them weigh what was found.

A cell is found with 20 lines. Those that follow tell it from its neighbours, and true lines from
impurities, of which a list has no more than so many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.crystal.lattice import CENTRING_CODES
from mlindex.indexing.options import Options
from mlindex.indexing.search.observed import Observed, observe
from mlindex.indexing.search.plan import Progress, search
from mlindex.indexing.search.run import Run
from mlindex.indexing.search.trials import Trial, different, weigh
from mlindex.patterns.peaklist import PeakList

#: Lines to search with, and to weigh what was found with, if a list has so many.
SEARCH_LINES, WEIGHED_LINES = 20, 40


def find(
    peaks: PeakList, options: Options, run: Run | None = None
) -> tuple[Observed, list[Trial], Progress]:
    """The lines that were used, the trials found, best first, and how the search went."""
    first = observe(peaks, options.n_lines or SEARCH_LINES, options.two_theta_error_deg)
    observed = observe(peaks, options.n_lines or WEIGHED_LINES, options.two_theta_error_deg)
    trials, progress = search(first, options.bravais_lattices(), run or Run())
    if len(observed.q2) > len(first.q2):
        trials = weighed_again(trials, observed)
    return observed, trials, progress


def weighed_again(trials: Sequence[Trial], observed: Observed) -> list[Trial]:
    """The trials refined and weighed with other lines, the best first, each lattice once."""
    found = []
    for trial in trials:
        codes = np.array([CENTRING_CODES[trial.centring]])
        shift = trial.shift_deg
        found += weigh(trial.bravais, trial.x[None], codes, observed, shift, shift != 0.0).values()
    return different(sorted(found, key=lambda t: -t.evidence), len(trials))
