"""Superlattices: whether the peaks that a cell leaves are lines of a larger one.

A crystal whose atoms nearly repeat by the translations of a smaller cell has few further lines,
and weak ones. A search that prefers few reflections finds the smaller cell, which explains all but
a few peaks, as it would beside an impurity. But an impurity's peaks are anywhere, and those of the
larger cell are at its lines. So for each superlattice of index 2 to 4

    ln(odds) = sum ln(1 - q + q / c at its lines, 1 - q elsewhere) - ln(how many are tried) - PRIOR

over the peaks that the fit of the smaller cell leaves: of a superlattice's the share q is its own,
at random the share c, that of the pattern which is near one of its further lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.derivative import MAX_INDEX, hermite_normal_forms
from mlindex.crystal.holohedries import reciprocal_change
from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES, quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.recognition import EXACT, Recognized, conventional
from mlindex.wholepattern.candidates import CellToFit
from mlindex.wholepattern.result import ProfileFit

#: Share of a superlattice's peaks that is its own, and ln(odds) against one before the peaks are
#: looked at. Of 60 patterns (simulated superstructures, real crystals with 2 and 10 % of a second
#: one, measured ones) 31 had such peaks beside a cell that is right or has a true superlattice.
#: With PRIOR 0 the largest ln(odds) of a superlattice that is not true is 3.0; of ten true ones
#: seven have 5.1 to 19.1, and three with one or two peaks 0.5 to 2.4.
OWN, PRIOR = 0.8, 4.5
#: Further lines tell nothing within so many widths of a line of the cell; a peak is at a line
#: within the second.
_APART_FWHM, _AT_FWHM = 0.8, 0.3
#: Lines cover at least this share of a pattern, since peaks are not found to the last digit.
_LEAST_SHARE = 0.01
#: q² of the lines of two superlattices are the same to so many digits of the greatest, and an index
#: is a whole number within the second.
_DIGITS, _WHOLE = 7, 1e-6


@dataclass(frozen=True)
class Superlattice:
    """A larger lattice than that of a cell.

    Attributes:
        index: how many cells of the smaller lattice its primitive cell holds.
        bravais, centring, cell: as it is usually described (A, degrees).
        log_odds: ln(odds) for it, against the smaller one beside an impurity.
        n_peaks: how many of the peaks that the smaller one leaves are at its lines.
    """

    index: int
    bravais: str
    centring: str
    cell: np.ndarray
    log_odds: float
    n_peaks: int


@dataclass(frozen=True)
class Seen:
    """Where lines would be seen.

    Attributes:
        wavelength_A: wavelength.
        ends_deg: first and last 2theta of the fit.
        widths: width at half height at positions (m,), all in degrees.
        known_deg: rising positions of lines of known phases (k,), whose peaks tell nothing.
    """

    wavelength_A: float
    ends_deg: tuple[float, float]
    widths: Callable[[np.ndarray], np.ndarray]
    known_deg: np.ndarray


def superlattice(cell: CellToFit, fit: ProfileFit, seen: Seen) -> Superlattice | None:
    """The most probable superlattice of a cell, by the peaks that its fit leaves; None without any.

    It has no more free parameters than the cell. Of those that have the same lines it is the one
    with the fewest.

    Args:
        cell: the cell that was fitted.
        fit: its fit.
        seen: the pattern.
    """
    lines = np.sort(fit.lines.two_theta_deg)
    peaks = np.sort(fit.stray_two_theta_deg)
    for others in (lines, seen.known_deg):
        peaks = peaks[_distance(peaks, others) > _APART_FWHM * seen.widths(peaks)]
    if not len(peaks):
        return None
    ways = _ways(cell, fit.cell, float(q2_from_two_theta(seen.ends_deg[1], seen.wavelength_A)))
    found = []
    for index, way, q2 in ways:
        log_odds, n_peaks = _log_odds(peaks, _alone(q2, lines, fit, seen), seen)
        log_odds -= float(np.log(len(ways))) + PRIOR
        found.append(Superlattice(index, way.bravais, way.centring, way.cell, log_odds, n_peaks))
    return max(found, key=lambda one: one.log_odds, default=None)


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


def _alone(q2: np.ndarray, lines_deg: np.ndarray, fit: ProfileFit, seen: Seen) -> np.ndarray:
    """Where lines of such q² (m,) are seen, in degrees: those inside the pattern that no line of
    the cell hides."""
    true = two_theta_from_q2(q2, seen.wavelength_A, at_most_180=True)
    zero, displacement = ((s.deg if s.used else 0.0) for s in (fit.zero_shift, fit.displacement))
    at = true + zero + displacement * np.cos(np.radians(true) / 2)
    inside = (at > seen.ends_deg[0]) & (at < seen.ends_deg[1])
    return at[inside & (_distance(at, lines_deg) > _APART_FWHM * seen.widths(at))]


def _log_odds(peaks_deg: np.ndarray, at_deg: np.ndarray, seen: Seen) -> tuple[float, int]:
    """ln(odds) by the peaks, for further lines at these positions, and how many are at them."""
    hit = _distance(peaks_deg, at_deg) < _AT_FWHM * seen.widths(peaks_deg)
    share = max(_covered(at_deg, _AT_FWHM * seen.widths(at_deg), seen.ends_deg), _LEAST_SHARE)
    each = np.where(hit, np.log(1 - OWN + OWN / share), np.log(1 - OWN))
    return float(each.sum()), int(hit.sum())


def _covered(at_deg: np.ndarray, reach_deg: np.ndarray, ends_deg: tuple[float, float]) -> float:
    """Share of a range within reach of rising positions (m,)."""
    low, high = at_deg - reach_deg, np.maximum.accumulate(at_deg + reach_deg)
    begin = np.maximum(low[1:], high[:-1])
    apart = np.maximum(high[1:] - begin, 0.0).sum() + (high[:1] - low[:1]).sum()
    return float(apart / (ends_deg[1] - ends_deg[0]))


def _distance(at_deg: np.ndarray, others_deg: np.ndarray) -> np.ndarray:
    """How far each position (m,) is from the nearest of others (n,), rising."""
    if not len(others_deg):
        return np.full(len(at_deg), np.inf)
    return np.abs(others_deg[nearest_index(at_deg, others_deg)] - at_deg)
