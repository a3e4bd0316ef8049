"""Same lattice: by change of basis, by centring, near borders of reduction, and not."""

import gemmi
import numpy as np
import pytest

from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.equivalence import lattice_of, same, same_lattice, volume_tolerance
from mlindex.crystal.equivalence_kernels import is_one_of
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.tolerances import LatticeTolerance


def _cell_of(symbol: str, rng: np.random.Generator) -> np.ndarray:
    system = BRAVAIS[symbol].system
    free = [
        rng.uniform(4, 12) if name in "abc" else rng.uniform(65, 85)
        for name in system.free_parameters
    ]
    return system.cell_from_free(np.array(free))


def _unimodular(rng: np.random.Generator) -> np.ndarray:
    basis = np.eye(3, dtype=int)
    for _ in range(6):
        i, j = rng.permutation(3)[:2]
        shear = np.eye(3, dtype=int)
        shear[i, j] = rng.integers(-2, 3)
        basis = basis @ shear
    return basis


@pytest.mark.parametrize("symbol", BRAVAIS)
def test_any_basis_of_a_lattice_is_the_same_lattice(symbol: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        cell = _cell_of(symbol, rng)
        letter = BRAVAIS[symbol].centring
        vector = gemmi.GruberVector(gemmi.UnitCell(*cell), letter)
        primitive = np.array(vector.cell_parameters())
        basis = _unimodular(rng)
        other = cell_from_metric(basis.T @ metric_tensor(primitive) @ basis)
        assert same_lattice(cell, letter, other, "P", 1e-4, 0.01)


@pytest.mark.parametrize("symbol", BRAVAIS)
def test_small_errors_are_forgiven_and_large_ones_not(symbol: str) -> None:
    rng = np.random.default_rng(8)
    letter = BRAVAIS[symbol].centring
    for _ in range(20):
        cell = _cell_of(symbol, rng)
        system = BRAVAIS[symbol].system
        near = system.cell_from_free(system.free_from_cell(cell) * (1 + 1e-4))
        far = cell * np.array([1.03, 1.03, 1.03, 1, 1, 1])
        assert same_lattice(cell, letter, near, letter)
        assert not same_lattice(cell, letter, far, letter)


def test_border_of_reduction_does_not_matter() -> None:
    # Pseudo-cubic cells reduce to many different cells under errors of the last digits.
    rng = np.random.default_rng(9)
    cell = np.array([10.0, 10.0, 10.0, 60.0, 60.0, 60.0])
    for _ in range(50):
        noisy = cell + rng.normal(0, 1e-3, 6)
        assert same_lattice(cell, "P", noisy, "P", 0.01, 0.5)


def test_known_pairs() -> None:
    cubic = [5.43, 5.43, 5.43, 90, 90, 90]
    primitive = [5.43 / 2**0.5] * 3 + [60.0] * 3
    assert same_lattice(cubic, "F", primitive, "P")
    corundum = [4.758, 4.758, 12.991, 90, 90, 120]
    a = np.sqrt(4.758**2 / 3 + 12.991**2 / 9)
    alpha = np.degrees(2 * np.arcsin(4.758 / (2 * a)))
    assert same_lattice(corundum, "R", [a, a, a, alpha, alpha, alpha], "P")


@pytest.mark.parametrize("factor", [2, 0.5, 3])
def test_super_and_sublattices_differ(factor: float) -> None:
    cell = np.array([5.0, 6.0, 7.0, 90, 100, 90])
    other = cell * np.array([factor, 1, 1, 1, 1, 1])
    assert not same_lattice(cell, "P", other, "P")
    assert not same_lattice(cell, "P", cell, "C")


def test_volume_is_that_of_the_primitive_cell() -> None:
    assert lattice_of([4, 5, 6, 90, 90, 90], "F").volume_A3 == pytest.approx(30)


def test_the_compiled_comparison_agrees_with_the_plain_one() -> None:
    rng = np.random.default_rng(10)
    cells = [_cell_of(symbol, rng) * rng.normal(1, 3e-3, 6) for symbol in 4 * ["aP", "mP", "cP"]]
    # Near the borders of reduction, where bases of one lattice differ, and each lattice twice.
    cells += [np.array([10.0, 10.0, 10.0, 60, 60, 60]) + rng.normal(0, 5e-3, 6) for _ in range(8)]
    lattices = [lattice_of(cell, "P") for cell in cells]
    lattices += [lattice_of(cell * rng.normal(1, 2e-3, 6), "P") for cell in cells]
    tolerance = LatticeTolerance(5e-3, 0.3)
    outcomes = set()
    for first in lattices:
        for second in lattices:
            plain = same(first, second, *tolerance)
            others = second.reduced[None]
            assert (
                is_one_of(first.reduced, others, volume_tolerance(*tolerance), *tolerance) == plain
            )
            outcomes.add((plain, first is second))
    assert outcomes == {(True, True), (True, False), (False, False)}
    assert not is_one_of(lattices[0].reduced, np.empty((0, 6)), 0.1, *tolerance)
