"""The model of a pattern: lines of a cell, peaks of nobody, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import q2_per_radian, two_theta_from_q2
from mlindex.wholepattern.data import Data
from mlindex.wholepattern.kernels import (
    BY_POSITION,
    KINDS,
    Columns,
    add_up,
    derivative_rows,
    fill,
    normal_rows,
    overlaps,
    project,
)
from mlindex.wholepattern.shape import KINDS_OF_SHAPE, N_SHAPE, Angles, ShapeAt
from mlindex.wholepattern.solve import nonnegative

#: Shift of all peaks and sample displacement, in degrees.
N_SHIFTS = 2
#: How much of a peak tells whether it is there, in widths on each side.
_CORE_FWHM = 1.0


@dataclass(frozen=True)
class Peaks:
    """Peaks to fit: lines (k,) of a cell, and free ones (s,) at fixed positions.

    Attributes:
        design: (k, p) of q² = design · x with the free reciprocal parameters x (p,) in 1/A².
        free_deg: observed positions (s,) in degrees.
        reach_fwhm: how far lines and free peaks (k + s,) are followed, in widths.
    """

    design: np.ndarray
    free_deg: np.ndarray
    reach_fwhm: np.ndarray

    @classmethod
    def none(cls, layout: Layout) -> Peaks:
        """No peak at all, of a cell with that layout."""
        return cls(np.empty((0, layout.n_cell)), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Layout:
    """Where the refined parameters are: cell (p,), zero shift, displacement, shape (6,)."""

    n_cell: int
    angles: Angles

    @property
    def size(self) -> int:
        return self.n_cell + N_SHIFTS + N_SHAPE

    def cell(self, p: np.ndarray) -> np.ndarray:
        return p[: self.n_cell]

    def shifts(self, p: np.ndarray) -> np.ndarray:
        return p[self.n_cell : self.n_cell + N_SHIFTS]

    def shape(self, p: np.ndarray) -> np.ndarray:
        return p[self.n_cell + N_SHIFTS :]

    @property
    def kinds(self) -> np.ndarray:
        """What of a peak each parameter changes."""
        return np.concatenate([np.full(self.n_cell + N_SHIFTS, BY_POSITION), KINDS_OF_SHAPE])


@dataclass(frozen=True)
class Placed:
    """All peaks by rising position, with how the parameters (p,) change them."""

    columns: Columns
    order: np.ndarray
    kinds: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True)
class Solution:
    """The best heights and background for given parameters.

    Attributes:
        placed: the peaks.
        values, slopes: of the columns, see :func:`kernels.fill`.
        normal, first, start: normal matrix of the columns.
        height: of the peaks in the order of the columns (m,).
        beta: corrections of the background (b,).
        residual: (observed - calculated) / sigma (n,).
        cost: its sum of squares, with what was expected of the parameters and the background.
    """

    placed: Placed
    values: np.ndarray
    slopes: np.ndarray
    normal: np.ndarray
    first: np.ndarray
    start: np.ndarray
    height: np.ndarray
    beta: np.ndarray
    residual: np.ndarray
    cost: float


def place(data: Data, peaks: Peaks, layout: Layout, p: np.ndarray, blur: float) -> Placed:
    """Where the peaks are for parameters p, and how wide."""
    k, s = len(peaks.design), len(peaks.free_deg)
    zero, displacement = layout.shifts(p)
    wavelength = data.radiation.first_A
    q2 = peaks.design @ layout.cell(p)
    true = two_theta_from_q2(np.maximum(q2, 1e-12), wavelength, at_most_180=True)
    cosine = np.cos(np.radians(true) / 2)
    position = np.concatenate([true + zero + displacement * cosine, peaks.free_deg])
    split = data.radiation.split(np.concatenate([true, peaks.free_deg]))
    shape = layout.angles.shape(layout.shape(p), position, blur)
    factor = np.zeros((layout.size, k + s))
    per_q2 = 1 / np.maximum(np.radians(q2_per_radian(np.radians(true), wavelength)), 1e-9)
    factor[: layout.n_cell, :k] = peaks.design.T * per_q2
    factor[layout.n_cell, :k] = 1.0
    factor[layout.n_cell + 1, :k] = cosine
    factor[layout.n_cell + N_SHIFTS :] = shape.factor
    order = np.argsort(position, kind="stable")
    columns = _columns(data, position[order], split[order], shape, order, peaks.reach_fwhm[order])
    return Placed(columns, order, layout.kinds, np.ascontiguousarray(factor[:, order]))


def columns_at(data: Data, layout: Layout, p: np.ndarray, at_deg: np.ndarray) -> Columns:
    """Columns of free peaks (m,) at rising positions, as far as their cores reach."""
    shape = layout.angles.shape(layout.shape(p), at_deg, 1.0)
    every = np.arange(len(at_deg))
    near = np.full(len(at_deg), _CORE_FWHM)
    return _columns(data, at_deg, data.radiation.split(at_deg), shape, every, near)


def _columns(
    data: Data,
    position: np.ndarray,
    split: np.ndarray,
    shape: ShapeAt,
    order: np.ndarray,
    reach_fwhm: np.ndarray,
) -> Columns:
    """Columns at rising positions; ``order`` puts the shape into that order."""
    fwhm, eta, asymmetry = (a[order] for a in (shape.fwhm, shape.eta, shape.asymmetry))
    reach = reach_fwhm * fwhm * np.exp(np.abs(asymmetry))
    low = np.searchsorted(data.x, position - reach)
    high = np.searchsorted(data.x, position + split + reach)
    offset = np.concatenate([[0], np.cumsum(high - low)])
    return Columns(position, fwhm, eta, asymmetry, split, data.radiation.ratio, low, high, offset)


def solve(data: Data, placed: Placed, passive: np.ndarray, prior_cost: float) -> Solution:
    """Best heights and background for peaks where they are.

    Args:
        data: the points.
        placed: the peaks (m,).
        passive: which are expected above 0 (m,); holds those that are, afterwards.
        prior_cost: what the parameters add to the cost.
    """
    columns = placed.columns
    weight = 1 / data.sigma
    values, slopes = np.empty(columns.offset[-1]), np.empty((KINDS, columns.offset[-1]))
    fill(data.x, weight, columns, values, slopes)
    first, start = overlaps(columns)
    normal = normal_rows(columns, values, first, start)
    rows, gram = data.border
    border, target = rows[:-1], rows[-1]
    cross = np.empty((len(columns.low), len(rows)))
    project(columns, values, rows, cross)
    ridge = 1 / data.spline_sigma**2
    matrix = gram[:-1, :-1] + ridge * np.eye(len(border))
    height, beta = nonnegative(
        normal,
        first,
        start,
        np.ascontiguousarray(cross[:, -1]),
        np.ascontiguousarray(cross[:, :-1]),
        matrix,
        np.ascontiguousarray(gram[-1, :-1]),
        passive,
    )
    calculated = beta @ border
    add_up(columns, values, height, calculated)
    residual = target - calculated
    cost = float(residual @ residual + ridge * beta @ beta + prior_cost)
    return Solution(placed, values, slopes, normal, first, start, height, beta, residual, cost)


def parameter_rows(solution: Solution) -> np.ndarray:
    """Derivatives (p, n) of the weighted pattern by the parameters, heights kept."""
    placed = solution.placed
    rows = np.empty((len(placed.kinds), len(solution.residual)))
    derivative_rows(
        placed.columns, solution.slopes, solution.height, placed.kinds, placed.factor, rows
    )
    return rows
