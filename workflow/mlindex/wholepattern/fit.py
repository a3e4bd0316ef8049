"""Least squares of parameters that aren't linear, heights and background found anew each time.

Variable projection in Kaufman's form (BIT 15 (1975) 49) with Levenberg's and Marquardt's damping:
derivatives by the parameters are more rows of the border, from which what the heights and the
background can do is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.wholepattern.data import Data
from mlindex.wholepattern.kernels import products, project
from mlindex.wholepattern.model import (
    Layout,
    Peaks,
    Solution,
    parameter_rows,
    place,
    solve,
)
from mlindex.wholepattern.solve import factor, forward

_TOLERANCE = 1e-4
_DAMPING, _MOST_DAMPING = 1e-3, 1e6


@dataclass(frozen=True)
class Expected:
    """What is known of the parameters (p,) beforehand: ``sigma`` is inf where nothing is, 0 where
    fixed; none goes further from its mean than ``reach``."""

    mean: np.ndarray
    sigma: np.ndarray
    reach: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """1 / sigma² (p,), 0 for fixed ones, which don't move."""
        with np.errstate(divide="ignore"):
            return np.where(self.fixed, 0.0, 1 / self.sigma**2)

    @property
    def fixed(self) -> np.ndarray:
        return self.sigma == 0

    def allows(self, p: np.ndarray) -> bool:
        return bool(np.all(np.abs(p - self.mean) <= self.reach))

    def cost(self, p: np.ndarray) -> float:
        return float(self.weight @ (p - self.mean) ** 2)


@dataclass(frozen=True)
class Fitted:
    """Parameters (p,), their solution, and the matrix (p, p) whose inverse is their covariance in
    units of the errors assumed."""

    p: np.ndarray
    solution: Solution | None
    information: np.ndarray | None
    iterations: int

    @classmethod
    def at(cls, p: np.ndarray) -> Fitted:
        """Parameters from which nothing was fitted yet."""
        return cls(p, None, None, 0)


def minimize(
    data: Data,
    peaks: Peaks,
    layout: Layout,
    expected: Expected,
    p: np.ndarray,
    blur: float = 1.0,
    most: int = 20,
) -> Fitted:
    """Fit the parameters from p on.

    Args:
        data: the points.
        peaks: lines and free peaks.
        layout: which parameter is which.
        expected: what is known of them.
        p: to start from (p,).
        blur: factor on all widths.
        most: steps at most.
    """
    passive = np.ones(len(peaks.design) + len(peaks.free_deg), dtype=bool)

    def evaluate(at: np.ndarray, like: Solution | None = None) -> Solution:
        placed = place(data, peaks, layout, at, blur)
        begin = passive
        if like is not None:
            by_peak = np.empty(len(passive), dtype=bool)
            by_peak[like.placed.order] = like.height > 0
            begin = by_peak[placed.order]
        return solve(data, placed, begin.copy(), expected.cost(at))

    solution, damping, steps = evaluate(p), _DAMPING, 0
    free = ~expected.fixed
    while True:
        information, right = normal_equations(data, solution, expected, p)
        if steps >= most:
            break
        improved = False
        while damping < _MOST_DAMPING and not improved:
            step = np.zeros(len(p))
            damped = information + damping * np.diag(np.diag(information))
            step[free] = np.linalg.solve(damped[np.ix_(free, free)], right[free])
            if np.isfinite(step).all() and expected.allows(p + step):
                trial = evaluate(p + step, solution)
                improved = trial.cost < solution.cost
            damping *= 0.1 if improved else 10.0
        steps += 1
        if not improved:
            break
        gain, p, solution = solution.cost - trial.cost, p + step, trial
        if gain < _TOLERANCE * (len(data) + solution.cost):
            information, _ = normal_equations(data, solution, expected, p)
            break
    return Fitted(p, solution, information, steps)


def normal_equations(
    data: Data, solution: Solution, expected: Expected, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (p, p) and right side (p,) of the parameters, heights and background taken off."""
    rows = parameter_rows(solution)
    border = np.vstack([data.splines / data.sigma, rows])
    chosen = np.flatnonzero(solution.height > 0)
    lower, inner, begin = factor(solution.normal, solution.first, solution.start, chosen)
    cross = np.empty((len(solution.height), len(border)))
    project(solution.placed.columns, solution.values, border, cross)
    solved = np.ascontiguousarray(cross[chosen])
    forward(lower, inner, begin, solved)
    left = products(border) - products(np.ascontiguousarray(solved.T))
    b = len(data.splines)
    left[np.arange(b), np.arange(b)] += 1 / data.spline_sigma**2
    off = np.linalg.solve(left[:b, :b], left[:b, b:])
    matrix = left[b:, b:] - left[b:, :b] @ off
    weight = expected.weight
    tiny = 1e-12 * np.maximum(np.diag(matrix), 1e-300)
    matrix[np.diag_indices_from(matrix)] += weight + tiny
    # Parameters of nothing, such as the asymmetry at 90 degrees, stay where they are.
    matrix[np.diag_indices_from(matrix)] += np.where(np.diag(matrix) < 1e-200, 1.0, 0.0)
    return matrix, rows @ solution.residual - weight * (p - expected.mean)
