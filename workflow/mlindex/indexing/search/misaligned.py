"""A second look at lists that nothing explains: zero shifts that no aligned instrument has.

All lattices with a free shift of this size would explain anything. So a coarse grid of shifts is
taken off the list, one after the other, and only lattices of few free parameters are searched;
what the best of them says is no more than the shift to try the whole search with.
"""

from __future__ import annotations

from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.options import Options
from mlindex.indexing.search.find_and_weigh import SEARCH_LINES
from mlindex.indexing.search.observed import observe
from mlindex.indexing.search.plan import Progress, SearchStage, run_stage
from mlindex.indexing.search.run import Run
from mlindex.patterns.peaklist import PeakList

#: Grid of shifts, degrees, the smallest first; so wide are windows that they bridge its steps.
_SHIFTS_DEG = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_STAGE = SearchStage(1.25)
_MOST_FREE = 3
#: Log-evidence with which no other shift is looked for.
_ENOUGH = 35.0


def large_shift(peaks: PeakList, options: Options, run: Run, least_evidence: float) -> float | None:
    """The zero shift beyond the usual with which a lattice explains a list best, degrees.

    None if with none of them any has more log-evidence than the least.

    Args:
        peaks: the list, of known wavelength.
        options, run: as for :func:`mlindex.indexing.search.find_and_weigh.find`.
        least_evidence: log-evidence that makes a shift worth trying the whole search with.
    """
    lattices = options.bravais_lattices()
    simple = [b for b in lattices if BRAVAIS[b].system.n_free <= _MOST_FREE]
    n_lines, error_deg = options.n_lines or SEARCH_LINES, options.two_theta_error_deg
    best, found = least_evidence, None
    for shift in (sign * size for size in _SHIFTS_DEG for sign in (1, -1)):
        if run.out_of_time() or best >= _ENOUGH:
            break
        try:
            observed = observe(peaks.shifted(shift), n_lines, error_deg)
        except ValueError:
            # A line would leave the range of 2theta.
            continue
        trials = run_stage(observed, _STAGE, simple, run, Progress())
        for trial in trials:
            if trial.evidence > best:
                best, found = trial.evidence, shift + trial.shift_deg
    return found
