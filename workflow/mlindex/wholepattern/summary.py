"""What is told of a fit: cell, shifts, R factors, intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_derivatives, cell_from_reciprocal
from mlindex.patterns.peakshape import area_of_unit_peak
from mlindex.wholepattern.candidate import SHIFT_SIGMA_DEG, CellFit, refit
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
    return _told(known, fit, covariance, zero, displacement)


def _told(
    known: Reference, fit: CellFit, covariance: np.ndarray, zero: Shift, displacement: Shift
) -> ProfileFit:
    data, solution = known.data, fit.fitted.solution
    x = fit.layout.cell(fit.fitted.p)
    system = fit.system
    cell = cell_from_reciprocal(x @ system.basis_matrix)
    if not np.isfinite(cell).all():
        raise np.linalg.LinAlgError("the fit led to no cell")
    cell = system.cell_from_free(system.free_from_cell(cell))
    jacobian = cell_derivatives(cell) @ system.basis_matrix.T
    variance = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    free = np.array([isinstance(entry, str) for entry in system.template])
    lines, stray_deg, strays = _intensities(known, fit)
    observed = data.y + data.base
    left = solution.residual * data.sigma
    total = float(lines.fitted.sum() + strays.sum())
    weighted = np.sum((observed / data.noise) ** 2)
    r_wp = float(np.sqrt(np.sum((left / data.noise) ** 2) / weighted))
    expected = np.sqrt(max(len(data) - fit.n_parameters, 1) / weighted)
    return ProfileFit(
        cell,
        np.where(free, np.sqrt(np.maximum(variance, 0.0)), 0.0),
        zero,
        displacement,
        r_wp,
        float(np.abs(left).sum() / np.abs(observed).sum()),
        float(r_wp / expected),
        float(lines.fitted.sum() / total) if total > 0 else 0.0,
        evidence(data, fit, known.together),
        lines,
        stray_deg,
        strays,
        observed - left,
        data.base + solution.beta @ data.splines,
        _added_by_strays(known, fit),
    )


def _added_by_strays(known: Reference, fit: CellFit) -> np.ndarray:
    """What the free peaks add to the pattern (n,)."""
    solution, out = fit.fitted.solution, np.zeros(len(known.data))
    alone = np.where(solution.placed.order < len(fit.lines), 0.0, solution.height)
    add_up(solution.placed.columns, solution.values, alone, out)
    return out * known.data.sigma


def _scale(known: Reference, fit: CellFit) -> float:
    """Variance of a point in units of the uncertainties assumed, neighbours erring together."""
    residual = fit.fitted.solution.residual
    return float(known.together * (residual @ residual) / len(residual))


def _covariance(known: Reference, fit: CellFit) -> np.ndarray:
    """Covariance of the refined parameters that are not held."""
    free = np.flatnonzero(~fit.expected.fixed)
    inner = np.linalg.inv(fit.fitted.information[np.ix_(free, free)])
    out = np.zeros((fit.layout.size, fit.layout.size))
    out[np.ix_(free, free)] = inner * _scale(known, fit)
    return out


def _cell_covariance(known: Reference, fit: CellFit) -> np.ndarray:
    n = fit.layout.n_cell
    return _covariance(known, fit)[:n, :n]


def _shifts(known: Reference, fit: CellFit) -> _Shifts:
    n = fit.layout.n_cell
    where = slice(n, n + N_SHIFTS)
    return _Shifts(fit.layout.shifts(fit.fitted.p), _covariance(known, fit)[where, where])


def _intensities(known: Reference, fit: CellFit) -> tuple[LineIntensities, np.ndarray, np.ndarray]:
    """The lines' intensities, and positions (s,) and intensities (s,) of the free peaks."""
    solution, k = fit.fitted.solution, len(fit.lines)
    columns = solution.placed.columns
    unit = area_of_unit_peak(columns.fwhm, columns.eta, columns.asymmetry) * (1 + columns.ratio)
    column = np.empty(len(unit), dtype=np.int64)
    column[solution.placed.order] = np.arange(len(unit))
    area = solution.height * unit
    lines = LineIntensities(
        fit.lines.hkl,
        fit.lines.multiplicity,
        fit.lines.members,
        columns.position[column[:k]],
        area[column[:k]],
        unit[column[:k]],
        Heights.of(known.data, solution, k, _scale(known, fit)),
    )
    return lines, fit.peaks.free_deg, area[column[k:]]
