"""Peaks that the lines of a fit leave, as a list to index: those that hide in overlaps, too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.patterns.peaklist import PeakList
from mlindex.wholepattern.candidate import CellFit, positions, refit
from mlindex.wholepattern.data import Data
from mlindex.wholepattern.kernels import BY_POSITION, Columns
from mlindex.wholepattern.model import Peaks
from mlindex.wholepattern.reference import Reference, reach
from mlindex.wholepattern.strays import unexplained
from mlindex.wholepattern.summary import areas

#: Free peaks are chosen and moved so often, with so many steps of all else.
_CHOICES, _ROUNDS, _STEPS = 3, 3, 2
#: A peak takes so much off chi² that it is four standard uncertainties high: a search knows of
#: impurities, so it can do with weaker ones than the evidence of a cell.
_LEAST_GAIN, _SIGNIFICANT = 16.0, 4.0
#: A free peak moves by no more than this share of its width in one round.
_FARTHEST_FWHM = 0.3
#: Positions are not known better than to this share of a width: profiles never fit quite.
_LEAST_ERROR_FWHM = 0.03
_RIDGE = 1e-6


def leftover(known: Reference, fit: CellFit, name: str) -> PeakList:
    """The free peaks of a fit at their best positions, as a peak list.

    Args:
        known: the points.
        fit: the fit of one or more cells.
        name: of the list.
    """
    data, scale = known.data, np.sqrt(known.together)
    fit = _completed(known, fit)
    for _ in range(_ROUNDS):
        step = _Step.of(data, fit).deg
        if np.any(step):
            fit = _moved(known, fit, np.sort(fit.peaks.free_deg + step))
    step, solution = _Step.of(data, fit), fit.fitted.solution
    fwhm = solution.placed.columns.fwhm[_free(fit)]
    kept = step.significance > _SIGNIFICANT * scale
    area, _ = areas(fit)
    return PeakList(
        name,
        q2_from_two_theta(fit.peaks.free_deg, data.radiation.first_A)[kept],
        area[fit.n_lines :][kept],
        data.radiation.first_A,
        two_theta_error_deg=np.hypot(step.error_deg * scale, _LEAST_ERROR_FWHM * fwhm)[kept],
        fwhm_deg=fwhm[kept],
    )


def _free(fit: CellFit) -> np.ndarray:
    """The columns (s,) of the free peaks; both rise by position."""
    return np.flatnonzero(fit.fitted.solution.placed.order >= fit.n_lines)


def _completed(known: Reference, fit: CellFit) -> CellFit:
    """The fit with weaker free peaks than one that weighs cells."""
    least = _LEAST_GAIN * known.together
    for _ in range(_CHOICES):
        had = fit.peaks.free_deg
        new = unexplained(known.data, fit.fitted.solution, fit.layout, fit.fitted.p, least, had)
        if not len(new):
            break
        fit = _moved(known, fit, np.sort(np.concatenate([had, new])))
    return fit


def _moved(known: Reference, fit: CellFit, free_deg: np.ndarray) -> CellFit:
    """The fit with its free peaks elsewhere."""
    design = fit.peaks.design
    at = positions(known.data, design, fit.layout, fit.fitted.p)
    far = reach(known.data, np.concatenate([at, free_deg]), fit.fitted.p, fit.layout)
    return refit(known.data, replace(fit, peaks=Peaks(design, free_deg, far)), _STEPS)


@dataclass(frozen=True)
class _Step:
    """How far each free peak (s,) is to move, in degrees, the standard uncertainties of that, and
    heights over theirs."""

    deg: np.ndarray
    error_deg: np.ndarray
    significance: np.ndarray

    @classmethod
    def of(cls, data: Data, fit: CellFit) -> _Step:
        """The best step to first order: all heights and the background go with it."""
        solution, free = fit.fitted.solution, _free(fit)
        columns, height = solution.placed.columns, solution.height
        free = free[height[free] > 0]
        there = np.flatnonzero(height > 0)
        heights = _rows(columns, solution.values, there, len(data))
        places = _rows(columns, solution.slopes[BY_POSITION], free, len(data))
        matrix = np.vstack([heights, height[free, None] * places, data.splines / data.sigma])
        normal = matrix @ matrix.T
        normal[np.diag_indices_from(normal)] *= 1 + _RIDGE
        b, m, s = len(data.splines), len(there), len(free)
        normal[-b:, -b:] += np.eye(b) / data.spline_sigma**2
        inverse = np.linalg.pinv(normal, hermitian=True)
        best = (inverse @ (matrix @ solution.residual))[m : m + s]
        error = np.sqrt(np.maximum(np.diagonal(inverse), 0.0))
        far = _FARTHEST_FWHM * columns.fwhm[free]
        every = _free(fit)
        out = np.zeros((3, len(every)))
        error_of_height = np.maximum(error[np.searchsorted(there, free)], np.finfo(float).tiny)
        out[:, np.searchsorted(every, free)] = (
            np.clip(best, -far, far),
            error[m : m + s],
            height[free] / error_of_height,
        )
        return cls(*out)


def _rows(columns: Columns, values: np.ndarray, which: np.ndarray, n: int) -> np.ndarray:
    """Some columns (m,) as rows (m, n) over all points."""
    out = np.zeros((len(which), n))
    for row, k in zip(out, which, strict=True):
        row[columns.low[k] : columns.high[k]] = values[columns.offset[k] : columns.offset[k + 1]]
    return out
