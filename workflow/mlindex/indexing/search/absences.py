"""What extinction symbols add to the evidence for a lattice.

A lattice explains its lines better where they avoid what a glide plane or a screw axis forbids:
fewer reflections could have been meant. Each extinction class gives the likelihood of the lines
with its own reflections; they are averaged with the shares of known structures as weights
(the idea of Markvardsen et al. 2001, Acta Cryst. A57, 47, with positions alone).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.extinction_classes import extinction_classes
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.line_kernels import distances, forbidden
from mlindex.crystal.lines import reflections
from mlindex.crystal.tolerances import LATTICE_LINE_REL
from mlindex.indexing.search.evidence import log_likelihood, plain_misfit
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.pseudo import WEAK_SHARES, pseudo_centred, repeats
from mlindex.indexing.search.trials import Trial, tabled

#: A little beyond the last line, which may lie below the reflection that it belongs to.
_REACH = 1.05
#: Power of the shares: rare symbols are not as rare in a pattern as in all known structures.
_SHARE_POWER = 0.5
#: Share of structures that nearly have a smaller cell, so that few lines break it.
_PSEUDO_SHARE = 0.1
#: A reflection within this many errors of an observed line is not unseen.
NEAR_SIGMAS = 3.0


@dataclass(frozen=True)
class Absences:
    """``gain``: ln of the mean likelihood over all classes, with and without pseudo-centring,
    against that without conditions; ``pseudo``: the part of it that pseudo-centring adds;
    ``best``: of the best class alone, and ``log_share``, ln of the weight that this class has;
    ``number`` of different lines of the lattice, and ``allowed`` by that class; ``unseen``: the
    share of these in the first half of the list that no observed line is near to."""

    gain: float
    pseudo: float
    best: float
    log_share: float
    number: int
    allowed: int
    unseen: float


def absences(trial: Trial, observed: Observed) -> Absences:
    """How much better extinction classes of a lattice explain the lines than it does alone.

    Raises:
        ValueError: a cell with too many reflections, or none.
    """
    cell, centring = tabled(trial.bravais, trial.cell, trial.centring)
    starts, rotations, shifts, log_share = _packed(trial.bravais.symbol, centring)
    q2, errors = observed.q2 - observed.slope * trial.shift_deg, observed.errors
    hkl = reflections(cell, centring, q2[-1] * _REACH)
    if not len(hkl):
        raise ValueError("no reflection below the last line")
    calculated = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    far = np.all(np.abs(calculated[:, None] - q2) > NEAR_SIGMAS * observed.sigma, axis=1)
    values, numbers, unseen = _likelihoods(
        hkl, calculated, far, q2, observed.sigma, errors, observed.stray, starts, rotations, shifts
    )
    # The first class has no conditions.
    gains = values - values[0]
    best = int(np.argmax(gains))
    mean = float(np.logaddexp.reduce(gains + log_share))
    repeated = [
        pseudo_centred(
            hkl,
            calculated,
            q2,
            observed.sigma,
            errors,
            observed.stray,
            rotations[starts[c] : starts[c + 1]],
            shifts[starts[c] : starts[c + 1]],
            *repeats(trial.bravais.symbol, centring),
            WEAK_SHARES,
        )
        + weight
        for c, weight in _likely(gains, log_share)
    ]
    both = _with_pseudo_centring(mean, np.concatenate(repeated) - values[0])
    return Absences(
        both,
        both - mean,
        float(gains[best]),
        float(log_share[best]),
        int(numbers[0]),
        int(numbers[best]),
        float(unseen[best]),
    )


def _likely(gains: np.ndarray, log_share: np.ndarray) -> list[tuple[int, float]]:
    """The classes that pseudo-centring is tried with, and ln of their weights.

    Half of the weight has the one without conditions: breaking a repeat, few lines show what else
    they obey.
    """
    likely = int(np.argmax(gains + log_share))
    return [(0, float(np.log(0.5))), (likely, float(np.log(0.5) + log_share[likely]))]


def _with_pseudo_centring(mean: float, repeated: np.ndarray) -> float:
    """ln of the mean likelihood over structures without and with pseudo-centring (2 s,)."""
    weak = float(np.logaddexp.reduce(repeated)) - np.log(len(repeated) / 2)
    return float(np.logaddexp(np.log1p(-_PSEUDO_SHARE) + mean, np.log(_PSEUDO_SHARE) + weak))


@lru_cache(maxsize=64)
def _packed(bravais: str, centring: str) -> tuple[np.ndarray, ...]:
    """First operation of each class (c + 1,), rotations, translations, ln of the shares (c,)."""
    classes = extinction_classes(bravais, centring)
    starts = np.cumsum([0] + [len(c.rotations) for c in classes])
    rotations = np.concatenate([c.rotations.reshape(-1, 3, 3) for c in classes]).astype(np.int64)
    shifts = np.concatenate([c.translations_24.reshape(-1, 3) for c in classes]).astype(np.int64)
    # One structure more for each, so that no symbol is ruled out by never having been met.
    shares = np.array([c.structures + 1 for c in classes]) ** _SHARE_POWER
    return starts, rotations, shifts, np.log(shares / shares.sum())


@njit(cache=True, nogil=True)
def _likelihoods(
    hkl: np.ndarray,
    calculated: np.ndarray,
    far: np.ndarray,
    q2: np.ndarray,
    sigma: np.ndarray,
    errors: np.ndarray,
    stray: np.ndarray,
    starts: np.ndarray,
    rotations: np.ndarray,
    shifts: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihood of the lines, number of lines and share unseen of each class: (c,) each.

    ``calculated`` (r,) rises; hkl (r, 3); ``far`` (r,) from all lines; ``errors`` (s, n) at every
    scale; ``stray`` (n,). Lines of the first half of the list may be unseen.
    """
    n_classes = len(starts) - 1
    values = np.empty(n_classes)
    numbers = np.zeros(n_classes, dtype=np.int64)
    unseen = np.zeros(n_classes)
    difference, allowed = np.empty(len(q2)), np.empty(len(hkl))
    misfit = plain_misfit(difference)
    half = q2[len(q2) // 2]
    end = q2[-1] + 2 * sigma[-1]
    for c in range(n_classes):
        own_rotations = rotations[starts[c] : starts[c + 1]]
        own_shifts = shifts[starts[c] : starts[c + 1]]
        number, early, last, n_allowed = 0, 0, -1.0, 0
        for r in range(len(hkl)):
            if forbidden(hkl[r, 0], hkl[r, 1], hkl[r, 2], own_rotations, own_shifts):
                continue
            value = calculated[r]
            if value <= end and value - last > LATTICE_LINE_REL * value:
                number += 1
                if value <= half:
                    early += 1
                    unseen[c] += far[r]
            last = value
            allowed[n_allowed] = value
            n_allowed += 1
        distances(q2, allowed[:n_allowed], difference)
        numbers[c] = number
        unseen[c] /= max(early, 1)
        values[c] = -np.inf
        for scaled in errors:
            value = log_likelihood(misfit, scaled, stray, max(number, 1), q2[-1])
            values[c] = max(values[c], value)
    return values, numbers, unseen
