"""How many entries to augment from each parent, and their perturbed cells (Moreau 2.1.5).

Cells are perturbed in the space of the scaled free parameters of the reindexed cell. All three
ways to do so draw independent normal components along some directions; they differ in the
directions and in the standard deviations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.crystal.cell import cell_volume
from mlindex.crystal.lattice import ANGLES, LatticeSystem
from mlindex.crystal.reindexed import reindexed_from_free
from mlindex.method.lattices import defaults_of
from mlindex.method.scaling import Scaling

#: Draws of a cell until it is valid; after that the augmented entry is given up for this round.
CELL_ATTEMPTS = 20


def allocate(
    symbols: pd.Series, total: int, max_per_parent: int, rng: np.random.Generator
) -> np.ndarray:
    """Number of augmented entries of each parent, rarer symbols first.

    Symbols are filled up to one common number of entries, originals included, as far as
    ``max_per_parent`` lets them; what a full level would exceed goes one by one to the rarest
    symbols. The parents of a symbol share alike, an odd remainder by lot.

    Args:
        symbols: Hermann-Mauguin symbol of each parent.
        total: augmented entries wanted; fewer where ``max_per_parent`` does not allow them.

    Returns:
        Counts, (n,), with sum min(total, n max_per_parent).
    """
    names, inverse, sizes = np.unique(
        symbols.to_numpy(dtype=str), return_inverse=True, return_counts=True
    )
    shares = _fill(sizes, max_per_parent * sizes, total)
    counts = np.zeros(len(symbols), dtype=np.int64)
    for number in range(len(names)):
        parents = rng.permutation(np.flatnonzero(inverse == number))
        each, extra = divmod(int(shares[number]), len(parents))
        counts[parents] = each
        counts[parents[:extra]] += 1
    return counts


def _fill(sizes: np.ndarray, capacity: np.ndarray, total: int) -> np.ndarray:
    def added(level: int) -> np.ndarray:
        return np.clip(level - sizes, 0, capacity)

    if total >= capacity.sum():
        return capacity
    low, high = 0, int((sizes + capacity).max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        if added(middle).sum() <= total:
            low = middle
        else:
            high = middle - 1
    shares = added(low)
    rest = total - int(shares.sum())
    open_ = np.flatnonzero(added(low + 1) > shares)
    rarest = open_[np.argsort(sizes[open_], kind="stable")][:rest]
    shares[rarest] += 1
    return shares


def reindexed_cells(free: np.ndarray, unique_axes: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """Reindexed cells (n, 6) from free parameters (n, n_free), each with its unique axis."""
    cells = np.empty((len(free), 6))
    for axis in np.unique(unique_axes):
        rows = unique_axes == axis
        cells[rows] = reindexed_from_free(free[rows], system, str(axis))
    return cells


@dataclass(frozen=True)
class Perturbation:
    """A way to perturb cells of one lattice system, fitted on its training entries.

    Attributes:
        directions: one direction in scaled space in each row, (n_free, n_free).
        steps: standard deviation along each, (n_free,).
        low, high: range of each free parameter (A, degrees) in training, (n_free,).
    """

    system: LatticeSystem
    scaling: Scaling
    directions: np.ndarray
    steps: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def fit(
        cls, free: np.ndarray, system: LatticeSystem, scaling: Scaling, scale: float
    ) -> Perturbation:
        """From the free parameters (n, n_free) of the training entries.

        With no more entries than free parameters, where covariance and SVD mean nothing, every
        scaled parameter is perturbed on its own.
        """
        scaled = scaling.free(free, system)
        method = defaults_of(system).perturbation if len(free) > system.n_free else "random"
        directions, spread = _METHODS[method](scaled)
        low, high = free.min(axis=0), free.max(axis=0)
        return cls(system, scaling, directions, scale * spread, low, high)

    def draw(self, free: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Perturbed free parameters (n, n_free) and whether a valid one was found (n,).

        A cell that is not valid is drawn again, ``CELL_ATTEMPTS`` times in all.
        """
        scaled = self.scaling.free(free, self.system)
        drawn, valid = free.copy(), np.zeros(len(free), dtype=bool)
        for _ in range(CELL_ATTEMPTS):
            rows = np.flatnonzero(~valid)
            if not len(rows):
                break
            noise = rng.standard_normal((len(rows), self.system.n_free)) * self.steps
            moved = self.scaling.free_inverse(scaled[rows] + noise @ self.directions, self.system)
            drawn[rows] = moved
            valid[rows] = self.valid(moved, free[rows])
        return drawn, valid

    def valid(self, free: np.ndarray, parent: np.ndarray) -> np.ndarray:
        """Whether perturbed cells (n, n_free) of these parents are cells of this system, (n,).

        Lengths are at least the shortest in training, angles within its range (both widened to
        take in the parent), the volume is positive; where reindexing sorts the axes, they stay
        sorted and angles stay acute or obtuse, or another cell of the lattice is the reduced one.
        """
        angles = np.array([name in ANGLES for name in self.system.free_parameters])
        high = np.where(angles, np.maximum(self.high, parent), np.inf)
        inside = np.all((free >= np.minimum(self.low, parent)) & (free <= high), axis=1)
        positive = np.all(free > 0, axis=1) & inside
        positive[positive] = cell_volume(self.system.cell_from_free(free[positive])) > 0
        if not self.system.sorts_axes:
            return positive
        side = (free[:, angles] - 90.0) * (parent[:, angles] - 90.0) >= 0
        return positive & np.all(np.diff(free[:, :3], axis=1) >= 0, axis=1) & side.all(axis=1)


def _random(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.eye(scaled.shape[1]), np.ones(scaled.shape[1])


def _covariance(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # A multivariate normal is independent along the eigenvectors of its covariance.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(scaled, rowvar=False)))
    return vectors.T, np.sqrt(np.maximum(values, 0.0))


def _svd(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    directions = np.linalg.svd(scaled, full_matrices=False)[2]
    return directions, (scaled @ directions.T).std(axis=0)


_METHODS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "random": _random,
    "covariance": _covariance,
    "svd": _svd,
}
