"""Extinction symbols of a fitted cell, by the intensities of the whole profile.

After Markvardsen, David, Johnson & Shankland (2001, Acta Cryst. A57, 47): the intensities of all
lines with their covariance, free to be negative, tell how probable it is that those which a symbol
forbids are 0. Where lines overlap, their sum tells, and not each alone.

- The lines that a symbol forbids are taken together with their covariance, those that it allows
  after them, given that the first are 0 (the factor of Cholesky in that order).
- A line that is there has an intensity spread evenly over its logarithm, around what lines that
  every symbol allows have near it.
- Allowed lines need not be there. How often they are is taken from the others, but for each set of
  lines that the same symbols forbid it may differ (atoms on special positions, pseudo-symmetry):
  it is integrated over a beta distribution, as for lists (`indexing/extinction.py`).
- A forbidden line that is there is a stray, of a small probability.
- Errors are at least as large as intensities below 0 show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.extinction_classes import ExtinctionClass, allowed_mask, extinction_classes
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import nearest_index, reflections
from mlindex.indexing.extinction import Weights, ranked
from mlindex.indexing.result import Extinction
from mlindex.wholepattern.result import ProfileFit

#: Logarithms of intensities over those nearby: the weakest lines that are no absences, and the
#: strongest; not tuned.
_INTENSITIES = np.exp(np.linspace(-6.0, 2.5, 35))
#: Lines nearby, on each side.
_NEARBY = 12
#: Shares of allowed lines that are there, over which is integrated.
_SHARES = (np.arange(24) + 0.5) / 24
#: A line so many errors above 0 contradicts a symbol that forbids it.
_SEEN = 4.0
#: A set of more special lines is not looked at: covariances take their time.
_MOST_LINES = 600
_ROUNDS = 5
#: Lines that the errors as they are count as, beside those that show the scatter.
_WORTH = 5
_WEIGHTS = Weights()


@dataclass(frozen=True)
class _Special:
    """Lines (s,) that some symbols forbid: intensities over those nearby, their covariance (s, s),
    and which symbols allow each, bool (classes, s)."""

    intensity: np.ndarray
    covariance: np.ndarray
    allowed: np.ndarray


def symbols_by_profile(
    bravais: str,
    centring: str,
    fit: ProfileFit,
    two_theta_deg: tuple[float, float],
) -> tuple[Extinction, ...]:
    """All extinction symbols of a fitted cell, the most probable first; none where it has too many
    lines.

    Args:
        bravais, centring: Bravais lattice and centring letter of the cell.
        fit: its fit.
        two_theta_deg: first and last point of the pattern in degrees.
    """
    classes = extinction_classes(bravais, centring)
    if len(fit.lines) > _MOST_LINES:
        return ()
    allowed = _allowed(fit, classes, centring)
    at = fit.lines.two_theta_deg
    inside = (at > two_theta_deg[0]) & (at < two_theta_deg[1]) & allowed.any(axis=0)
    general = inside & allowed.all(axis=0)
    special = inside & ~allowed.all(axis=0)
    volume = float(cell_volume(fit.cell)) / BRAVAIS[bravais].n_points
    if not special.any():
        nothing = np.zeros(len(classes))
        return ranked(classes, nothing, nothing, volume)
    unit = _nearby(fit, general if general.any() else inside)
    scale = _scatter((fit.lines.unbounded / fit.lines.error)[inside])
    error = scale * fit.lines.error / unit
    share = _share_there((fit.lines.unbounded / unit)[general], error[general])
    unit = unit[special]
    lines = _Special(
        fit.lines.unbounded[special] / unit,
        scale**2 * fit.lines.covariance[np.ix_(special, special)] / np.outer(unit, unit),
        allowed[:, special],
    )
    found = [_of_class(lines, may, share) for may in lines.allowed]
    log_likelihood, contradicted = (np.array(column) for column in zip(*found, strict=True))
    return ranked(classes, log_likelihood, contradicted, volume)


def _allowed(fit: ProfileFit, classes: tuple[ExtinctionClass, ...], centring: str) -> np.ndarray:
    """Which lines (k,) of the fit each symbol allows: a reflection of the line, or of one that was
    taken together with it, bool (classes, k)."""
    x6 = reciprocal_from_cell(fit.cell)
    named = quadratic_terms(fit.lines.hkl) @ x6
    order = np.argsort(named)
    hkl = reflections(fit.cell, centring, float(named.max()) * (1 + 1e-6))
    of = order[nearest_index(quadratic_terms(hkl) @ x6, named[order])]
    allowed = np.zeros((len(classes), len(named)), dtype=bool)
    for row, extinction in zip(allowed, classes, strict=True):
        row[of[allowed_mask(hkl, extinction)]] = True
    return allowed


def _nearby(fit: ProfileFit, general: np.ndarray) -> np.ndarray:
    """Mean intensity (k,) of the lines that every symbol allows near each line."""
    at, height = fit.lines.two_theta_deg, fit.lines.fitted
    there = np.flatnonzero(general)
    place = np.searchsorted(at[there], at)
    low, high = np.maximum(place - _NEARBY, 0), np.minimum(place + _NEARBY, len(there))
    total = np.concatenate([[0.0], np.cumsum(height[there])])
    mean = (total[high] - total[low]) / np.maximum(high - low, 1)
    return np.maximum(mean, 1e-3 * max(float(height.max()), 1e-300))


def _scatter(sigmas: np.ndarray) -> float:
    """By how much errors are too small, from intensities (n,) in units of their errors: no line is
    below 0, so what is so shows the scatter, misfits of the profile in it."""
    below = sigmas[sigmas < 0]
    return float(np.sqrt(max((_WORTH + below @ below) / (_WORTH + len(below)), 1.0)))


def _there(intensity: np.ndarray, error: np.ndarray) -> np.ndarray:
    """How probable measured intensities (n,) are for lines that are there, in units of the height
    of a Gaussian of the error."""
    off = (intensity[:, None] - _INTENSITIES) / error[:, None]
    return np.exp(-0.5 * np.minimum(off**2, 1e3)).mean(axis=1)


def _absent(sigmas: np.ndarray) -> np.ndarray:
    """The same for lines that are not there; what is below 0 is a misfit, and tells nothing."""
    return np.exp(-0.5 * np.minimum(np.maximum(sigmas, 0.0) ** 2, 1e3))


def _share_there(intensity: np.ndarray, error: np.ndarray) -> float:
    """Share of the lines that every symbol allows (n,) which are there."""
    there, absent = _there(intensity, error), _absent(intensity / error)
    share, worth = _WEIGHTS.share, _WEIGHTS.share_worth
    for _ in range(_ROUNDS):
        of = share * there / (share * there + (1 - share) * absent)
        share = (worth * _WEIGHTS.share + of.sum()) / (worth + len(of))
    return float(share)


def _of_class(lines: _Special, may: np.ndarray, share: float) -> tuple[float, int]:
    """ln of the probability of the special lines (s,) where some of them may be there, and how many
    are there that may not; ``share`` of the lines that every symbol allows are there."""
    order = np.argsort(may, kind="stable")
    n_forbidden = int((~may).sum())
    covariance = lines.covariance[np.ix_(order, order)]
    ridge = 1e-9 * np.diagonal(covariance)
    lower = np.linalg.cholesky(covariance + np.diag(ridge))
    intensity, error = lines.intensity[order], np.diagonal(lower)
    sigmas = np.linalg.solve(lower, intensity)
    absent = _absent(sigmas)
    # What forbidden lines that are 0 leave of those allowed.
    left = intensity - lower[:, :n_forbidden] @ sigmas[:n_forbidden]
    there = _there(np.where(np.arange(len(order)) < n_forbidden, sigmas * error, left), error)
    stray = _WEIGHTS.stray
    total = np.log((1 - stray) * absent + stray * there)[:n_forbidden].sum()
    sets = lines.allowed[:, order[n_forbidden:]]
    _, of = np.unique(sets, axis=1, return_inverse=True)
    alpha = _WEIGHTS.carried_over * share
    prior = _SHARES ** (alpha - 1) * (1 - _SHARES) ** (_WEIGHTS.carried_over - alpha - 1)
    each = np.log(
        _SHARES[:, None] * there[n_forbidden:] + (1 - _SHARES[:, None]) * absent[n_forbidden:]
    )
    for number in range(of.max(initial=-1) + 1):
        joint = each[:, of.ravel() == number].sum(axis=1) + np.log(prior / prior.sum())
        total += np.logaddexp.reduce(joint)
    return float(total), int((sigmas[:n_forbidden] > _SEEN).sum())
