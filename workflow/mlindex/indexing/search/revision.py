"""Dominant zones: trials that have all but one of their parameters right.

Of a crystal with one short axis most of the first lines belong to one zone, which any value of the
other parameters leaves explained. q² = H·x is linear: with the other parameters kept, each line
with each reflection that has a share in parameter p gives a value for it,

    x_p = (q² - sum over s other than p of H_s x_s) / H_p.

The right value is the one that many lines agree on, whatever their indices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from mlindex.crystal.lattice import CENTRING_CODES, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import Trial, tabled, weigh
from mlindex.indexing.search.walked import walk_of

#: So many of the best trials, where they leave so many lines unexplained.
_BEST, _LEAST_LEFT = 6, 2
#: A line is explained, or a value agreed on, within this many errors.
_ERRORS = 3.0
#: Reflections of the cell as it is are taken so far beyond the last line: with another value of
#: the parameter they may lie below it.
_REACH = 2.0
#: Values tried for each parameter.
_VALUES = 6


def revised(trials: Sequence[Trial], observed: Observed) -> list[Trial]:
    """The trials, and those that come from the best of them by another value of one parameter."""
    found = list(trials)
    for trial in sorted(trials, key=lambda t: -t.evidence)[:_BEST]:
        left = np.abs(trial.difference) > _ERRORS * observed.sigma
        if left.sum() >= _LEAST_LEFT:
            found += _revisions(trial, observed)
    return found


def _revisions(trial: Trial, observed: Observed) -> list[Trial]:
    q2 = observed.q2 - observed.slope * trial.shift_deg
    try:
        hkl = reflections_walked(trial, _REACH * q2[-1])
    except ValueError:
        return []
    # Equivalent reflections have the same line: in cubic lattices there are up to 24 of each.
    shares = np.unique(quadratic_terms(hkl) @ walk_of(trial.bravais.system).matrix.T, axis=0)
    found = []
    for p in range(len(trial.x)):
        values = _agreed(trial.x, shares, p, q2, _ERRORS * observed.sigma)
        x = np.repeat(trial.x[None], len(values), axis=0)
        x[:, p] = values
        shift = trial.shift_deg
        codes = np.full(len(values), CENTRING_CODES[trial.centring])
        found += weigh(trial.bravais, x, codes, observed, shift, shift != 0.0).values()
    return found


def reflections_walked(trial: Trial, q2_max: float) -> np.ndarray:
    """Miller indices (r, 3) in the setting walked, of all reflections up to q2_max in 1/A²."""
    hkl = reflections(*tabled(trial.bravais, trial.cell, trial.centring), q2_max)
    setting = trial.bravais.other_setting
    return hkl if setting is None else hkl @ np.array(setting.basis).T


def _agreed(
    x: np.ndarray, shares: np.ndarray, p: int, q2: np.ndarray, window: np.ndarray
) -> np.ndarray:
    """Values (v,) of parameter p that most lines outside its zone agree on."""
    zone = np.abs(shares[:, p]) < 1e-9
    base = shares @ x - shares[:, p] * x[p]
    inside = np.zeros(len(q2), dtype=bool)
    if zone.any():
        inside = np.abs(q2[:, None] - base[zone]).min(axis=1) <= window
    if inside.all() or zone.all():
        return np.empty(0)
    lines = np.nonzero(~inside)[0]
    share = shares[~zone, p]
    values = (q2[lines, None] - base[~zone]) / share
    width = window[lines, None] / np.abs(share)
    owner = np.broadcast_to(np.arange(len(lines))[:, None], values.shape)
    order = np.argsort(values, axis=None, kind="stable")
    flat = values.ravel()[order]
    return _most_votes(flat, width.ravel()[order], owner.ravel()[order], _VALUES)


@njit(cache=True, nogil=True)
def _most_votes(values: np.ndarray, width: np.ndarray, owner: np.ndarray, most: int) -> np.ndarray:
    """The rising values (n,) near which those of most owners lie, far from each other."""
    n = len(values)
    votes = np.zeros(n, dtype=np.int64)
    # Of large cells thousands lie near each value: of each owner only the next one is looked at.
    following, ahead = np.empty(n, dtype=np.int64), np.full(owner.max() + 1, n)
    for i in range(n - 1, -1, -1):
        following[i] = ahead[owner[i]]
        ahead[owner[i]] = i
    first = 0
    for i in range(n):
        while values[first] < values[i] - width[i]:
            ahead[owner[first]] = following[first]
            first += 1
        for place in ahead:
            votes[i] += place < n and values[place] <= values[i] + width[i]
    found = np.empty(most)
    count = 0
    while count < most:
        best = np.argmax(votes)
        if votes[best] < 2:
            break
        found[count] = values[best]
        count += 1
        for i in range(n):
            if abs(values[i] - values[best]) <= 2 * width[best]:
                votes[i] = 0
    return found[:count]
