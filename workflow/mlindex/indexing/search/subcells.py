"""Subcells of a lattice that keep its symmetry and most of its lines: its parents.

A supercell takes in what its parent leaves over, lines of impurities or pairs taken for one line.
It explains more lines, and so do its own supercells, which crowd the parent out of the list. So
the parents of the best lattices are always weighed beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.derivative import MAX_INDEX, hermite_normal_forms
from mlindex.crystal.holohedries import reciprocal_change
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.crystal.recognition import EXACT, Recognized, recognize
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import Trial, trial_of

#: So many of the best trials, and none with so much less log-evidence than the first.
_BEST, _RIVAL = 3, 12.0
#: A parent may lose lines of this weight, a line of unknown intensity being 1.
_LOST = 3.0
#: A line is explained within this many errors.
_ERRORS = 3.0
_REACH, _ROUNDING = 1.05, 1e-6


def with_parents(trials: list[Trial], observed: Observed) -> list[Trial]:
    """The trials, the best first, and the parents of the first few."""
    found = list(trials)
    for trial in trials[:_BEST]:
        if trial.evidence < trials[0].evidence - _RIVAL:
            break
        for way in _parents(trial, observed):
            bravais, shift = BRAVAIS[way.bravais], trial.shift_deg
            parent = trial_of(bravais, way.cell, way.centring, observed, shift)
            found += [] if parent is None else [parent]
    return found


def _parents(trial: Trial, observed: Observed) -> Iterator[Recognized]:
    """Lattices of index 1/2 to 1/4 that keep the symmetry and lose no more lines than they may."""
    x6 = reciprocal_from_cell(trial.lattice().reduced)
    q2 = observed.q2 - observed.slope * trial.shift_deg
    try:
        hkl = reflections(trial.lattice().reduced, "P", q2[-1] * _REACH)
    except ValueError:
        return
    near = np.abs(quadratic_terms(hkl) @ x6 - q2[:, None]) <= _ERRORS * observed.sigma[:, None]
    explained = near.any(axis=1)
    for index in range(2, MAX_INDEX + 1):
        for rows in hermite_normal_forms(index):
            indices = hkl @ np.linalg.inv(rows)
            whole = np.all(np.abs(indices - np.rint(indices)) < _ROUNDING, axis=1)
            lost = explained & ~near[:, whole].any(axis=1)
            if observed.weight[lost].sum() > _LOST:
                continue
            way = recognize(reciprocal_change(np.linalg.inv(rows)) @ x6, EXACT)[0]
            if BRAVAIS[way.bravais].system.n_free <= trial.bravais.system.n_free:
                yield way
