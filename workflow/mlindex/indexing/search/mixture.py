"""The evidence for a cell where other lines may be those of a whole second phase."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES
from mlindex.indexing.result import Candidate
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import walked, weigh

#: A line is a stray so many times as probably as in most samples, all alike probable; but no more
#: often than it is a reflection. Of 15 simulated mixtures with 5 to 50 % of a second phase whose
#: first cell was not convincing (benchmarks/mixtures.py), the cell was right in 8, with a
#: log-evidence of -12 to 32: in this way 6 of them have 11 to 42, and the others -5 and -2. The
#: wrong ones have 1 at most.
_TIMES = (1.0, 4.0, 16.0)
_MOST = 0.5


def evidence_if_mixed(candidate: Candidate, observed: Observed) -> float:
    """Log-evidence for a candidate where, beside impurities, many lines may be another phase's.

    Args:
        candidate: its cell, which is refined again.
        observed: the lines it was found with.

    Returns:
        The best of several shares of such lines, at the price of choosing; -inf where the cell
        can't be weighed.
    """
    bravais = BRAVAIS[candidate.bravais]
    x, letter = walked(candidate.cell, bravais, candidate.centring)
    codes, best = np.array([CENTRING_CODES[letter]]), -np.inf
    for times in _TIMES:
        stray = np.maximum(observed.stray, np.minimum(times * observed.stray, _MOST))
        lines = replace(observed.with_pairs(), stray=stray)
        for shift in dict.fromkeys((0.0, candidate.shift.low_deg)):
            found = weigh(bravais, x[None], codes, lines, shift, shift != 0.0).values()
            best = max([best, *(trial.evidence for trial in found)])
    return float(best - np.log(len(_TIMES)))
