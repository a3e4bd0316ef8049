"""From candidate cells to ranked cells that explain a list of lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem
from mlindex.method.optimizer.assigners import (
    Assigner,
    NearestAssigner,
    NetworkAssigner,
    Probabilities,
)
from mlindex.method.optimizer.finish import Solution, finish
from mlindex.method.optimizer.steps import Problem, search
from mlindex.method.settings import Optimization


@dataclass(frozen=True)
class Optimized:
    """Ranked solutions, best M first, and what the search took."""

    solutions: tuple[Solution, ...]
    candidates: int
    iterations: int

    @property
    def cells(self) -> np.ndarray:
        """Cells (m, 6) in the standard setting."""
        return np.array([s.cell for s in self.solutions]).reshape(-1, 6)


def optimize(
    q2_inv_A2: np.ndarray,
    cells: np.ndarray,
    system: LatticeSystem,
    reference_hkl: np.ndarray,
    settings: Optimization,
    rng: np.random.Generator,
    probabilities: Probabilities | None = None,
    levels: int = 0,
    epsilon_inv_A2: np.ndarray | float | None = None,
) -> Optimized:
    """Optimize candidate cells of one lattice system against observed lines.

    Args:
        q2_inv_A2: rising q² of the lines (p,).
        cells: candidates (n, 6) in the standard setting.
        system: the lattice system.
        reference_hkl: reference reflections (r, 3), standard setting; rows of zeros mean "none".
        settings: config section ``optimization``.
        rng: random generator.
        probabilities: softmax of the assignment networks, wanted where the settings say so.
        levels: number of noise levels of the assignment networks.
        epsilon_inv_A2: error of each line's q² (or of all), in place of the settings' epsilon.
    """
    problem = _problem(q2_inv_A2, system, reference_hkl, settings, epsilon_inv_A2)
    assigner: Assigner
    if settings.assignment == "network" and probabilities is not None:
        assigner = NetworkAssigner(probabilities, levels, system, settings)
    else:
        real = np.any(np.asarray(reference_hkl) != 0, axis=1)
        # Labels must stay rows of the whole design, so rows of zeros are put out of reach.
        reachable = np.where(real[:, None], problem.design, np.inf)
        assigner = NearestAssigner(reachable, problem.q2_inv_A2, settings)
    x = reciprocal_from_cell(_scaled(cells, settings.volume_scales))[..., list(system.pick)]
    found = search(problem, x[np.all(np.isfinite(x), axis=1)], assigner, rng)
    return Optimized(tuple(finish(problem, found)), found.candidates, found.iterations)


def _problem(
    q2_inv_A2: np.ndarray,
    system: LatticeSystem,
    reference_hkl: np.ndarray,
    settings: Optimization,
    epsilon_inv_A2: np.ndarray | float | None,
) -> Problem:
    q2 = np.ascontiguousarray(q2_inv_A2, dtype=float)
    epsilon = settings.epsilon_q2 if epsilon_inv_A2 is None else epsilon_inv_A2
    return Problem(
        q2,
        np.broadcast_to(np.asarray(epsilon, dtype=float), q2.shape),
        system,
        np.ascontiguousarray(system.design_matrix(reference_hkl)),
        settings,
    )


def _scaled(cells: np.ndarray, volume_scales: tuple[float, ...]) -> np.ndarray:
    cells = np.asarray(cells, dtype=float).reshape(-1, 6)
    factors = [np.array([scale ** (1 / 3)] * 3 + [1.0] * 3) for scale in volume_scales]
    return np.concatenate([cells * factor for factor in factors])
