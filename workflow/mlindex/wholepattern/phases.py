"""The phases of a pattern: what cells leave of its profile, what a further one adds, and all
together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.axes import on_axes
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, LatticeSystem
from mlindex.crystal.phase import Phase
from mlindex.indexing.profile import PhaseShare, PhasesProfile
from mlindex.indexing.result import Candidate, SamplePhase
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.peaksearch import FoundPeaks
from mlindex.wholepattern.candidate import CellFit, PhaseCell, again, fit_cell, refit
from mlindex.wholepattern.candidates import fit_end
from mlindex.wholepattern.data import prepare
from mlindex.wholepattern.evidence import evidence
from mlindex.wholepattern.joint import with_phase
from mlindex.wholepattern.leftover import leftover
from mlindex.wholepattern.reference import Reference, correlation, judged, reference
from mlindex.wholepattern.solve import factor, forward
from mlindex.wholepattern.summary import (
    Factors,
    added,
    areas,
    cell_and_covariance,
    scale_of,
    settled,
)

_LAST_STEPS = 3
#: How well six numbers of a known phase obey a lattice system: relative, and in degrees.
_FIT_REL, _FIT_DEG = 1e-3, 0.05


class ProfilePhases:
    """The phases of one pattern, see :class:`mlindex.indexing.together.PatternPhases`.

    Args:
        pattern: the pattern.
        found: all its peaks.
        known: the phases that are known beforehand.
        over: asked before each fit; there is no more once it says True.
    """

    def __init__(
        self,
        pattern: MeasuredPattern,
        found: FoundPeaks,
        known: Sequence[SamplePhase],
        over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._pattern, self._found, self._over = pattern, found, over
        self._known = tuple(_of_phase(phase) for phase in known)
        self._fits: dict[tuple[int, ...], tuple[Reference, CellFit] | None] = {}
        # Fits are kept by their cells, which must not be collected meanwhile.
        self._cells: list[Sequence[Candidate]] = []

    def leave(self, cells: Sequence[Candidate]) -> PeakList | None:
        """The peaks that cells and known phases leave, at the positions measured."""
        fitted = self._fitted(cells)
        if fitted is None:
            return None
        # Patterns over d have a nominal wavelength only.
        wavelength_A = self._found.peaks.wavelength_A
        return replace(leftover(*fitted, self._pattern.name), wavelength_A=wavelength_A)

    def gain(self, cells: Sequence[Candidate], further: Candidate | Phase) -> float:
        """By how much ln(evidence) of the profile grows with a further cell."""
        fitted = self._fitted(cells)
        if fitted is None:
            return 0.0
        known, before = fitted
        try:
            after = with_phase(known, before, _of_any(further))
        except (ValueError, np.linalg.LinAlgError):
            return -np.inf
        return _gain(known, before, after)

    def together(self, phases: Sequence[SamplePhase]) -> PhasesProfile | None:
        """The fit of all phases together, begun with the one that has the most intensity."""
        if self._over():
            return None
        cells = [_of_phase(phase) for phase in phases]
        order = sorted(range(len(cells)), key=lambda i: -(phases[i].share or 0.0))
        try:
            known, fit = self._begun(cells[order[0]], _shift_deg(phases))
            for i in order[1:]:
                fit = with_phase(known, fit, cells[i])
            known = _judged_by(known, fit)
            fit = again(known, fit, _LAST_STEPS)
            return self._told(known, fit, phases, order)
        except (ValueError, np.linalg.LinAlgError):
            return None

    def _fitted(self, cells: Sequence[Candidate]) -> tuple[Reference, CellFit] | None:
        """The fit of cells and known phases, the first cell setting the errors."""
        key = tuple(id(cell) for cell in cells)
        if self._over():
            return self._fits.get(key)
        if key not in self._fits:
            self._cells.append(tuple(cells))
            try:
                known, fit = self._begun(_of_candidate(cells[0]), cells[0].shift.low_deg)
                for phase in (*self._known, *map(_of_candidate, cells[1:])):
                    fit = with_phase(known, fit, phase)
                self._fits[key] = known, fit
            except (ValueError, np.linalg.LinAlgError):
                self._fits[key] = None
        return self._fits[key]

    def _begun(self, phase: PhaseCell, shift_deg: float) -> tuple[Reference, CellFit]:
        """The fit of one phase, and the points with the uncertainties that it shows."""
        if self._found.calibration is None:
            raise ValueError("the pattern has no peaks")
        end = fit_end([phase], self._pattern, self._found)
        known = reference(prepare(self._pattern, self._found, end), self._found)
        fit = self._alone(known, phase, shift_deg)
        known = _judged_by(known, fit)
        return known, again(known, fit, _LAST_STEPS)

    def _told(
        self, known: Reference, fit: CellFit, phases: Sequence[SamplePhase], order: Sequence[int]
    ) -> PhasesProfile:
        """What is told of the fit of phases (m,) that were added in that order."""
        data, done = known.data, settled(known, fit)
        fit = done.fit
        share, share_error = _shares(known, fit)
        factors = Factors.of(data, fit)
        shown: dict[int, PhaseShare] = {}
        begin, line = 0, 0
        for number, part in enumerate(fit.parts):
            i, own = order[number], slice(begin, begin + part.system.n_free)
            refined = fit.fitted.p[own], done.covariance[own, own], part.system
            last = line + len(part.lines)
            shown[i] = PhaseShare(
                float(share[number]),
                float(share_error[number]),
                *_on_shown_axes(phases[i], *cell_and_covariance(*refined)),
                self._gain_of(known, fit, [phases[j] for j in order if j != i]),
                added(known, fit, line, last),
            )
            begin, line = own.stop, last
        strays = added(known, fit, line, line + len(fit.peaks.free_deg))
        left, observed = fit.fitted.solution.residual * data.sigma, data.y + data.base
        return PhasesProfile(
            tuple(shown[i] for i in range(len(phases))),
            factors.r_wp,
            factors.goodness,
            float(share.sum()),
            len(fit.peaks.free_deg),
            done.zero.deg if done.zero.used else 0.0,
            done.displacement.deg if done.displacement.used else 0.0,
            data.x,
            observed,
            observed - left - strays,
        )

    def _gain_of(self, known: Reference, fit: CellFit, others: Sequence[SamplePhase]) -> float:
        """By how much ln(evidence) falls where only the others are fitted."""
        one, *more = map(_of_phase, others)
        less = self._alone(known, one, _shift_deg(others))
        for phase in more:
            less = with_phase(known, less, phase)
        return _gain(known, less, fit)

    def _alone(self, known: Reference, phase: PhaseCell, shift_deg: float) -> CellFit:
        """The fit of one phase."""
        at = self._found.two_theta_deg
        at = at[at < known.data.x[-1]]
        fit = fit_cell(known, at, phase.system, phase.cell, phase.centring, shift_deg)
        return again(known, fit, _LAST_STEPS)


def _gain(known: Reference, before: CellFit, after: CellFit) -> float:
    data, together = known.data, known.together
    less = evidence(data, before, together).total - evidence(data, after, together).total
    return float(less / 2)


def _judged_by(known: Reference, fit: CellFit) -> Reference:
    """The points with the uncertainties that a fit shows."""
    data, misfit = judged(known.data, fit.fitted.solution, fit.layout, fit.fitted.p)
    fit = refit(data, fit, _LAST_STEPS)
    together = correlation(data, fit.fitted.solution.residual, fit.layout, fit.fitted.p)
    return replace(known, data=data, misfit=misfit, together=together)


def _shares(known: Reference, fit: CellFit) -> tuple[np.ndarray, np.ndarray]:
    """Shares (m,) that the phases have of the intensity, and their standard uncertainties, which
    hold the overlaps of lines that are there, but not the background."""
    solution = fit.fitted.solution
    area, unit = areas(fit)
    total = max(float(area.sum()), np.finfo(float).tiny)
    ends = np.cumsum([len(part.lines) for part in fit.parts])
    of = np.searchsorted(ends, np.arange(len(area)), side="right") == np.arange(len(ends))[:, None]
    shares = of @ area / total
    # d share_i / d area_k is 1 for its own lines, less its share, over the total.
    slope = (of - shares[:, None]) / total * unit
    chosen = np.flatnonzero(solution.height > 0)
    lower, inner, begin = factor(solution.normal, solution.first, solution.start, chosen)
    by_column = np.ascontiguousarray(slope[:, solution.placed.order[chosen]].T)
    forward(lower, inner, begin, by_column)
    return shares, np.sqrt(scale_of(known, fit) * np.sum(by_column**2, axis=0))


def _shift_deg(phases: Sequence[SamplePhase]) -> float:
    """The shift of the lines as the first cell that was found has it."""
    return next((p.candidate.shift.low_deg for p in phases if p.candidate is not None), 0.0)


def _on_shown_axes(
    phase: SamplePhase, cell: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The cell and its standard uncertainties on the axes that the phase is given on."""
    error = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    if phase.candidate is None:
        return cell, error
    one = phase.candidate
    shown = on_axes(one.bravais, one.centring, cell, error, covariance)[0]
    return shown.cell, shown.cell_error


def _of_candidate(candidate: Candidate) -> PhaseCell:
    return PhaseCell(BRAVAIS[candidate.bravais].system, candidate.centring, candidate.cell)


def _of_any(one: Candidate | Phase) -> PhaseCell:
    if isinstance(one, Phase):
        return PhaseCell(_system(one.cell), one.centring, one.cell)
    return _of_candidate(one)


def _of_phase(phase: SamplePhase) -> PhaseCell:
    if phase.candidate is not None:
        return _of_candidate(phase.candidate)
    return PhaseCell(_system(phase.cell), phase.centring, phase.cell)


def _system(cell: np.ndarray) -> LatticeSystem:
    """The lattice system with the fewest parameters that a cell on its usual axes obeys."""
    rising = sorted(SYSTEMS.values(), key=lambda system: system.n_free)
    for system in rising:
        if system.fits(cell, _FIT_REL, _FIT_DEG):
            return system
    raise MlindexError(f"no lattice system has the cell {cell}")
