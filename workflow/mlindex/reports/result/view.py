"""What terminal, page and CIF share: positions on the measured axis, lines, summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mlindex.crystal.axes import Axes as CrystalAxes
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.formula_volume import Formula
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.tolerances import SHOWN_LINE_REL
from mlindex.indexing.result import CONVINCING_PROBABILITY, Candidate, IndexingResult
from mlindex.indexing.shift import NO_SHIFT, LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.reports import axes
from mlindex.reports.result.notation import free_cell, lattice_name, percent

#: Lines that M and F are given for.
FIGURE_LINES = 20
_MOST_PREDICTED = 600
#: How far a lattice was searched, in the words of a reader, in the order in which they are listed.
STATUS_WORDS = {
    "complete": "fully searched",
    "cut off": "partly searched",
    "not reached": "not searched",
}


@dataclass(frozen=True)
class Axis:
    """The axis that positions are shown on: 2theta with a wavelength, 1/d without one."""

    wavelength_A: float | None

    @property
    def name(self) -> str:
        """Name of the axis."""
        return axes.TWO_THETA if self.wavelength_A else axes.INVERSE_D

    @property
    def unit(self) -> str:
        """Its unit."""
        return axes.DEGREES if self.wavelength_A else axes.INVERSE_A

    @property
    def title(self) -> str:
        """Both, as the title of an axis or a column."""
        return axes.titled(self.name, self.unit)

    @property
    def decimals(self) -> int:
        """Digits behind the point that positions are shown with."""
        return 3 if self.wavelength_A else 5

    def positions(self, q2_inv_A2: np.ndarray, shift: LineShift = NO_SHIFT) -> np.ndarray:
        """Positions (n,) of lines; NaN where the wavelength does not reach them.

        ``shift`` is added to 2theta: where a calculated line is seen.
        """
        q2 = np.asarray(q2_inv_A2, dtype=float)
        if self.wavelength_A:
            return shift.put_on(two_theta_from_q2(q2, self.wavelength_A))
        return np.sqrt(q2)

    def of_pattern(self, pattern: MeasuredPattern) -> np.ndarray | None:
        """Positions (n,) of a pattern's points on this axis; None if its d are not known."""
        if self.wavelength_A:
            return pattern.two_theta_deg
        if pattern.scale_A is None:
            return None
        return np.sqrt(q2_from_two_theta(pattern.two_theta_deg, pattern.scale_A))

    def text(self, position: float) -> str:
        """A position with its digits; a dash where there is none."""
        return f"{position:.{self.decimals}f}" if np.isfinite(position) else "–"


@dataclass(frozen=True)
class CandidateLines:
    """A candidate's lines on an axis; every array over the ``n`` lines used.

    ``number`` are their numbers in the list, from 1.
    ``hkl`` are on the axes that the cell is shown on first, ``other_hkl`` on the others.
    ``observed`` are as measured, ``corrected`` corrected for the shift. ``calculated``
    and ``difference`` (corrected minus calculated) are NaN where ``indexed`` is not.
    """

    number: np.ndarray
    hkl: np.ndarray
    other_hkl: tuple[np.ndarray, ...]
    indexed: np.ndarray
    observed: np.ndarray
    corrected: np.ndarray
    calculated: np.ndarray
    difference: np.ndarray


def candidate_lines(peaks: PeakList, candidate: Candidate, axis: Axis) -> CandidateLines:
    """The lines used, as the candidate indexes them."""
    indexed = candidate.indexed
    corrected = axis.positions(candidate.q2_corrected_inv_A2)
    calculated = np.full(len(indexed), np.nan)
    calculated[indexed] = axis.positions(candidate.q2_calculated_inv_A2[indexed])
    shown, *others = (way.axes.hkl(candidate.hkl) for way in candidate.settings)
    return CandidateLines(
        number=candidate.lines + 1,
        hkl=shown,
        other_hkl=tuple(others),
        indexed=indexed,
        observed=axis.positions(peaks.q2_inv_A2[candidate.lines]),
        corrected=corrected,
        calculated=calculated,
        difference=corrected - calculated,
    )


@dataclass(frozen=True)
class Predicted:
    """Different lines that a candidate's lattice allows, rising.

    ``hkl`` are on the axes that the cell is shown on first; ``line`` (m,) is the position among the
    lines used of the observed line that each explains, -1 where there is none.
    """

    hkl: np.ndarray
    q2_inv_A2: np.ndarray
    line: np.ndarray


def predicted(candidate: Candidate, q2_max_inv_A2: float) -> Predicted:
    """Lines up to q²_max, the first 600 of them; of very large cells only the explained ones."""
    used, axes = np.flatnonzero(candidate.indexed), candidate.settings[0].axes
    explained = candidate.q2_calculated_inv_A2[used]
    try:
        hkl = reflections(candidate.cell, candidate.centring, q2_max_inv_A2)
    except ValueError:
        order = np.argsort(explained, kind="stable")
        hkl = axes.hkl(candidate.hkl[used[order]])
        return Predicted(hkl, explained[order], used[order])
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(candidate.cell)
    ends = np.append(distinct(q2), len(q2))[: _MOST_PREDICTED + 1]
    hkl, q2 = _first_named(axes, hkl, ends), q2[ends[:-1]]
    line = np.full(len(q2), -1)
    if len(used) and len(q2):
        nearest = nearest_index(explained, q2)
        same = np.abs(q2[nearest] - explained) <= SHOWN_LINE_REL * explained
        line[nearest[same]] = used[same]
        hkl[nearest[same]] = axes.hkl(candidate.hkl[used[same]])
    return Predicted(hkl, q2, line)


def _first_named(axes: CrystalAxes, hkl: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Indices named first among the reflections of each line: 5 1 1 and not 3 3 3.

    Line i has the reflections from ``ends[i]`` to ``ends[i + 1]``.
    """
    named = axes.hkl(hkl[: ends[-1]]).tolist()
    return np.array([max(named[a:b]) for a, b in pairwise(ends)], dtype=int).reshape(-1, 3)


def unindexed_positions(peaks: PeakList, candidate: Candidate, axis: Axis) -> list[str]:
    """Positions, as measured, of the lines that a candidate leaves unexplained."""
    lines = candidate_lines(peaks, candidate, axis)
    return [axis.text(p) for p in lines.observed[~lines.indexed]]


def by_status(result: IndexingResult) -> dict[str, list[str]]:
    """Bravais lattices by how far they were searched, in the order of :data:`STATUS_WORDS`."""
    found = dict.fromkeys(STATUS_WORDS)
    for searched in result.searched:
        found[searched.status] = [*(found.get(searched.status) or []), searched.bravais]
    return {status: lattices for status, lattices in found.items() if lattices}


def headline(result: IndexingResult) -> str:
    """The verdict in one sentence."""
    if not result.candidates:
        return "No cell was found."
    best = result.candidates[0]
    what = (
        f"{lattice_name(best)}, {free_cell(best.settings[0])}; {best.n_indexed} of {best.n_used} "
        f"lines indexed, probability {percent(best.probability)}."
    )
    if result.convincing and best.probability < CONVINCING_PROBABILITY:
        verdict = "Convincing, but not distinguished from lattices with the same lines."
        return f"{verdict} Most probable: {what}"
    if result.convincing:
        return f"A convincing cell: {what}"
    return f"No convincing cell. Best candidate: {what}"


def duration(seconds: float, decimals: int) -> str:
    """Seconds with their digits; a dash where the time is left out."""
    return f"{seconds:.{decimals}f}" if np.isfinite(seconds) else "–"


def figure_lines(candidate: Candidate) -> int:
    """N of F_N: the lines that M and F of a candidate are given for."""
    return min(FIGURE_LINES, candidate.n_used)


def formula_units(candidate: Candidate, formula: Formula | None) -> float | None:
    """How many units of the formula the cell shown has room for, where one is known."""
    if formula is None:
        return None
    return candidate.settings[0].volume_A3 / formula.volume_A3


def room(candidate: Candidate, formula: Formula) -> str:
    """The same in words."""
    units = formula_units(candidate, formula)
    return f"room for {units:.2g} {formula.text}, about {formula.volume_A3:.0f} Å³ each"


def joined(texts: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first texts, and how many there are beyond them."""
    shown = separator.join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"
