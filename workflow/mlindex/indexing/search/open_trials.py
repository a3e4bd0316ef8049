"""Trials that the lines leave open: those that came after the best of each search.

Where a pattern is noisy, or its lines overlap, the true cell may have less evidence by its lines
than hundreds of chance ones, and is not among the few that go on. What else is known of the pattern
tells them apart, so the best of every pool are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.lattice import BravaisLattice
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.trials import Trial, different, weigh
from mlindex.indexing.search.walked import walk_of

#: So many of the best trials of each pool are kept. Of two triclinic patterns whose first lines
#: overlap, the true cells stood at places 94 and 219 of their pools, at 73 and 112 once refined.
OF_POOL = 400
#: A search leaves the cell open where no trial has so much log-evidence: less, alone and ahead,
#: settles none (``plan.py``).
SETTLED = 8.0
#: Lattices with fewer free parameters are searched exhaustively, and have few trials.
_LEAST_FREE = 3
#: So many different trials of a lattice go on for each free parameter from the third on: 100 of an
#: orthorhombic lattice, 400 of the triclinic one. Chosen for the time that their fits take, some
#: five seconds in all; of the two patterns, one true cell is among the first 300 triclinic ones.
_FOR_EACH_PARAMETER = 100


@dataclass(frozen=True)
class Pooled:
    """The best trials of a search, not refined: free parameters x (m, f) and centring codes (m,),
    best first, with the zero shift in degrees that was taken off the lines."""

    bravais: BravaisLattice
    x: np.ndarray
    centring: np.ndarray
    shift_deg: float


def pooled(bravais: BravaisLattice, pool: Pool, shift_deg: float) -> list[Pooled]:
    """The best of a pool; nothing of a lattice that is searched exhaustively."""
    if bravais.system.n_free < _LEAST_FREE:
        return []
    x6, _, centring = pool.best(OF_POOL)
    x = x6 @ np.linalg.pinv(walk_of(bravais.system).matrix)
    return [Pooled(bravais, x, centring, shift_deg)] if len(x) else []


def open_trials(
    pools: Sequence[Pooled], observed: Observed, over: Callable[[], bool] = lambda: False
) -> list[Trial]:
    """The trials of some pools, refined and weighed with all lines: those of each Bravais lattice
    that have most evidence, each lattice once.

    Args:
        pools: what was kept of the searches.
        observed: the lines.
        over: asked before each pool; the rest is left out once it says True.
    """
    of: dict[str, list[Trial]] = {}
    for one in pools:
        if over():
            break
        made = weigh(one.bravais, one.x, one.centring, observed, one.shift_deg, observed.shiftable)
        of.setdefault(one.bravais.symbol, []).extend(made.values())
    found = []
    for trials in of.values():
        most = _FOR_EACH_PARAMETER * (trials[0].bravais.system.n_free - _LEAST_FREE + 1)
        found += different(sorted(trials, key=lambda t: -t.evidence), most)
    return found
