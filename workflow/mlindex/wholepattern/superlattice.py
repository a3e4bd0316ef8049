"""Superlattices: whether what a cell leaves in a pattern is at the lines of a larger one.

A crystal whose atoms nearly repeat by the translations of a smaller cell has few further lines,
and weak ones, many of them below what a peak search finds. A search that prefers few reflections
finds the smaller cell, which explains all but a few peaks, as it would beside an impurity. But what
an impurity adds is anywhere, and that of the larger cell is at its lines.

So the pattern less the lines of the smaller cell is looked at through the shape of a peak, at every
place: the height there in its standard uncertainties. For each superlattice of index 2 to 4, the
places of its further lines are compared with all other places, which show what scatter, misfit and
other phases make there. P is the share of the other places with the same height or more. Without
the superlattice its lines have any P alike; with it some of them have small ones, for which

    p(P) = 1 - s + s b P^(b - 1)

(the beta-uniform mixture of Pounds and Morris, Bioinformatics 19 (2003) 1236, on a null that is
measured as by Efron, J. Am. Stat. Assoc. 99 (2004) 96), averaged over s and b. Their product is the
Bayes factor of the superlattice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.derivative import MAX_INDEX, hermite_normal_forms
from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.holohedries import reciprocal_change
from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES, quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.recognition import EXACT, Recognized, conventional
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.wholepattern.candidates import CellToFit
from mlindex.wholepattern.reference import highest_near
from mlindex.wholepattern.result import ProfileFit

#: ln(odds) against a superlattice that is not among the candidates, shared by all of them. Of 109
#: patterns (simulated superstructures, mixtures with 2 and 10 % of a second phase, measured ones)
#: 87 had a first cell that was right, or of which no superlattice was: there the largest ln(Bayes
#: factor), shared likewise, is 0.2; a mineral looked at later (enstatite) has 2.6. Of 22 true ones
#: 7 have 6.0 to 20, and 15 at most 3.7. Candidates need no such number, for the ranking has judged
#: them.
PRIOR = 5.5
#: Which shares of the further lines are seen, and how clearly: s and b above.
_SHARES = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
_POWERS = np.array([0.15, 0.25, 0.4, 0.6, 0.8])
#: Places within so many widths of a line of the cell tell nothing: heights there contain what its
#: shape leaves, and lines of a long axis are nearer to it than other places are. With 0.8 the
#: largest false ln(Bayes factor) above was 4.2, and that of enstatite 13.
_APART_FWHM = 1.6
#: Further lines this near to each other are one, and other places are looked at in such steps.
_STEP_FWHM = 0.5
#: A height is found from so many widths on each side, and from so many points at least.
_REACH_FWHM, _FEWEST_POINTS = 1.5, 5
#: With fewer other places nothing is said.
_FEWEST_PLACES = 20
#: q² of the lines of two superlattices are the same to so many digits of the greatest, and an index
#: is a whole number within the second.
_DIGITS, _WHOLE = 7, 1e-6


@dataclass(frozen=True)
class Superlattice:
    """A larger lattice than that of a cell.

    Attributes:
        index: how many cells of the smaller lattice its primitive cell holds.
        bravais, centring, cell: as it is usually described (A, degrees).
        log_odds: ln(odds) for it, against the smaller one alone.
        log_odds_before: the same with its odds by lines alone, if it is a candidate.
        n_lines: how many of its further lines are seen apart from those of the smaller one.
    """

    index: int
    bravais: str
    centring: str
    cell: np.ndarray
    log_odds: float
    log_odds_before: float
    n_lines: int


@dataclass(frozen=True)
class Seen:
    """A pattern as its candidates were fitted.

    Attributes:
        wavelength_A: wavelength.
        two_theta_deg, observed, noise: the points (n,), intensities and their uncertainties.
        misfit: share of a peak's height that no profile explains.
        widths: width at half height at positions (m,), all in degrees.
        known_deg: rising positions of lines of known phases (k,), about which nothing is told.
    """

    wavelength_A: float
    two_theta_deg: np.ndarray
    observed: np.ndarray
    noise: np.ndarray
    misfit: float
    widths: Callable[[np.ndarray], np.ndarray]
    known_deg: np.ndarray


class Listed(NamedTuple):
    """A lattice among the candidates, and ln(its odds) against the first of them, with the fits to
    the profile and by lines alone."""

    lattice: Lattice
    log_odds: float
    log_odds_before: float


def superlattice(
    cell: CellToFit, fit: ProfileFit, seen: Seen, listed: Sequence[Listed] = ()
) -> Superlattice | None:
    """The most probable superlattice of a cell, by what its fit leaves; None without any.

    It has no more free parameters than the cell. Of those that have the same lines it is the one
    with the fewest.

    Args:
        cell: the cell that was fitted.
        fit: its fit.
        seen: the pattern.
        listed: candidates, which have odds of their own.
    """
    places = _places(fit, seen)
    ends = q2_from_two_theta(seen.two_theta_deg[-1], seen.wavelength_A)
    ways, found = _ways(cell, fit.cell, float(ends)), []
    for index, way, q2 in ways:
        at = _alone(q2, places, fit, seen)
        log_bayes = _log_bayes(places.share_above(at))
        if log_bayes is None:
            continue
        odds = _listed(way, listed) or (-PRIOR - float(np.log(len(ways))),) * 2
        what = index, way.bravais, way.centring, way.cell
        found.append(Superlattice(*what, odds[0] + log_bayes, odds[1] + log_bayes, len(at)))
    return max(found, key=lambda one: one.log_odds, default=None)


def _listed(way: Recognized, listed: Sequence[Listed]) -> tuple[float, float] | None:
    """ln(odds) of a lattice as a candidate, with fits and by lines alone; None where it is none."""
    own = lattice_of(way.cell, way.centring)
    odds = [one[1:] for one in listed if same(one.lattice, own, *FOUND_LATTICE)]
    return max(odds, default=None)


def _log_bayes(share_above: np.ndarray) -> float | None:
    """ln(Bayes factor) by the shares P (m,) of other places that are as high; None without any."""
    if not len(share_above):
        return None
    b = _POWERS[:, None]
    small = b * share_above ** (b - 1)
    density = 1 + _SHARES[:, None, None] * (small - 1)
    every = np.log(density).sum(axis=-1)
    return float(logsumexp(every) - np.log(every.size))


@dataclass(frozen=True)
class _Places:
    """Where something beside the lines of a cell would be seen: positions (m,), rising, in degrees,
    widths there, and heights in standard uncertainties."""

    at_deg: np.ndarray
    width_deg: np.ndarray
    height: np.ndarray

    def share_above(self, at_deg: np.ndarray) -> np.ndarray:
        """Share of the places, in steps and not at these positions (k,), that is as high as each
        of them; empty where there are too few."""
        apart = _distance(self.at_deg, at_deg) > _STEP_FWHM * self.width_deg
        others = np.flatnonzero(apart)[_steps(self.at_deg[apart], self.width_deg[apart])]
        if not len(at_deg) or len(others) < _FEWEST_PLACES:
            return np.empty(0)
        rising = np.sort(self.height[others])
        own = np.interp(at_deg, self.at_deg, self.height)
        above = len(rising) - np.searchsorted(rising, own)
        return (1 + above) / (len(rising) + 1)


def _places(fit: ProfileFit, seen: Seen) -> _Places:
    """The points of a pattern that are apart from the lines of a cell and of known phases."""
    x = seen.two_theta_deg
    width = seen.widths(x)
    height = _heights(fit, seen, width)
    apart = np.isfinite(height)
    for lines in (np.sort(fit.lines.two_theta_deg), seen.known_deg):
        apart &= _distance(x, lines) > _APART_FWHM * width
    return _Places(x[apart], width[apart], height[apart])


def _heights(fit: ProfileFit, seen: Seen, width_deg: np.ndarray) -> np.ndarray:
    """Height (n,) of a peak at each point over a level background, in standard uncertainties; NaN
    where too few points are near."""
    x, lines = seen.two_theta_deg, fit.calculated - fit.strays
    left = seen.observed - lines
    peak = np.maximum(lines - fit.background, 0.0)
    points = int(np.ceil(np.median(width_deg) / np.median(np.diff(x))))
    weight = 1 / (seen.noise**2 + (seen.misfit * highest_near(peak, points)) ** 2)
    low = np.searchsorted(x, x - _REACH_FWHM * width_deg)
    high = np.searchsorted(x, x + _REACH_FWHM * width_deg)
    out = np.full(len(x), np.nan)
    for i in np.flatnonzero(high - low >= _FEWEST_POINTS):
        near = slice(low[i], high[i])
        w, y = weight[near], left[near]
        shape = np.exp2(-4 * ((x[near] - x[i]) / width_deg[i]) ** 2)
        over = shape - (w @ shape) / w.sum()
        out[i] = (w * over) @ y / np.sqrt((w * over) @ shape)
    return out


def _ways(
    of: CellToFit, cell: np.ndarray, q2_max_inv_A2: float
) -> list[tuple[int, Recognized, np.ndarray]]:
    """Index, lattice, and q² (m,) of the further lines of each superlattice."""
    own = BRAVAIS[of.bravais].system.n_free
    x6, ways = reciprocal_from_cell(cell), {}
    primitive = np.array(PRIMITIVE_HALVES[of.centring]).T / 2
    for index in range(2, MAX_INDEX + 1):
        for rows in hermite_normal_forms(index):
            larger = reciprocal_change(primitive @ rows.T) @ x6
            way = conventional(larger, EXACT)
            n_free = BRAVAIS[way.bravais].system.n_free
            q2 = _further_q2(larger, rows, q2_max_inv_A2)
            key = np.round(q2 / q2_max_inv_A2, _DIGITS).tobytes()
            if len(q2) and n_free < ways.get(key, (own + 1,))[0]:
                ways[key] = n_free, index, way, q2
    return [way[1:] for way in ways.values()]


def _further_q2(x6: np.ndarray, rows: np.ndarray, q2_max_inv_A2: float) -> np.ndarray:
    """q² (m,), rising, of the lines that a superlattice with these reciprocal parameters (6,) has
    beside those of the lattice whose vectors ``rows`` (3, 3) make it; none where there are too
    many."""
    try:
        hkl = reflections(cell_from_reciprocal(x6), "P", q2_max_inv_A2)
    except ValueError:
        return np.empty(0)
    own = hkl @ np.linalg.inv(rows.T)
    q2 = quadratic_terms(hkl) @ x6
    q2 = q2[np.any(np.abs(own - np.rint(own)) > _WHOLE, axis=1)]
    return q2[distinct(q2)]


def _alone(q2: np.ndarray, places: _Places, fit: ProfileFit, seen: Seen) -> np.ndarray:
    """Where lines of such q² (m,) are seen, in degrees and rising: those at places that tell
    something, near ones taken as one."""
    true = two_theta_from_q2(q2, seen.wavelength_A, at_most_180=True)
    zero, displacement = ((s.deg if s.used else 0.0) for s in (fit.zero_shift, fit.displacement))
    at = np.sort(true + zero + displacement * np.cos(np.radians(true) / 2))
    step = np.median(np.diff(seen.two_theta_deg))
    at = at[_distance(at, places.at_deg) <= step]
    return at[_steps(at, seen.widths(at))]


def _steps(at_deg: np.ndarray, width_deg: np.ndarray) -> np.ndarray:
    """Which of rising positions (m,) are kept so that none is too near to the one before."""
    kept, last = [], -np.inf
    for i, (at, width) in enumerate(zip(at_deg.tolist(), width_deg.tolist(), strict=True)):
        if at - last >= _STEP_FWHM * width:
            kept.append(i)
            last = at
    return np.array(kept, dtype=np.int64)


def _distance(at_deg: np.ndarray, others_deg: np.ndarray) -> np.ndarray:
    """How far each position (m,) is from the nearest of others (n,), rising."""
    if not len(others_deg):
        return np.full(len(at_deg), np.inf)
    return np.abs(others_deg[nearest_index(at_deg, others_deg)] - at_deg)
