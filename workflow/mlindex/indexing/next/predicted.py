"""The lines that each cell in question predicts, and how probable it is that they are seen.

Intensities are not known, but how they are spread is: those of general reflections follow Wilson's
acentric distribution (Wilson 1949, Acta Cryst. 2, 318), the mean of a line being its multiplicity
times the Lorentz-polarization factor and a fall with q². A line is seen where its intensity exceeds
a threshold, with probability exp(-threshold / mean); the threshold is that with which as many lines
are seen of those predicted where it was measured as were seen there. Where background prevails it
falls with the root of the counting time.

Lines that the same other cells have, too, are a set with a threshold of its own: those of a
superstructure are weak together, so that after some of them were not seen, it says little that the
next is not. How far a set keeps to the general threshold is as with extinction symbols.

A cell counts with each of its likely extinction symbols, since lines that a symbol forbids are
absent together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.extinction_classes import (
    ExtinctionClass,
    allowed_mask,
    class_of_symbol,
    extinction_classes,
)
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.lorentz import lorentz_polarization
from mlindex.indexing.extinction import Weights, suggest
from mlindex.indexing.next.measured import NEAR_SIGMAS, Measured
from mlindex.indexing.next.rivals import Rival
from mlindex.indexing.shift import LineShift

#: Fall of mean intensities with q², A²: exp(-2.5 q²), of scattering factors squared and thermal
#: motion of U = 0.015 A² together.
FALL_A2 = 2.5
#: A line is never surer to be seen, nor surer not to be seen: atoms on special positions, texture
#: and a second phase make lines weak or strong that the statistics of intensities don't know of.
MOST_SEEN, LEAST_SEEN = 0.97, 0.01
#: Extinction symbols of a cell that are followed beside the one without conditions.
_MOST_SYMBOLS = 4
#: Thresholds that are tried: so far, as logarithms, beyond all means, and how many.
_FAR, _TRIED = 6.0, 100
#: 2theta of a line that can't be reached at the wavelength of the list.
_STEEPEST_DEG = 170.0
_WEIGHTS = Weights()


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A cell with an extinction symbol: what it predicts, as arrays (n,) of rising q².

    ``answer`` is the number of its rival. ``mean`` are mean intensities at the wavelength of the
    list, in any unit, ``kind`` the number of the set that each line is of. ``strength`` is the mean
    intensity in units of the threshold at the counting time of the first scan, as
    :func:`calibrated` finds it.
    """

    answer: int
    symbol: str
    probability: float
    shift: LineShift
    q2_inv_A2: np.ndarray
    q2_error_inv_A2: np.ndarray
    mean: np.ndarray
    kind: np.ndarray
    strength: np.ndarray

    def seen(self, time: float | np.ndarray) -> np.ndarray:
        """Probability (n,) that each line is seen at a counting time, in multiples of that of the
        first scan."""
        safe = np.sqrt(np.maximum(time, 1e-12)) * np.maximum(self.strength, 1e-12)
        return np.clip(np.exp(-1 / safe), LEAST_SEEN, MOST_SEEN) * (np.asarray(time) > 0)

    def seen_now(self, measured: Measured, time: float) -> np.ndarray:
        """Probability (n,) that each line shows at a counting time, after all that was measured.

        Lines that were seen are seen again. Those that were not seen where it was measured were too
        weak for that counting time. Of lines that others hide nothing is known.
        """
        measured = measured.without(self.shift)
        before = self.seen(measured.time_of(self.q2_inv_A2))
        at_all = self.seen(max(time, 1e-12))
        near = measured.near(self.q2_inv_A2, self.q2_error_inv_A2)
        absent = np.maximum(at_all - before, 0) / (1 - before)
        found = np.maximum(np.where(near, at_all, absent), LEAST_SEEN)
        found[measured.explained(self.q2_inv_A2, near)] = MOST_SEEN
        return found

    def shown_by(self, measured: Measured) -> np.ndarray:
        """The number (n,) of the line seen that each line is, -1 where it is none."""
        known = measured.without(self.shift)
        near = known.near(self.q2_inv_A2, self.q2_error_inv_A2)
        number = np.full(len(self.q2_inv_A2), -1)
        seen = np.flatnonzero(known.explained(self.q2_inv_A2, near))
        if len(seen):
            number[seen] = nearest_index(self.q2_inv_A2[seen], known.q2_inv_A2)
        return number

    def strays(self, measured: Measured) -> np.ndarray:
        """q² as observed and error of lines seen (k,) that it has no line near to: (k, 2), 1/A².

        Whatever they are of, they will be seen again.
        """
        known = measured.without(self.shift)
        if not len(known.q2_inv_A2):
            return np.empty((0, 2))
        nearest = nearest_index(known.q2_inv_A2, self.q2_inv_A2)
        apart = np.abs(known.q2_inv_A2 - self.q2_inv_A2[nearest])
        error = np.hypot(known.sigma_inv_A2, self.q2_error_inv_A2[nearest])
        stray = apart > NEAR_SIGMAS * error
        return np.column_stack([measured.q2_inv_A2, measured.sigma_inv_A2])[stray]


def hypotheses_of(
    rivals: tuple[Rival, ...], measured: Measured, wavelength_A: float, q2_max_inv_A2: float
) -> tuple[Hypothesis, ...]:
    """Each cell in question with its likely extinction symbols; cells with too many reflections to
    say anything are left out.

    Args:
        rivals: the cells; what their probabilities lack of 1 is for none of them.
        measured: what is known.
        wavelength_A: of the list.
        q2_max_inv_A2: lines are predicted up to here.
    """
    lattices = [_lattice_lines(rival, q2_max_inv_A2) for rival in rivals]
    found: list[Hypothesis] = []
    for answer, rival in enumerate(rivals):
        if len(lattices[answer]):
            found += _of_rival(answer, rival, measured, wavelength_A, q2_max_inv_A2)
    return tuple(replace(one, kind=_kinds(one, lattices, measured)) for one in found)


def _lattice_lines(rival: Rival, q2_max_inv_A2: float) -> np.ndarray:
    """q² (n,) of all lines of a lattice; none of one with too many reflections."""
    try:
        hkl = reflections(rival.cell, rival.centring, q2_max_inv_A2)
    except ValueError:
        return np.empty(0)
    return quadratic_terms(hkl) @ reciprocal_from_cell(rival.cell)


def _kinds(one: Hypothesis, lattices: list[np.ndarray], measured: Measured) -> np.ndarray:
    """The set (n,) of each line: which lattices have a line there."""
    sigma = np.interp(one.q2_inv_A2, measured.q2_inv_A2, measured.sigma_inv_A2)
    reach = NEAR_SIGMAS * np.hypot(sigma, one.q2_error_inv_A2)
    shared = np.zeros((len(one.q2_inv_A2), len(lattices)), dtype=bool)
    for number, q2 in enumerate(lattices):
        if len(q2):
            nearest = q2[nearest_index(one.q2_inv_A2, q2)]
            shared[:, number] = np.abs(nearest - one.q2_inv_A2) <= reach
    return np.unique(shared, axis=0, return_inverse=True)[1].reshape(-1)


def _of_rival(
    answer: int, rival: Rival, measured: Measured, wavelength_A: float, q2_max: float
) -> Iterator[Hypothesis]:
    hkl = reflections(rival.cell, rival.centring, q2_max)
    if not len(hkl):
        return
    for symbol, probability in _symbols(rival, measured).items():
        extinction = class_of_symbol(rival.found.bravais, rival.centring, symbol)
        made = _hypothesis(hkl, rival, extinction, measured, wavelength_A)
        if made is not None:
            yield replace(made, answer=answer, probability=rival.probability * probability)


def _symbols(rival: Rival, measured: Measured) -> dict[str, float]:
    """The likely extinction symbols of a cell by the lines of the list, and their probabilities;
    what is left is for the one without conditions."""
    candidate = rival.candidate
    q2, sigma = candidate.q2_corrected_inv_A2, measured.sigma_inv_A2[candidate.lines]
    if rival.is_partner:
        every = reflections(rival.cell, rival.centring, q2[-1] * 1.05)
        calculated = quadratic_terms(every) @ reciprocal_from_cell(rival.cell)
        hkl = every[nearest_index(q2, calculated)] * candidate.indexed[:, None]
        found = suggest(rival.found.bravais, rival.centring, rival.cell, hkl, q2, sigma)
    else:
        found = candidate.extinctions or suggest(
            candidate.bravais, candidate.centring, candidate.cell, candidate.hkl, q2, sigma
        )
    shares = {one.symbol: one.probability for one in found[:_MOST_SYMBOLS]}
    plain = extinction_classes(rival.found.bravais, rival.centring)[0].symbol
    shares[plain] = shares.get(plain, 0.0) + max(0.0, 1 - sum(shares.values()))
    return shares


def _hypothesis(
    hkl: np.ndarray,
    rival: Rival,
    extinction: ExtinctionClass,
    measured: Measured,
    wavelength_A: float,
) -> Hypothesis | None:
    hkl = hkl[allowed_mask(hkl, extinction)]
    if not len(hkl):
        return None
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(rival.cell)
    first = distinct(q2)
    multiplicity = np.diff(np.append(first, len(q2)))
    q2, error = q2[first], rival.q2_error(hkl[first])
    mean = multiplicity * mean_intensity(q2, wavelength_A)
    nothing = np.zeros(len(q2), dtype=int)
    return Hypothesis(
        0, extinction.symbol, 0.0, rival.candidate.shift, q2, error, mean, nothing, mean
    )


def mean_intensity(q2_inv_A2: np.ndarray, wavelength_A: float) -> np.ndarray:
    """Mean intensity (n,) of a reflection, in any unit; beyond the reach of the wavelength as near
    back reflection."""
    angle = np.nan_to_num(two_theta_from_q2(q2_inv_A2, wavelength_A), nan=_STEEPEST_DEG)
    theta = np.radians(np.minimum(angle, _STEEPEST_DEG)) / 2
    return lorentz_polarization(theta) * np.exp(-FALL_A2 * q2_inv_A2)


def calibrated(one: Hypothesis, measured: Measured) -> Hypothesis:
    """The hypothesis with the strengths of its lines by what was seen where it was measured."""
    known = measured.without(one.shift)
    time = known.time_of(one.q2_inv_A2)
    near = known.near(one.q2_inv_A2, one.q2_error_inv_A2)
    seen = known.explained(one.q2_inv_A2, near)
    # Lines that a neighbour hides say nothing.
    counted = (time > 0) & (seen | ~near)
    clear = np.sqrt(np.maximum(time, 1.0)) * one.mean
    n_seen, n = int((seen & counted).sum()), int(counted.sum())
    if not n:
        return replace(one, strength=one.mean / float(np.median(one.mean)))
    share = (_WEIGHTS.share_worth * _WEIGHTS.share + n_seen) / (_WEIGHTS.share_worth + n)
    threshold = np.full(len(one.mean), _threshold(clear[counted], share))
    general = np.exp(-threshold / clear)
    for kind in np.unique(one.kind[counted]):
        own = (one.kind == kind) & counted
        worth = _WEIGHTS.carried_over
        share = (worth * general[own].mean() + int((seen & own).sum())) / (worth + int(own.sum()))
        threshold[one.kind == kind] = _threshold(clear[own], share)
    return replace(one, strength=one.mean / threshold)


def _threshold(mean: np.ndarray, share: float) -> float:
    """The threshold with which this share of lines (n,) is seen."""
    ends = np.log(mean.min()) - _FAR, np.log(mean.max()) + _FAR
    tried = np.linspace(*ends, _TRIED)
    shares = np.exp(-np.exp(tried)[:, None] / mean).mean(axis=1)
    return float(np.exp(np.interp(-share, -shares, tried)))
