"""What is told of a fit: cell, shifts, R factors, intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_derivatives, cell_from_reciprocal
from mlindex.crystal.lattice import LatticeSystem
from mlindex.patterns.peakshape import area_of_unit_peak
from mlindex.wholepattern.candidate import SHIFT_SIGMA_DEG, CellFit, refit
from mlindex.wholepattern.data import Data
from mlindex.wholepattern.evidence import evidence
from mlindex.wholepattern.heights import Heights
from mlindex.wholepattern.kernels import add_up
from mlindex.wholepattern.model import N_SHIFTS
from mlindex.wholepattern.reference import Reference
from mlindex.wholepattern.result import LineIntensities, ProfileFit, Shift

_STEPS = 3
#: Of zero shift and displacement, one is not preferred to the other by less than this (-2 ln of
#: the odds): the errors of the cell contain both.
_SURE = 6.0


@dataclass(frozen=True)
class _Shifts:
    """Zero shift and displacement side by side, in degrees, and their covariance (2, 2)."""

    both: np.ndarray
    covariance: np.ndarray

    def costs(self) -> np.ndarray:
        """What it costs (-2 ln of the odds) to use both, the zero shift only, the displacement
        only: what chi² grows by, and how much sharper each is known than before."""
        prior = SHIFT_SIGMA_DEG**2
        information = np.linalg.inv(self.covariance)
        sharper = np.linalg.slogdet(np.eye(2) + prior * information)[1]
        grown = self.both**2 / np.diagonal(self.covariance)
        one = np.log1p(prior * np.diagonal(information))
        return np.array([sharper, one[0] + grown[1], one[1] + grown[0]])


def summary(known: Reference, fit: CellFit) -> ProfileFit:
    """Everything that is told of a fit, with the one of the shifts or both that are needed."""
    return _told(known, settled(known, fit))


@dataclass(frozen=True)
class Settled:
    """A fit with the shifts that are needed, and the covariance of its cells (p, p)."""

    fit: CellFit
    covariance: np.ndarray
    zero: Shift
    displacement: Shift


def settled(known: Reference, fit: CellFit) -> Settled:
    """The fit with the one of the shifts or both that are needed."""
    shifts = _shifts(known, fit)
    costs = shifts.costs()
    best = int(np.argmin(costs))
    joint = _cell_covariance(known, fit)
    if best > 0:
        held = np.zeros(fit.layout.size, dtype=bool)
        held[fit.layout.n_cell + (1 if best == 1 else 0)] = True
        fit = refit(known.data, fit, _STEPS, held)
        unsure = np.partition(costs, 1)[1] - costs[best] < _SURE
        covariance = joint if unsure else _cell_covariance(known, fit)
    else:
        covariance = joint
    used = best in (0, 1), best in (0, 2)
    error = np.sqrt(np.diagonal(shifts.covariance))
    values = np.where(used, fit.layout.shifts(fit.fitted.p), shifts.both)
    zero, displacement = (
        Shift(float(v), float(e), bool(u)) for v, e, u in zip(values, error, used, strict=True)
    )
    return Settled(fit, covariance, zero, displacement)


def cell_and_covariance(
    x: np.ndarray, covariance: np.ndarray, system: LatticeSystem
) -> tuple[np.ndarray, np.ndarray]:
    """The cell (A, degrees) of free reciprocal parameters (p,), and the covariance (6, 6) of it
    from theirs (p, p).

    Raises:
        LinAlgError: they are of no cell.
    """
    cell = cell_from_reciprocal(x @ system.basis_matrix)
    if not np.isfinite(cell).all():
        raise np.linalg.LinAlgError("the fit led to no cell")
    cell = system.cell_from_free(system.free_from_cell(cell))
    jacobian = cell_derivatives(cell) @ system.basis_matrix.T
    free = np.array([isinstance(entry, str) for entry in system.template])
    return cell, np.where(np.outer(free, free), jacobian @ covariance @ jacobian.T, 0.0)


@dataclass(frozen=True)
class Factors:
    """Profile R factors, the weighted and the plain one, and the goodness of fit."""

    r_wp: float
    r_p: float
    goodness: float

    @classmethod
    def of(cls, data: Data, fit: CellFit) -> Factors:
        """Agreement factors of a fit, background included."""
        observed, left = data.y + data.base, fit.fitted.solution.residual * data.sigma
        weighted = np.sum((observed / data.noise) ** 2)
        r_wp = float(np.sqrt(np.sum((left / data.noise) ** 2) / weighted))
        expected = np.sqrt(max(len(data) - fit.n_parameters, 1) / weighted)
        r_p = float(np.abs(left).sum() / np.abs(observed).sum())
        return cls(r_wp, r_p, float(r_wp / expected))


def _told(known: Reference, of: Settled) -> ProfileFit:
    data, fit, solution = known.data, of.fit, of.fit.fitted.solution
    cell, covariance = cell_and_covariance(fit.layout.cell(fit.fitted.p), of.covariance, fit.system)
    lines, stray_deg, strays = _intensities(known, fit)
    factors = Factors.of(data, fit)
    left = solution.residual * data.sigma
    total = float(lines.fitted.sum() + strays.sum())
    return ProfileFit(
        cell,
        np.sqrt(np.maximum(np.diagonal(covariance), 0.0)),
        of.zero,
        of.displacement,
        factors.r_wp,
        factors.r_p,
        factors.goodness,
        float(lines.fitted.sum() / total) if total > 0 else 0.0,
        evidence(data, fit, known.together),
        lines,
        stray_deg,
        strays,
        data.y + data.base - left,
        data.base + solution.beta @ data.splines,
        added(known, fit, len(fit.lines), len(solution.height)),
    )


def added(known: Reference, fit: CellFit, begin: int, end: int) -> np.ndarray:
    """What some of the peaks, lines first, add to the pattern (n,)."""
    solution, out = fit.fitted.solution, np.zeros(len(known.data))
    inside = (solution.placed.order >= begin) & (solution.placed.order < end)
    alone = np.where(inside, solution.height, 0.0)
    add_up(solution.placed.columns, solution.values, alone, out)
    return out * known.data.sigma


def scale_of(known: Reference, fit: CellFit) -> float:
    """Variance of a point in units of the uncertainties assumed, neighbours erring together."""
    residual = fit.fitted.solution.residual
    return float(known.together * (residual @ residual) / len(residual))


def _covariance(known: Reference, fit: CellFit) -> np.ndarray:
    """Covariance of the refined parameters that are not held."""
    free = np.flatnonzero(~fit.expected.fixed)
    inner = np.linalg.inv(fit.fitted.information[np.ix_(free, free)])
    out = np.zeros((fit.layout.size, fit.layout.size))
    out[np.ix_(free, free)] = inner * scale_of(known, fit)
    return out


def _cell_covariance(known: Reference, fit: CellFit) -> np.ndarray:
    n = fit.layout.n_cell
    return _covariance(known, fit)[:n, :n]


def _shifts(known: Reference, fit: CellFit) -> _Shifts:
    n = fit.layout.n_cell
    where = slice(n, n + N_SHIFTS)
    return _Shifts(fit.layout.shifts(fit.fitted.p), _covariance(known, fit)[where, where])


def areas(fit: CellFit) -> tuple[np.ndarray, np.ndarray]:
    """Intensities (m,) of lines and free peaks, lines first, and those of height 1 (m,)."""
    solution = fit.fitted.solution
    columns = solution.placed.columns
    unit = area_of_unit_peak(columns.fwhm, columns.eta, columns.asymmetry) * (1 + columns.ratio)
    column = np.empty(len(unit), dtype=np.int64)
    column[solution.placed.order] = np.arange(len(unit))
    return (solution.height * unit)[column], unit[column]


def _intensities(known: Reference, fit: CellFit) -> tuple[LineIntensities, np.ndarray, np.ndarray]:
    """The lines' intensities, and positions (s,) and intensities (s,) of the free peaks."""
    solution, k = fit.fitted.solution, len(fit.lines)
    position = np.empty(len(solution.height))
    position[solution.placed.order] = solution.placed.columns.position
    area, unit = areas(fit)
    lines = LineIntensities(
        fit.lines.hkl,
        fit.lines.multiplicity,
        fit.lines.members,
        position[:k],
        area[:k],
        unit[:k],
        Heights.of(known.data, solution, k, scale_of(known, fit)),
    )
    return lines, fit.peaks.free_deg, area[k:]
