"""Which extinction symbols agree with the lines of an indexed pattern.

The idea is that of Markvardsen, David, Johnson & Shankland (2001, Acta Cryst. A57, 47): compare
the probabilities of all extinction symbols of the lattice instead of only counting violations.
Only line positions are known here, so the likelihood is that of each predicted line being seen or
not:

- Lines that every symbol allows tell how often an allowed line is seen in this pattern.
- Special lines, which some symbol forbids, are seen with a probability near that share where a
  symbol allows them. How near is not known (atoms on special positions, pseudo-symmetry) and
  differs between zones, so for each set of lines that the same symbols forbid it is integrated
  over a beta distribution: lines absent together count less than as many independent ones.
- A line that is seen though a symbol forbids all that could explain it is a stray: a small
  probability, smaller for strong lines where intensities are given.
- Lines hidden by an observed neighbour say nothing.

Prior odds follow the known structures of each symbol's space groups; these are named in the order
in which they are met in cells of that size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.extinction_classes import (
    ExtinctionClass,
    allowed_mask,
    class_of_symbol,
    extinction_classes,
)
from mlindex.crystal.group_shares import log_weights
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.indexing.merit import MOST_FOR_MANY
from mlindex.indexing.result import Extinction

__all__ = [
    "ExtinctionClass",
    "Weights",
    "allowed_mask",
    "class_of_symbol",
    "extinction_classes",
    "n_allowed",
    "n_allowed_of_many",
    "suggest",
]


@dataclass(frozen=True)
class Weights:
    """Constants of the likelihood; the defaults suit calculated patterns of real crystals.

    They were chosen on one half of such patterns and checked on the other.
    """

    #: A line within this many of its errors of a reflection is explained by it.
    window_sigmas: float = 3.0
    #: A reflection within this many errors of an observed line can't be called absent.
    hidden_sigmas: float = 4.0
    #: Probability of a stray line at a place that is forbidden.
    stray: float = 0.002
    #: How many lines of a special set the general share is worth when carried over to it.
    carried_over: float = 2.0
    #: Share of allowed lines that are seen, and how many lines that guess is worth.
    share: float = 0.6
    share_worth: float = 4.0
    #: Power of the prior odds.
    prior_power: float = 0.5


_DEFAULT = Weights()


def suggest(
    bravais: str,
    centring: str,
    cell: np.ndarray,
    hkl: np.ndarray,
    q2_inv_A2: np.ndarray,
    sigma_q2_inv_A2: np.ndarray,
    intensity: np.ndarray | None = None,
    q2_max_inv_A2: float | None = None,
    q2_min_inv_A2: float = 0.0,
    weights: Weights = _DEFAULT,
) -> tuple[Extinction, ...]:
    """All extinction symbols of a Bravais lattice, the most probable first.

    Args:
        bravais: symbol of the Bravais lattice, a key of :data:`mlindex.crystal.lattice.BRAVAIS`.
        centring: centring letter in the setting of the cell.
        cell: six cell parameters (A, degrees) in the standard setting.
        hkl: Miller indices (n, 3) of the lines, 0 0 0 where not indexed.
        q2_inv_A2: their q² (n,), 1/A², the zero shift taken off.
        sigma_q2_inv_A2: their standard uncertainties (n,).
        intensity: their intensities (n,), if known.
        q2_max_inv_A2: reflections up to here that are not seen are absent; the last line if None.
        q2_min_inv_A2: below it nothing was measured.
        weights: constants of the likelihood.

    Raises:
        ValueError: if the lattice has no such centring letter or the cell is too large.
    """
    classes = extinction_classes(bravais, centring)
    hkl = np.asarray(hkl, dtype=np.int64).reshape(-1, 3)
    q2, sigma = np.asarray(q2_inv_A2, dtype=float), np.asarray(sigma_q2_inv_A2, dtype=float)
    end = float(q2.max()) if q2_max_inv_A2 is None else q2_max_inv_A2
    reach = end + weights.window_sigmas * float(sigma.max())
    lines = _lines(cell, centring, reach, classes)
    distance = np.abs(q2[:, None] - lines.q2_inv_A2) / sigma[:, None]
    explains = _explains(lines, cell, hkl, distance <= weights.window_sigmas)
    absent = (lines.q2_inv_A2 >= q2_min_inv_A2) & (lines.q2_inv_A2 <= end)
    absent &= ~(distance <= weights.hidden_sigmas).any(axis=0)
    stray = _log_stray(intensity, len(q2), weights)
    log_likelihood, contradicted = _log_likelihoods(lines.allowed, explains, absent, stray, weights)
    volume = float(cell_volume(cell)) / BRAVAIS[bravais].n_points
    return ranked(classes, log_likelihood, contradicted, volume, weights)


def n_allowed(
    cell: np.ndarray, centring: str, q2_max_inv_A2: float, extinction: ExtinctionClass
) -> int:
    """Number of different lines up to q²_max that a class allows.

    Raises:
        ValueError: if the cell is too large.
    """
    hkl = reflections(cell, centring, q2_max_inv_A2)
    hkl = hkl[allowed_mask(hkl, extinction)]
    return len(distinct(quadratic_terms(hkl) @ reciprocal_from_cell(cell)))


def n_allowed_of_many(
    x_inv_A2: np.ndarray, q2_max_inv_A2: float, extinction: ExtinctionClass
) -> np.ndarray:
    """:func:`n_allowed` (c,) of many cells, a few microseconds each.

    The cells are given by their six reciprocal parameters (c, 6). -1 stands for what is no cell,
    or has more than 20,000 allowed reflections.
    """
    # numba takes half a second to import, and most users of this module don't come here.
    from mlindex.crystal.line_kernels import number_of_each

    cells = np.ascontiguousarray(np.atleast_2d(x_inv_A2), dtype=float)
    conditions = extinction.rotations, extinction.translations_24
    return number_of_each(cells, *conditions, float(q2_max_inv_A2), MOST_FOR_MANY)


@dataclass(frozen=True)
class _LatticeLines:
    """Different lines (l,) of a lattice and which classes allow them, bool (classes, l)."""

    q2_inv_A2: np.ndarray
    allowed: np.ndarray


def _lines(
    cell: np.ndarray, centring: str, q2_max_inv_A2: float, classes: tuple[ExtinctionClass, ...]
) -> _LatticeLines:
    hkl = reflections(cell, centring, q2_max_inv_A2)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    first = distinct(q2)
    if not len(first):
        return _LatticeLines(np.empty(0), np.empty((len(classes), 0), dtype=bool))
    allowed = [np.logical_or.reduceat(allowed_mask(hkl, c), first) for c in classes]
    return _LatticeLines(q2[first], np.array(allowed))


def _explains(
    lines: _LatticeLines, cell: np.ndarray, hkl: np.ndarray, near: np.ndarray
) -> np.ndarray:
    """Which lines can explain each indexed one, bool (n, l): those near, and the one chosen."""
    indexed = hkl.any(axis=1)
    explains = near & indexed[:, None]
    chosen = quadratic_terms(hkl[indexed]) @ reciprocal_from_cell(cell)
    if len(chosen) and len(lines.q2_inv_A2):
        nearest = np.abs(chosen[:, None] - lines.q2_inv_A2).argmin(axis=1)
        explains[np.flatnonzero(indexed), nearest] = True
    return explains


def _log_stray(intensity: np.ndarray | None, n: int, weights: Weights) -> np.ndarray:
    """ln of the probability that a line is a stray (n,); strong lines seldom are."""
    if intensity is None:
        return np.full(n, np.log(weights.stray))
    rank = np.argsort(np.argsort(intensity)) / max(n, 1)
    return np.log(weights.stray * 2 * (1 - rank))


def _log_likelihoods(
    allowed: np.ndarray,
    explains: np.ndarray,
    absent: np.ndarray,
    stray: np.ndarray,
    weights: Weights,
) -> tuple[np.ndarray, np.ndarray]:
    """ln likelihood (classes,) and number of contradicted lines (classes,).

    Args:
        allowed: which lines each class allows (classes, l).
        explains: which lines can explain each observed one (n, l).
        absent: lines that should have been seen and were not (l,).
        stray: ln probability of each observed line as a stray (n,).
        weights: constants of the likelihood.
    """
    sets, member = np.unique(allowed, axis=1, return_inverse=True)
    belongs = member.ravel()[:, None] == np.arange(sets.shape[1])
    special = ~sets.all(axis=0)
    explained_by = explains @ belongs
    n_absent = absent @ belongs.astype(np.int64)
    # Lines that a general reflection explains say nothing of the special ones below them.
    by_general = explained_by[:, ~special].any(axis=1)
    share = weights.share_worth * weights.share + by_general.sum()
    share /= weights.share_worth + by_general.sum() + n_absent[~special].sum()
    alpha, beta = weights.carried_over * share, weights.carried_over * (1 - share)
    in_question = explained_by.any(axis=1) & ~by_general
    possible = sets[:, None, :] & explained_by[in_question]
    # A line that several sets could explain is counted for the first of them.
    seen = (possible & (np.cumsum(possible, axis=2) == 1)).sum(axis=1)
    missing = np.where(sets & special, n_absent, 0)
    gain = _log_beta(alpha + seen, beta + missing) - _log_beta(alpha, beta)
    broken = ~possible.any(axis=2)
    return gain.sum(axis=1) + broken @ stray[in_question], broken.sum(axis=1)


def _log_beta(a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
    # scipy's betaln costs a tenth of a second to import.
    log_gamma = np.vectorize(math.lgamma, otypes=[float])
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b)


def ranked(
    classes: tuple[ExtinctionClass, ...],
    log_likelihood: np.ndarray,
    contradicted: np.ndarray,
    primitive_volume_A3: float,
    weights: Weights = _DEFAULT,
) -> tuple[Extinction, ...]:
    """Extinction symbols, the most probable first, and of their space groups those met most often.

    Args:
        classes: of one Bravais lattice (c,).
        log_likelihood: ln of the probability of the lines for each (c,).
        contradicted: lines that each forbids though they are seen (c,).
        primitive_volume_A3: volume of the primitive cell in A³.
        weights: for the power of the prior odds.
    """
    # One structure more for each, so that no symbol is ruled out by never having been met.
    structures = np.array([c.structures + 1 for c in classes])
    log_posterior = log_likelihood + weights.prior_power * np.log(structures)
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    met = log_weights(primitive_volume_A3)
    return tuple(
        Extinction(
            classes[i].symbol,
            _often_first(classes[i], met),
            float(posterior[i]),
            int(contradicted[i]),
        )
        for i in np.argsort(-posterior, kind="stable")
    )


def _often_first(extinction: ExtinctionClass, met: np.ndarray) -> tuple[str, ...]:
    order = np.argsort(-met[np.array(extinction.numbers) - 1], kind="stable")
    return tuple(extinction.space_groups[i] for i in order)
