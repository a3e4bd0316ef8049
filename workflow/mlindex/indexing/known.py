"""Lines of phases that are known to be in a sample: which of a list they are.

A reflection takes the line nearest to where it should be: the zero shift that all known phases
share, and a little expansion of each cell, are fitted to the lines first. Where the structure is
known, intensities decide: a line much stronger than the phase makes it is shared with another
phase and stays in the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lines import nearest_index
from mlindex.crystal.phase import Phase
from mlindex.crystal.strengths import intensity
from mlindex.indexing.search.observed import observe
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A, PeakList

#: Zero shifts that are tried, degrees, and what they and the relative change of a cell are expected
#: to be: laboratory instruments, and cells at another temperature or composition.
_SHIFTS_DEG = np.round(np.arange(-0.3, 0.3001, 0.01), 2)
SHIFT_SIGMA_DEG, _STRAIN_SIGMA = 0.1, 5e-4
_EXACT_SIGMA = 1e-6
#: A line is looked for so far from its reflection: in errors of 2theta, in root-mean-square misfits
#: of the lines found, and in degrees at most.
_ERRORS, _MISFITS, _FARTHEST_DEG = 2.5, 3.0, 0.1
_ROUNDS = 3
#: Lines of less than the lower share of their intensity by the phase are not its own, and of less
#: than the upper one shared with another: preferred orientation changes intensities that much.
_LEAST_SHARE, _OWN_SHARE = 0.1, 0.35
#: Ratios of observed to calculated intensity: overlap only makes them larger, so that a low
#: quantile is the scale of the phase.
_SCALE_QUANTILE = 0.35
#: Without calculated intensities a line is shared if it is so many times as strong as the second
#: strongest of the phase, of at least so many lines: of 400 structures of public CIF files 14 have
#: such a line by themselves.
_TOO_STRONG, _FEWEST_COMPARED = 5.0, 3


@dataclass(frozen=True)
class Match:
    """Lines of a list that belong to a phase.

    Attributes:
        phase: the phase.
        lines: their positions in the list (m,), from 0 and rising.
        shared: which of them (m,) are partly another phase's.
        expected: lines that the phase has in the range of the list.
    """

    phase: Phase
    lines: np.ndarray
    shared: np.ndarray
    expected: int


def matched(
    peaks: PeakList,
    phases: Sequence[Phase],
    error_deg: float | None = None,
    exact: bool = False,
) -> tuple[Match, ...]:
    """The lines of each phase in a list.

    Args:
        peaks: the list.
        phases: what is known to be there.
        error_deg: standard error of 2theta, degrees; that of the list or the usual one if None.
        exact: whether the cells are known so well that they are not to be fitted.

    Raises:
        MlindexError: a phase has too many lines.
    """
    axis = Degrees(peaks, error_deg)
    predicted = [phase.lines(float(peaks.q2_inv_A2[-1]) * 1.02) for phase in phases]
    shift = _shift(axis, [q2 for q2 in predicted if len(q2)])
    strain = _EXACT_SIGMA if exact else _STRAIN_SIGMA
    return tuple(
        _match(axis, phase, q2, shift, strain) for phase, q2 in zip(phases, predicted, strict=True)
    )


class Degrees:
    """Lines of a list and their distances from reflections in degrees of 2theta; of a list without
    a wavelength at that of Cu, where no zero shift means anything."""

    def __init__(self, peaks: PeakList, error_deg: float | None) -> None:
        seen = observe(peaks, len(peaks), error_deg)
        self.peaks, self.shiftable = peaks, seen.shiftable
        self.q2, self.slope = seen.q2, seen.slope
        self.error_deg = seen.sigma / seen.slope
        wavelength = peaks.wavelength_A or ERROR_WAVELENGTH_A
        angle = two_theta_from_q2(seen.q2, wavelength, at_most_180=True)
        self.half_angle = np.radians(np.minimum(angle, 170.0)) / 2
        everything = np.ones(len(peaks)) if peaks.intensity is None else peaks.intensity
        self.intensity = np.maximum(everything, 0.0)

    def distances(self, reflections_q2: np.ndarray, shift_deg: np.ndarray | float) -> np.ndarray:
        """Observed minus calculated 2theta (n,), a shift (n,) or () taken off, to the nearest."""
        return self.from_q2(reflections_q2[self.nearest(reflections_q2, shift_deg)], shift_deg)

    def nearest(self, reflections_q2: np.ndarray, shift_deg: np.ndarray | float) -> np.ndarray:
        """Which reflection (n,) is nearest to each line."""
        return nearest_index(self.q2 - self.slope * shift_deg, reflections_q2)

    def from_q2(self, q2: np.ndarray, shift_deg: np.ndarray | float) -> np.ndarray:
        """Distances (n,) from calculated q² (n,)."""
        if self.shiftable:
            wavelength = self.peaks.wavelength_A
            seen = two_theta_from_q2(self.q2, wavelength)
            return seen - two_theta_from_q2(q2, wavelength, at_most_180=True) - shift_deg
        return (self.q2 - q2) / self.slope - shift_deg


def _shift(axis: Degrees, predicted: list[np.ndarray]) -> float:
    """The zero shift (degrees) with which lines, strong ones above all, meet reflections best."""
    if not axis.shiftable or not predicted:
        return 0.0
    weight = np.sqrt(axis.intensity / max(axis.intensity.max(), 1e-300))
    best, most = 0.0, -np.inf
    for shift in _SHIFTS_DEG:
        near = np.zeros(len(axis.q2))
        for q2 in predicted:
            away = axis.distances(q2, shift) / (_ERRORS * np.maximum(axis.error_deg, 0.01))
            near = np.maximum(near, 1 - away**2)
        # A line that is met counts about as much as two standard deviations of the shift.
        score = 2 * float(weight @ near) - 0.5 * (shift / SHIFT_SIGMA_DEG) ** 2
        if score > most:
            best, most = float(shift), score
    return best


def _match(
    axis: Degrees, phase: Phase, predicted: np.ndarray, shift: float, strain: float
) -> Match:
    reach = predicted[predicted <= axis.q2[-1] * (1 + 1e-9)]
    nothing = Match(phase, np.empty(0, dtype=int), np.empty(0, dtype=bool), len(reach))
    if not len(predicted):
        return nothing
    q2, away = predicted, np.full(len(axis.q2), shift)
    window = np.minimum(_ERRORS * np.maximum(axis.error_deg, 0.02), _FARTHEST_DEG)
    for _ in range(_ROUNDS):
        lines, which = _pairs(axis, q2, away, window)
        if not len(lines):
            return nothing
        away, misfit = _fitted(axis, lines, q2[which], shift, strain)
        window = np.clip(_MISFITS * misfit, _ERRORS * axis.error_deg, _FARTHEST_DEG)
    lines, which = _pairs(axis, q2, away, window)
    own, shared = _by_intensity(axis, phase, lines, q2[which])
    end = max(axis.q2[-1] - axis.slope[-1] * away[-1], q2[which].max(initial=0.0))
    expected = int(np.sum(predicted <= end * (1 + 1e-9)))
    return Match(phase, lines[own], shared[own], expected)


def _pairs(
    axis: Degrees, q2: np.ndarray, away: np.ndarray, window: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lines (m,) within the window of their reflections (m,), each of them taken once."""
    which = axis.nearest(q2, away)
    distance = np.abs(axis.from_q2(q2[which], away))
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] <= window[order]]
    first = np.unique(which[order], return_index=True)[1]
    lines = np.sort(order[first])
    return lines, which[lines]


def _fitted(
    axis: Degrees, lines: np.ndarray, q2: np.ndarray, shift: float, expected_strain: float
) -> tuple[np.ndarray, float]:
    """Where the lines are seen beyond their reflections (n,), degrees, by a zero shift and a change
    of the cell, both near what is expected; root-mean-square misfit of the m lines, degrees."""
    strain = -2 * np.degrees(np.tan(axis.half_angle))
    shifting = np.ones(len(strain)) if axis.shiftable else np.zeros(len(strain))
    design = np.column_stack([shifting, strain])
    calculated = axis.q2.copy()
    calculated[lines] = q2
    found = axis.from_q2(calculated, 0.0)[lines]
    error = np.maximum(axis.error_deg[lines], 0.01)
    rows = np.vstack(
        [design[lines] / error[:, None], np.diag([1 / SHIFT_SIGMA_DEG, 1 / expected_strain])]
    )
    right = np.concatenate([found / error, [shift / SHIFT_SIGMA_DEG, 0.0]])
    solution = np.linalg.lstsq(rows, right, rcond=None)[0]
    misfit = found - design[lines] @ solution
    return design @ solution, float(np.sqrt(np.mean(misfit**2)))


def _by_intensity(
    axis: Degrees, phase: Phase, lines: np.ndarray, q2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which lines (m,) have to do with the phase, and which of them are partly another's."""
    everything, nothing = np.ones(len(lines), dtype=bool), np.zeros(len(lines), dtype=bool)
    if axis.peaks.intensity is None or not len(lines):
        return everything, nothing
    seen = axis.intensity[lines]
    if not len(phase.strength):
        if len(lines) < _FEWEST_COMPARED:
            return everything, nothing
        return everything, seen > _TOO_STRONG * np.sort(seen)[-2]
    calculated = intensity(phase, q2, axis.half_angle[lines])
    known = np.isfinite(calculated)
    strong = known & (calculated >= 0.05 * np.nanmax(np.where(known, calculated, 0.0)))
    if not strong.any():
        return everything, nothing
    scale = np.quantile(seen[strong] / calculated[strong], _SCALE_QUANTILE)
    part = np.where(known, scale * np.nan_to_num(calculated) / np.maximum(seen, 1e-300), 1.0)
    return part >= _LEAST_SHARE, part < _OWN_SHARE
