"""Heights of the lines with their overlaps: what the pattern knows of each and of their sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlindex.wholepattern.data import Data
from mlindex.wholepattern.kernels import products, project
from mlindex.wholepattern.model import Solution
from mlindex.wholepattern.solve import RIDGE

#: Share of the best known line's information that the least known one has.
_UNSEEN = 1e-9


@dataclass(frozen=True)
class Heights:
    """The normal equations of all peaks (m,), and of the background's corrections (b,).

    Attributes:
        normal, first, start: normal matrix by rows, see :func:`kernels.overlaps`.
        right: right side (m,).
        cross, border, right_border: the same of the background, (m, b), (b, b), (b,).
        lines: which of the peaks are the lines, in their order (k,).
        variance: of a point, in units of the uncertainties assumed.
    """

    normal: np.ndarray
    first: np.ndarray
    start: np.ndarray
    right: np.ndarray
    cross: np.ndarray
    border: np.ndarray
    right_border: np.ndarray
    lines: np.ndarray
    variance: float

    @classmethod
    def of(cls, data: Data, solution: Solution, n_lines: int, variance: float) -> Heights:
        """The equations of a solution whose first peaks are the lines."""
        rows = np.vstack([data.splines, data.y[None]]) / data.sigma
        cross = np.empty((len(solution.height), len(rows)))
        project(solution.placed.columns, solution.values, rows, cross)
        gram = products(rows)
        border = gram[:-1, :-1] + np.eye(len(rows) - 1) / data.spline_sigma**2
        column = np.empty(len(solution.height), dtype=np.int64)
        column[solution.placed.order] = np.arange(len(column))
        return cls(
            solution.normal,
            solution.first,
            solution.start,
            cross[:, -1],
            cross[:, :-1],
            border,
            gram[-1, :-1],
            column[:n_lines],
            variance,
        )

    @cached_property
    def _inverse(self) -> np.ndarray:
        """Inverse (m, m) of the peaks' normal matrix, the background taken off."""
        size = len(self.first)
        matrix = np.zeros((size, size))
        for k in range(size):
            matrix[k, self.first[k] : k + 1] = self.normal[self.start[k] : self.start[k + 1]]
        matrix += np.tril(matrix, -1).T
        matrix -= self.cross @ np.linalg.solve(self.border, self.cross.T)
        diagonal = np.diagonal(matrix)
        # Of lines beyond the ends of the pattern next to nothing is known, but not nothing.
        ridge = RIDGE * np.maximum(diagonal, _UNSEEN * diagonal.max())
        return np.linalg.inv(matrix + np.diag(ridge))

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance (k, k) of the lines' heights."""
        return self.variance * self._inverse[np.ix_(self.lines, self.lines)]

    @cached_property
    def unbounded(self) -> np.ndarray:
        """The lines' heights (k,) by least squares without limits."""
        right = self.right - self.cross @ np.linalg.solve(self.border, self.right_border)
        return (self._inverse @ right)[self.lines]
