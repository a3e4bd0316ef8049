"""Profile fits of the candidates of one pattern, all judged alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mlindex.base.cores import threads
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.result import Candidate
from mlindex.indexing.shift import NO_SHIFT, LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import FoundPeaks, PeakSearch, find_peaks
from mlindex.wholepattern.candidate import CellFit, PhaseCell, again, fit_cell, refit
from mlindex.wholepattern.data import ALL_PEAKS, prepare, wavelength_of
from mlindex.wholepattern.evidence import evidence
from mlindex.wholepattern.lines import cell_lines, system_parameters
from mlindex.wholepattern.reference import Reference, correlation, judged, reference
from mlindex.wholepattern.result import ProfileFit, ProfileFits
from mlindex.wholepattern.summary import summary

#: Candidates that are fitted.
CANDIDATES = 20
#: The fit ends where this share of the candidates has so many lines: beyond, all of them overlap,
#: and any cell explains everything. Chosen for the time of a fit; results hardly depend on it.
_LINES, _SHARE = 200, 0.75
#: But not before so many peaks found.
_PEAKS = 20
#: Steps with the uncertainties that the best candidate shows.
_LAST_STEPS = 3


@dataclass(frozen=True)
class CellToFit:
    """What a fit needs of a candidate, named as there: Bravais lattice, centring letter, cell
    (A, degrees), and the shift of the lines to start from; ``near`` says that the cell is within a
    width of what it will be."""

    bravais: str
    centring: str
    cell: np.ndarray
    shift: LineShift = NO_SHIFT
    near: bool = False


def fit_candidates(
    pattern: MeasuredPattern,
    candidates: Sequence[Candidate | CellToFit],
    found: FoundPeaks | None = None,
    workers: int | None = None,
    over: Callable[[], bool] = lambda: False,
) -> ProfileFits | None:
    """Fit candidates to the whole profile of the pattern that they are from.

    Each is a Pawley fit: an intensity of its own, not negative, for each line; cell, zero shift,
    displacement, peak widths and shape refined with them. Peaks found that no line explains are
    fitted as well, so that a second phase spoils no cell.

    Args:
        pattern: the pattern.
        candidates: the cells; the first :data:`CANDIDATES` are fitted.
        found: all its peaks, searched for if None.
        workers: threads; if None, one for each core that may be used, up to 4.
        over: asked before each fit; the rest is left out once it says True.

    Returns:
        The fits; None where the pattern has no peaks, or no candidate was fitted.
    """
    found = found or find_peaks(pattern, PeakSearch(max_peaks=ALL_PEAKS))
    candidates = candidates[:CANDIDATES]
    if not candidates or found.calibration is None or not len(found):
        return None
    cells = [PhaseCell(BRAVAIS[c.bravais].system, c.centring, c.cell) for c in candidates]
    data = prepare(pattern, found, fit_end(cells, pattern, found))
    known = reference(data, found)
    at = found.two_theta_deg[found.two_theta_deg < data.x[-1]]

    def fitted(candidate: Candidate | CellToFit) -> CellFit | None:
        return None if over() else _fit(known, at, candidate)

    with ThreadPoolExecutor(workers or threads()) as pool:
        first = list(pool.map(fitted, candidates))
        if not any(first):
            return None
        known = _judged_by(known, first)
        last = list(pool.map(partial(_last, known), first))
    return ProfileFits(
        known.data.x,
        known.data.y + known.data.base,
        known.data.noise,
        known.misfit,
        tuple(last),
    )


def fit_end(cells: Sequence[PhaseCell], pattern: MeasuredPattern, found: FoundPeaks) -> float:
    """Where the fit of some cells ends: 2theta in degrees."""
    wavelength, last = wavelength_of(pattern, found), float(pattern.two_theta_deg[-1])
    ends = []
    for one in cells:
        try:
            lines = cell_lines(one.cell, one.centring, one.system, wavelength, (0, last))
        except ValueError:
            continue
        if len(lines) <= _LINES:
            ends.append(last)
            continue
        q2 = lines.design[_LINES] @ system_parameters(one.cell, one.system)
        ends.append(float(two_theta_from_q2(q2, wavelength, at_most_180=True)))
    enough = float(np.quantile(ends, _SHARE)) if ends else last
    return max(enough, end_of_first(found))


def end_of_first(found: FoundPeaks) -> float:
    """2theta in degrees behind the first peaks, as many as a search takes."""
    last = min(_PEAKS, len(found)) - 1
    return float(found.two_theta_deg[last] + 5 * found.fwhm_deg[last])


def _fit(
    known: Reference, found_deg: np.ndarray, candidate: Candidate | CellToFit
) -> CellFit | None:
    """The fit of a candidate; None where its cell is too large or leads nowhere."""
    system, shift_deg = BRAVAIS[candidate.bravais].system, candidate.shift.low_deg
    cell, centring = candidate.cell, candidate.centring
    near = isinstance(candidate, CellToFit) and candidate.near
    try:
        return fit_cell(known, found_deg, system, cell, centring, shift_deg, near)
    except (ValueError, np.linalg.LinAlgError):
        return None


def _judged_by(known: Reference, fits: Sequence[CellFit | None]) -> Reference:
    """The points with the uncertainties that the best of the fits shows.

    Peaks found one by one leave overlaps unresolved, which a right cell does not: what it leaves is
    what no profile explains.
    """
    there = [fit for fit in fits if fit is not None]
    best = min(there, key=lambda fit: evidence(known.data, fit, known.together).total)
    data, misfit = judged(known.data, best.fitted.solution, best.layout, best.fitted.p)
    best = refit(data, best, _LAST_STEPS)
    together = correlation(data, best.fitted.solution.residual, best.layout, best.fitted.p)
    return replace(known, data=data, misfit=misfit, together=together)


def _last(known: Reference, fit: CellFit | None) -> ProfileFit | None:
    """The fit with the final uncertainties, and what is told of it."""
    if fit is None:
        return None
    try:
        return summary(known, again(known, fit, _LAST_STEPS))
    except np.linalg.LinAlgError:
        return None
