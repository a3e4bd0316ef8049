"""Dominant zones: cells that are supported by little more than the lines of one zone.

In a flat crystal most of the first lines lie in one plane of the reciprocal lattice. A wrong cell
with that plane explains them all, as exactly as the true one, and its other parameters are fitted
to the few lines outside.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from mlindex.crystal.lattice import quadratic_terms
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.revision import reflections_walked
from mlindex.indexing.search.trials import Trial
from mlindex.indexing.search.walked import walk_of

#: Lines fit that lie no farther off than so many times the distance of the best quarter, which
#: tells exact lists from others, and at least so many errors.
_TIMES_QUARTER, _LEAST_ERRORS = 10.0, 0.05
#: A list is exact if lines fit within so many errors.
_EXACT_ERRORS = 0.3
_REACH = 1.1


def rests_on_one_zone(trial: Trial, observed: Observed) -> bool:
    """Whether few lines that fit lie outside some zone: no more than the cell has free parameters
    and lines that it leaves unexplained, each of which speaks against it.

    Only of exact lists, in which lines that fit by chance can be recognized: False for others.
    """
    if not is_exact(trial, observed):
        return False
    try:
        hkl = _fitting(trial, observed)
    except ValueError:
        return False
    unexplained = len(observed.q2) - len(hkl)
    return len(hkl) - _most_in_a_zone(hkl) <= trial.bravais.system.n_free + unexplained


def is_exact(trial: Trial, observed: Observed) -> bool:
    """Whether the lines that fit do so much better than their errors."""
    return _limit(trial, observed) <= _EXACT_ERRORS


def is_open(trial: Trial, observed: Observed) -> bool:
    """Whether the lines that fit leave parameters of the cell open."""
    try:
        hkl = _fitting(trial, observed)
    except ValueError:
        return True
    shares = quadratic_terms(hkl) @ walk_of(trial.bravais.system).matrix.T
    return np.linalg.matrix_rank(shares) < trial.bravais.system.n_free


def _limit(trial: Trial, observed: Observed) -> float:
    """Errors within which a line fits."""
    off = np.abs(trial.difference) / observed.sigma
    return max(_TIMES_QUARTER * float(np.quantile(off, 0.25)), _LEAST_ERRORS)


def _fitting(trial: Trial, observed: Observed) -> np.ndarray:
    """Miller indices (m, 3) of the lines that fit."""
    fits = np.abs(trial.difference) <= _limit(trial, observed) * observed.sigma
    return _nearest(trial, observed)[fits]


def _nearest(trial: Trial, observed: Observed) -> np.ndarray:
    """Miller indices (n, 3) of the reflection nearest to each line."""
    q2 = observed.q2 - observed.slope * trial.shift_deg
    hkl = reflections_walked(trial, _REACH * q2[-1])
    calculated = quadratic_terms(hkl) @ walk_of(trial.bravais.system).matrix.T @ trial.x
    return hkl[np.abs(q2[:, None] - calculated).argmin(axis=1)]


def _most_in_a_zone(hkl: np.ndarray) -> int:
    """Most of the reflections (n, 3) that lie in one plane through the origin."""
    pairs = np.array(list(combinations(range(len(hkl)), 2))).reshape(-1, 2)
    normals = np.cross(hkl[pairs[:, 0]], hkl[pairs[:, 1]])
    normals = normals[normals.any(axis=1)]
    if not len(normals):
        return len(hkl)
    return int((normals @ hkl.T == 0).sum(axis=1).max())
