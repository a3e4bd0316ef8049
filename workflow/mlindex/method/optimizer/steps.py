"""The search: random Gauss-Newton steps from many candidates at once (Moreau 2.4.3, 2.4.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.cell import cell_from_reciprocal
from mlindex.crystal.lattice import LatticeSystem
from mlindex.method.optimizer.assigners import Assigner, IndexAssignment
from mlindex.method.optimizer.kernels import least_squares, lines_below
from mlindex.method.optimizer.likelihood import (
    explaining_threshold,
    geometric_merit,
    negative_log_likelihood,
    negative_log_posterior,
    variance,
)
from mlindex.method.settings import Optimization


@dataclass(frozen=True)
class Problem:
    """The lines to explain and what explaining means: q² rising (p,), epsilon (p,), in 1/A²."""

    q2_inv_A2: np.ndarray
    epsilon_inv_A2: np.ndarray
    system: LatticeSystem
    design: np.ndarray
    settings: Optimization

    @property
    def threshold(self) -> float:
        """Negative log-likelihood of an explaining cell."""
        return explaining_threshold(
            self.q2_inv_A2, self.epsilon_inv_A2, self.settings.explain_factor
        )

    @property
    def floor_inv_A2(self) -> float:
        """Least mean discrepancy that a figure of merit is given: the mean error of a line."""
        return float(np.mean(self.epsilon_inv_A2))

    def possible(self, x: np.ndarray) -> np.ndarray:
        """Whether x (n, f) is a cell with angles in range and axes within the bounds: bool (n,)."""
        lengths = cell_from_reciprocal(x @ self.system.basis_matrix)[:, :3]
        low, high = self.settings.min_length_A, self.settings.max_length_A
        return np.all((lengths >= low) & (lengths <= high), axis=1)


@dataclass(frozen=True)
class CandidatePool:
    """Candidates and the best that each has been.

    ``x`` (n, f); ``nll`` (n,) of eq. 30; ``target`` (n,), what the search makes small: nll with the
    weight of the assignment.
    """

    x: np.ndarray
    assignment: IndexAssignment
    nll: np.ndarray
    target: np.ndarray
    best_x: np.ndarray
    best_nll: np.ndarray
    best_target: np.ndarray

    def only(self, chosen: np.ndarray) -> CandidatePool:
        """The chosen candidates."""
        return CandidatePool(
            self.x[chosen],
            self.assignment.only(chosen),
            self.nll[chosen],
            self.target[chosen],
            self.best_x[chosen],
            self.best_nll[chosen],
            self.best_target[chosen],
        )


@dataclass(frozen=True)
class Found:
    """What a search ends with: free reciprocal parameters x (m, f), best first, and nll (m,)."""

    x: np.ndarray
    nll: np.ndarray
    candidates: int
    iterations: int


def search(problem: Problem, x: np.ndarray, assigner: Assigner, rng: np.random.Generator) -> Found:
    """Optimize candidates x (n, f) until enough explain the lines or the iterations are spent."""
    x = np.ascontiguousarray(x[problem.possible(x)])
    if not len(x):
        return Found(x, np.empty(0), 0, 0)
    pool = _start(problem, x, assigner, rng)
    explainers: list[CandidatePool] = []
    iteration = 0
    for _ in range(problem.settings.iterations):
        iteration += 1
        pool = _step(problem, pool, assigner, rng)
        done = _explains(problem, pool)
        if done.any():
            explainers.append(pool.only(done))
        pool = pool.only(~done & ~_outlier(pool.target, problem.settings.outlier_sigmas))
        if not len(pool.x) or sum(len(e.x) for e in explainers) >= problem.settings.explainers:
            break
    found_x = np.concatenate([*(e.x for e in explainers), pool.best_x])
    found_nll = np.concatenate([*(e.nll for e in explainers), pool.best_nll])
    targets = np.concatenate([*(e.target for e in explainers), pool.best_target])
    order = np.argsort(targets, kind="stable")
    return Found(found_x[order], found_nll[order], len(x), iteration)


def _start(
    problem: Problem, x: np.ndarray, assigner: Assigner, rng: np.random.Generator
) -> CandidatePool:
    assignment = assigner.assign(x, rng)
    nll, target = _evaluate(problem, x, assignment)
    return CandidatePool(x, assignment, nll, target, x, nll, target)


def _step(
    problem: Problem, pool: CandidatePool, assigner: Assigner, rng: np.random.Generator
) -> CandidatePool:
    discrepancy = _discrepancy(problem, pool.x, pool.assignment.drawn)
    sigma2 = variance(discrepancy, problem.q2_inv_A2, problem.epsilon_inv_A2)
    # q² is linear in x: the Gauss-Newton step of eq. 33 is one weighted least-squares solution.
    proposed = least_squares(
        pool.x,
        problem.design,
        pool.assignment.drawn,
        problem.q2_inv_A2,
        pool.assignment.kept / sigma2,
    )
    possible = problem.possible(proposed)
    proposed = np.where(possible[:, None], proposed, pool.x)
    assignment = assigner.assign(proposed, rng)
    nll, target = _evaluate(problem, proposed, assignment)
    exponent = (pool.target - target) / problem.settings.temperature
    accepted = rng.random(len(nll)) < np.exp(np.minimum(exponent, 0.0))
    # A step that stays where it is still brings a fresh draw of lines.
    accepted |= ~possible
    moved = replace(
        pool,
        x=np.where(accepted[:, None], proposed, pool.x),
        assignment=_redrawn(pool.assignment, assignment, accepted),
        nll=np.where(accepted, nll, pool.nll),
        target=np.where(accepted, target, pool.target),
    )
    better = moved.target < pool.best_target
    return replace(
        moved,
        best_x=np.where(better[:, None], moved.x, pool.best_x),
        best_nll=np.where(better, moved.nll, pool.best_nll),
        best_target=np.where(better, moved.target, pool.best_target),
    )


def _redrawn(old: IndexAssignment, new: IndexAssignment, accepted: np.ndarray) -> IndexAssignment:
    # A rejected candidate keeps its indices but not its subset, or it would repeat the step.
    return replace(old.where(accepted, new), kept=new.kept)


def _discrepancy(problem: Problem, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    calculated = np.einsum("npf,nf->np", problem.design[labels], x)
    return problem.q2_inv_A2 - calculated


def _evaluate(
    problem: Problem, x: np.ndarray, assignment: IndexAssignment
) -> tuple[np.ndarray, np.ndarray]:
    discrepancy = _discrepancy(problem, x, assignment.best)
    nll = negative_log_likelihood(discrepancy, problem.q2_inv_A2, problem.epsilon_inv_A2)
    lines = lines_below(x, problem.design, problem.q2_inv_A2[-1])
    return nll, negative_log_posterior(nll, len(problem.q2_inv_A2), lines)


def _explains(problem: Problem, pool: CandidatePool) -> np.ndarray:
    # A large cell has a line near every observed one; it explains nothing.
    fits = pool.nll < problem.threshold
    merits = geometric_merit(pool.target, problem.q2_inv_A2)
    return fits & (merits >= problem.settings.explain_merit)


def _outlier(target: np.ndarray, sigmas: float) -> np.ndarray:
    return target > np.median(target) + sigmas * np.std(target)
