"""Rows of spaces of which constraints leave little: a walk through the polytope of the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import linprog

from mlindex.campaigns.space.allowed import Bound
from mlindex.campaigns.space.axes import Number

if TYPE_CHECKING:
    from mlindex.campaigns.space.space import Space

#: Steps between two rows that are kept, and walks before giving up on rows that can be set.
_STEPS, _MOST = 8, 40


@dataclass(frozen=True)
class Narrow:
    """A polytope ``matrix x <= bounds`` of the axes that are numbers, and a point inside it.

    ``free`` (axes, k) spans what may change without changing a sum.
    """

    matrix: np.ndarray
    bounds: np.ndarray
    free: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, space: Space) -> Narrow | None:
        """The polytope of a space; None where it is empty, or nothing in it is a number."""
        numbers = np.array([isinstance(axis, Number) for axis in space.axes])
        if not numbers.any():
            return None
        ends = [(a.low, a.high) if isinstance(a, Number) else (0.0, 0.0) for a in space.axes]
        rules = [rule for rule in space.rules if isinstance(rule, Bound)]
        rows = [(rule.weights, rule.high) for rule in rules if np.isfinite(rule.high)]
        rows += [(-rule.weights, -rule.low) for rule in rules if np.isfinite(rule.low)]
        sums = np.zeros((len(space.sums), len(space.axes)))
        for n, one in enumerate(space.sums):
            sums[n, one.parts] = 1
        start = _inside(rows, sums, np.array([one.total for one in space.sums]), ends)
        if start is None:
            return None
        eye = np.eye(len(space.axes))
        matrix = np.array([*(weights for weights, _ in rows), *eye, *-eye])
        bounds = np.array([*(b for _, b in rows), *(h for _, h in ends), *(-l for l, _ in ends)])
        fixed = np.vstack([sums, eye[~numbers]])
        free = null_space(fixed) if len(fixed) else eye
        return cls(matrix, bounds, free, start)

    def walk(self, space: Space, count: int, rng: np.random.Generator) -> np.ndarray:
        """Allowed rows (at most count, axes) on a random walk (hit and run)."""
        found: dict[bytes, np.ndarray] = {}
        at = np.tile(self.start, (min(256, 4 * count), 1))
        for _ in range(_MOST):
            for _ in range(_STEPS):
                at = self._step(at, rng)
            rows = self._settable(space, at, rng)
            rows = rows[space.allowed(rows)]
            for key, row in zip(space.keys(rows), rows, strict=True):
                found.setdefault(key, row)
            if len(found) >= count:
                break
        rows = list(found.values())[:count]
        return np.array(rows) if rows else np.empty((0, len(space.axes)))

    def _step(self, at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not self.free.shape[1]:
            return at
        way = rng.standard_normal((len(at), self.free.shape[1])) @ self.free.T
        slope, room = way @ self.matrix.T, self.bounds - at @ self.matrix.T
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = room / slope
        ahead = np.where(slope > 1e-12, reach, np.inf).min(axis=1)
        behind = np.where(slope < -1e-12, reach, -np.inf).max(axis=1)
        ahead = np.where(np.isfinite(ahead), np.maximum(ahead, 0), 0)
        behind = np.where(np.isfinite(behind), np.minimum(behind, 0), 0)
        share = rng.random(len(at))
        return at + (behind + share * (ahead - behind))[:, None] * way

    def _settable(self, space: Space, at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        rows = at.copy()
        for n, axis in enumerate(space.axes):
            if isinstance(axis, Number):
                rows[:, n] = axis.snapped(at[:, n])
            else:
                rows[:, n] = axis.from_unit(rng.random(len(at)))
        for one in space.sums:
            parts = np.clip(at[:, one.parts] - one.low, 0, None)
            rows[:, one.parts] = one.rounded(parts)
        return rows


def _inside(rows: list, sums: np.ndarray, totals: np.ndarray, ends: list) -> np.ndarray | None:
    """A point well inside: the mean of corners in the directions of the axes."""
    matrix = np.array([weights for weights, _ in rows]) if rows else None
    bounds = np.array([bound for _, bound in rows]) if rows else None
    equal = {"A_eq": sums, "b_eq": totals} if len(sums) else {}
    corners = []
    for n in range(len(ends)):
        for sign in (1.0, -1.0):
            towards = np.zeros(len(ends))
            towards[n] = sign
            found = linprog(towards, A_ub=matrix, b_ub=bounds, bounds=ends, **equal)
            if found.status == 2:
                return None
            if found.x is not None:
                corners.append(found.x)
    return np.mean(corners, axis=0) if corners else None
