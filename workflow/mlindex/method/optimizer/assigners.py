"""Miller indices for every candidate: the most probable ones and a random draw (Moreau 2.4.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlindex.crystal.cell import cell_from_reciprocal
from mlindex.crystal.lattice import LatticeSystem
from mlindex.method.optimizer.kernels import nearest_reflections
from mlindex.method.settings import Optimization

#: Probabilities (n, p, r) of cells (n, 6) in the standard setting, at a noise level.
Probabilities = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class IndexAssignment:
    """Labels of n candidates and p lines, all (n, p).

    ``best`` are the most probable reflections, ``drawn`` those that the next step fits, and
    ``kept`` the lines that it fits.
    """

    best: np.ndarray
    drawn: np.ndarray
    kept: np.ndarray

    def where(self, accepted: np.ndarray, other: IndexAssignment) -> IndexAssignment:
        """``other`` for the accepted candidates, this for the rest."""
        pairs = ((self.best, other.best), (self.drawn, other.drawn), (self.kept, other.kept))
        return IndexAssignment(*(np.where(accepted[:, None], new, old) for old, new in pairs))

    def only(self, chosen: np.ndarray) -> IndexAssignment:
        """The chosen candidates."""
        return IndexAssignment(self.best[chosen], self.drawn[chosen], self.kept[chosen])


class Assigner(Protocol):
    """Assigns reflections of the reference list to lines."""

    def assign(self, x: np.ndarray, rng: np.random.Generator) -> IndexAssignment:
        """For candidates of free reciprocal parameters x (n, f)."""
        ...


@dataclass(frozen=True)
class NearestAssigner:
    """The reflection nearest to each line.

    Subsampling keeps each line with the same probability. Resampling takes the nearest reflection
    on the other side of the line now and then: with probability near / (near + far).
    """

    design: np.ndarray
    q2_inv_A2: np.ndarray
    settings: Optimization

    def assign(self, x: np.ndarray, rng: np.random.Generator) -> IndexAssignment:
        labels, values = nearest_reflections(np.ascontiguousarray(x), self.design, self.q2_inv_A2)
        distance = np.abs(values - self.q2_inv_A2[:, None])
        side = np.argmin(distance, axis=-1)
        best = np.where(side == 0, labels[..., 0], labels[..., 1])
        uniform = rng.random(best.shape)
        if self.settings.draw == "subsampling":
            return IndexAssignment(best, best, uniform < self.settings.subsample_lines)
        near, far = distance.min(axis=-1), distance.max(axis=-1)
        with np.errstate(invalid="ignore"):
            swap = np.where(np.isfinite(far), near / (near + far), 0.0)
        other = np.where(side == 0, labels[..., 1], labels[..., 0])
        drawn = np.where((uniform < swap) & (other >= 0), other, best)
        return IndexAssignment(best, drawn, np.ones(best.shape, dtype=bool))


@dataclass(frozen=True)
class NetworkAssigner:
    """The assignment networks, one noise level drawn at random for each step.

    Subsampling keeps a line with its softmax, scaled so that the mean share of the settings is
    kept; resampling draws each reflection from the softmax.
    """

    probabilities: Probabilities
    levels: int
    system: LatticeSystem
    settings: Optimization

    def assign(self, x: np.ndarray, rng: np.random.Generator) -> IndexAssignment:
        cells = cell_from_reciprocal(x @ self.system.basis_matrix)
        softmax = self.probabilities(cells, int(rng.integers(self.levels)))
        best = np.argmax(softmax, axis=-1).astype(np.int32)
        uniform = rng.random(best.shape)
        if self.settings.draw == "subsampling":
            highest = np.take_along_axis(softmax, best[..., None], axis=-1)[..., 0]
            share = highest / highest.mean(axis=1, keepdims=True) * self.settings.subsample_lines
            return IndexAssignment(best, best, uniform < share)
        cumulative = np.cumsum(softmax, axis=-1)
        reached = cumulative >= uniform[..., None] * cumulative[..., -1:]
        drawn = np.argmax(reached, axis=-1).astype(np.int32)
        return IndexAssignment(best, drawn, np.ones(best.shape, dtype=bool))
