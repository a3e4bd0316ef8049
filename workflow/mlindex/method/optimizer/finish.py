"""The best candidates refined on all their reflections, given a Bravais lattice and ranked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_from_reciprocal, cell_volume
from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.lattice import BravaisLattice, bravais_of
from mlindex.crystal.standard import standard_cell
from mlindex.crystal.tolerances import ONE_CANDIDATE
from mlindex.indexing.merit import Merit, merit
from mlindex.method.optimizer.steps import Found, Problem

_REFINEMENTS = 3


@dataclass(frozen=True)
class Solution:
    """One cell in the standard setting, with its Bravais lattice and how it explains p lines."""

    cell: np.ndarray
    bravais: str
    centring: str
    merit: Merit
    indexed: np.ndarray
    nll: float

    @property
    def n_indexed(self) -> int:
        """Lines within the error of a calculated one."""
        return int(self.indexed.sum())

    @property
    def volume_A3(self) -> float:
        """Volume of the cell in A³."""
        return float(cell_volume(self.cell))

    @property
    def lattice(self) -> Lattice:
        """The lattice, for comparisons."""
        return lattice_of(self.cell, self.centring)


def finish(problem: Problem, found: Found) -> list[Solution]:
    """Ranked solutions, best M first, each lattice once."""
    solutions = [
        solution
        for x, nll in zip(
            found.x[: problem.settings.finalists],
            found.nll[: problem.settings.finalists],
            strict=True,
        )
        if (solution := _best_solution(problem, x, float(nll))) is not None
    ]
    return without_duplicates(solutions)


def without_duplicates(solutions: list[Solution]) -> list[Solution]:
    """Solutions by falling M, the first of each lattice."""
    kept: list[Solution] = []
    for solution in sorted(solutions, key=lambda s: -s.merit.m):
        lattice = solution.lattice
        if not any(same(lattice, other.lattice, *ONE_CANDIDATE) for other in kept):
            kept.append(solution)
    return kept


def _best_solution(problem: Problem, x: np.ndarray, nll: float) -> Solution | None:
    cell = cell_from_reciprocal(x @ problem.system.basis_matrix)
    best = _best(list(_with_each_centring(problem, cell, nll)))
    while best is not None:
        smaller = [
            solution
            for subcell in _subcells(problem, best.cell)
            for solution in _with_each_centring(problem, subcell, nll)
            if solution.n_indexed >= best.n_indexed and solution.merit.m > best.merit.m
        ]
        if not smaller:
            break
        best = _best(smaller)
    return best


def _best(solutions: list[Solution]) -> Solution | None:
    if not solutions:
        return None
    # Centring halves the calculated lines, so it must not cost an observed one.
    most = max(s.n_indexed for s in solutions)
    return max((s for s in solutions if s.n_indexed == most), key=lambda s: s.merit.m)


def _with_each_centring(problem: Problem, cell: np.ndarray, nll: float) -> Iterator[Solution]:
    cell = standard_cell(cell, problem.system)
    for bravais in bravais_of(problem.system.name):
        for centring in bravais.centrings:
            try:
                yield _refined(problem, cell, bravais, centring, nll)
            except ValueError:
                # Too many reflections: no figure of merit would tell such a cell from chance.
                continue


def _refined(
    problem: Problem, cell: np.ndarray, bravais: BravaisLattice, centring: str, nll: float
) -> Solution:
    best = _scored(problem, cell, bravais, centring, nll)
    for _ in range(_REFINEMENTS):
        refined = _least_squares_cell(problem, best)
        if refined is None:
            break
        trial = _scored(problem, refined, bravais, centring, nll)
        if not trial.merit.m > best.merit.m:
            break
        best = trial
    return best


def _scored(
    problem: Problem, cell: np.ndarray, bravais: BravaisLattice, centring: str, nll: float
) -> Solution:
    figure = merit(problem.q2_inv_A2, cell, centring, problem.floor_inv_A2)
    discrepancy = np.abs(problem.q2_inv_A2 - figure.q2_calculated_inv_A2)
    indexed = discrepancy <= problem.settings.explain_factor * problem.epsilon_inv_A2
    return Solution(cell, bravais.symbol, centring, figure, indexed, nll)


def _least_squares_cell(problem: Problem, solution: Solution) -> np.ndarray | None:
    discrepancy = np.abs(problem.q2_inv_A2 - solution.merit.q2_calculated_inv_A2)
    # Lines that fit badly may be wrongly indexed; those within the error count alike.
    weight = 1 / (discrepancy + problem.settings.explain_factor * problem.epsilon_inv_A2)
    design = problem.system.design_matrix(solution.merit.hkl)
    x, _, rank, _ = np.linalg.lstsq(
        design * weight[:, None], problem.q2_inv_A2 * weight, rcond=1e-10
    )
    if rank < problem.system.n_free or not problem.possible(x[None])[0]:
        return None
    return standard_cell(cell_from_reciprocal(x @ problem.system.basis_matrix), problem.system)


def _subcells(problem: Problem, cell: np.ndarray) -> Iterator[np.ndarray]:
    """Cells with one axis, or the axes that symmetry ties together, halved."""
    lengths = problem.system.template[:3]
    for name in dict.fromkeys(lengths):
        smaller = cell.copy()
        smaller[[i for i in range(3) if lengths[i] == name]] /= 2
        if smaller[:3].min() >= problem.settings.min_length_A:
            yield smaller
