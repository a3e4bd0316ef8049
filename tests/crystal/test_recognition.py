"""Recognition of Bravais lattices, against spglib, gemmi and lattices known by construction."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
import spglib

from mlindex.crystal.cell import cell_from_metric, cell_volume, metric_tensor, reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.holohedries import holohedries, reciprocal_change, reciprocal_metric
from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES, BravaisLattice
from mlindex.crystal.recognition import conventional, nearest_of_each, recognize
from mlindex.crystal.reduced import reduced

#: Space group of one atom on each lattice, International Tables A.
HOLOHEDRAL_GROUP = {
    **{221: "cP", 229: "cI", 225: "cF", 123: "tP", 139: "tI", 191: "hP", 166: "hR"},
    **{47: "oP", 65: "oC", 71: "oI", 69: "oF", 10: "mP", 12: "mC", 2: "aP"},
}
#: Two-fold axes of each holohedry.
TWOFOLDS = {"c": 9, "t": 5, "h": 7, "hR": 3, "o": 3, "m": 1, "a": 0}
symbols = pytest.mark.parametrize("symbol", BRAVAIS)


def random_cell(lattice: BravaisLattice, rng: np.random.Generator) -> np.ndarray:
    names = lattice.system.free_parameters
    while True:
        free = [
            rng.uniform(4, 15) if name in "abc" else rng.uniform(91, 125)
            if name == "beta" else rng.uniform(65, 110)
            for name in names
        ]  # fmt: skip
        cell = lattice.system.cell_from_free(np.array(free))
        if cell_volume(cell) > 0.3 * np.prod(cell[:3]):
            return cell


def random_basis(rng: np.random.Generator) -> np.ndarray:
    change = np.eye(3, dtype=int)
    for _ in range(6):
        i, j = rng.choice(3, 2, replace=False)
        change[i] += rng.integers(-2, 3) * change[j]
    return change


def primitive_x6(cell: np.ndarray, centring: str, rng: np.random.Generator) -> np.ndarray:
    operator = np.array(PRIMITIVE_HALVES[centring]).T / 2 @ random_basis(rng)
    return reciprocal_change(operator) @ reciprocal_from_cell(cell)


def with_errors(x6: np.ndarray, error: float, rng: np.random.Generator) -> np.ndarray:
    """x6 with the q² of every reflection changed by at most ``error``, somewhere by just that."""
    noise = rng.normal(size=(3, 3))
    noise += noise.T
    noise *= error / np.abs(np.linalg.eigvalsh(noise)).max()
    frame = np.linalg.cholesky(reciprocal_metric(x6))
    m = frame @ (np.eye(3) + noise) @ frame.T
    return np.array([m[0, 0], m[1, 1], m[2, 2], 2 * m[1, 2], 2 * m[0, 2], 2 * m[0, 1]])


@symbols
def test_exact_lattices_get_their_full_symmetry_as_spglib_finds_it(symbol):
    lattice, rng = BRAVAIS[symbol], np.random.default_rng(1)
    for _ in range(20):
        cell = random_cell(lattice, rng)
        x6 = primitive_x6(cell, lattice.centring, rng)
        found = conventional(x6)
        basis = np.linalg.cholesky(np.linalg.inv(reciprocal_metric(x6)))
        group = spglib.get_symmetry_dataset((basis, [[0, 0, 0]], [1]), symprec=1e-4).number
        assert found.bravais == symbol == HOLOHEDRAL_GROUP[group]
        assert same_lattice(found.cell, found.centring, cell, lattice.centring, 1e-6, 1e-4)
        assert found.distance < 1e-6


@symbols
def test_twofold_axes_are_as_many_as_gemmi_finds(symbol):
    lattice, rng = BRAVAIS[symbol], np.random.default_rng(2)
    cell = random_cell(lattice, rng)
    found = conventional(primitive_x6(cell, lattice.centring, rng))
    niggli = gemmi.GruberVector(gemmi.UnitCell(*found.cell), found.centring)
    niggli.niggli_reduce()
    axes = gemmi.find_lattice_2fold_ops(niggli.get_cell(), max_obliq=0.01)
    assert len(axes) == TWOFOLDS.get(symbol, TWOFOLDS.get(symbol[0]))


@symbols
@pytest.mark.parametrize("error", [0.0005, 0.005])
def test_errors_do_not_hide_the_lattice(symbol, error):
    lattice, rng = BRAVAIS[symbol], np.random.default_rng(3)
    for _ in range(40):
        cell = random_cell(lattice, rng)
        x6 = with_errors(primitive_x6(cell, lattice.centring, rng), error, rng)
        # The average over the group is at most as far from the true lattice as the cell itself.
        found = [r for r in recognize(x6, 2.05 * error) if r.bravais == symbol]
        assert any(
            same_lattice(r.cell, r.centring, cell, lattice.centring, 1.5 * error, 70 * error)
            for r in found
        ), (cell, found)


@symbols
def test_borders_of_reduced_cells_are_no_obstacle(symbol):
    """Axial ratios and angles at which reduced cells of two types meet, and errors on top."""
    lattice, rng = BRAVAIS[symbol], np.random.default_rng(4)
    lengths, angles = np.sqrt([1, 2, 3, 1.5, 4 / 3, 0.375, 36]), [60, 70.5288, 90, 109.4712]
    tried = 0
    while tried < 30:
        free = [
            5 * rng.choice(lengths) if name in "abc" else rng.choice(angles) + rng.normal() * 0.2
            for name in lattice.system.free_parameters
        ]
        cell = lattice.system.cell_from_free(np.array(free))
        if not cell_volume(cell) > 0.1 * np.prod(cell[:3]):
            continue
        tried += 1
        x6 = with_errors(primitive_x6(cell, lattice.centring, rng), 0.003, rng)
        found = recognize(x6, 0.0063)
        assert any(
            same_lattice(r.cell, r.centring, cell, lattice.centring, 0.006, 0.6) for r in found
        ), (cell, found)


@symbols
def test_what_is_said_of_a_recognized_lattice_is_true(symbol):
    lattice, rng = BRAVAIS[symbol], np.random.default_rng(5)
    x6 = with_errors(primitive_x6(random_cell(lattice, rng), lattice.centring, rng), 0.002, rng)
    tolerance = 0.0041
    found = recognize(x6, tolerance)
    free = [BRAVAIS[r.bravais].system.n_free for r in found]
    assert free == sorted(free)
    for r in found:
        own = BRAVAIS[r.bravais]
        assert own.system.fits(r.cell, 1e-9, 1e-9)
        assert r.centring in own.centrings
        assert round(np.linalg.det(r.operator)) == own.n_points
        # The operator leads from the given cell to the one reported, but for the distance.
        given = reciprocal_metric(reciprocal_change(r.operator) @ x6)
        ideal = reciprocal_metric(reciprocal_from_cell(r.cell))
        change = np.abs(np.linalg.eigvals(np.linalg.solve(given, ideal)) - 1).max()
        assert change == pytest.approx(r.distance, abs=1e-6)
        assert r.distance <= tolerance + 1e-6
    assert found[-1].bravais == "aP"
    assert found[-1].distance == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("symbol", ["oP", "oC", "oI", "oF", "mP", "mC"])
def test_cells_are_in_the_standard_setting(symbol):
    lattice, rng = BRAVAIS[symbol], np.random.default_rng(6)
    for _ in range(30):
        r = conventional(primitive_x6(random_cell(lattice, rng), lattice.centring, rng))
        a, b, c = r.cell[:3]
        if lattice.system.unique_axis is None:
            assert a < b < c
        else:
            assert a < c
            assert r.cell[4] > 90
            # No shorter pair of axes across the unique one.
            assert abs(2 * c * np.cos(np.radians(r.cell[4]))) <= a * (1 + 1e-9)


def test_every_way_to_lay_a_lattice_is_given():
    """A cube: three tetragonal ways, four rhombohedral ones, one orthorhombic P and three C."""
    found = [r.bravais for r in recognize(reciprocal_from_cell([5, 5, 5, 90, 90, 90]), 1e-6)]
    counts = {symbol: found.count(symbol) for symbol in dict.fromkeys(found)}
    assert counts == {"cP": 1, "tP": 3, "hR": 4, "oP": 1, "oC": 3, "mP": 3, "mC": 6, "aP": 1}


def test_parts_of_what_is_recognized_are_those_of_the_whole():
    x6 = reciprocal_from_cell([5, 5.005, 5.02, 90.05, 90, 89.9])
    every = recognize(x6, 0.02)
    nearest = {r.bravais: min(e.distance for e in every if e.bravais == r.bravais) for r in every}
    assert {r.bravais: r.distance for r in nearest_of_each(x6, 0.02)} == nearest
    assert len(nearest) == 8
    first = conventional(x6, 0.02)
    assert np.array_equal(first.operator, every[0].operator)
    mono = [r.cell for r in every if r.bravais == "mC"]
    assert np.array_equal([r.cell for r in recognize(x6, 0.02, "mC")], mono)


def test_tolerance_decides_a_pseudosymmetric_cell():
    """a and b differ by 0.2 %: their q² by 0.4 %, from the average by 0.2 %."""
    x6 = reciprocal_from_cell([5.0, 5.01, 8.0, 90, 90, 90])
    assert conventional(x6).bravais == "oP"
    assert recognize(x6, 0.0019)[0].bravais == "oP"
    tetragonal = recognize(x6, 0.0021)[0]
    assert tetragonal.bravais == "tP"
    assert tetragonal.cell[0] == pytest.approx(np.sqrt(2 / (1 / 5.0**2 + 1 / 5.01**2)))
    assert tetragonal.cell[2] == pytest.approx(8.0)


def test_table_holds_the_holohedries_of_81_twofold_axes():
    table = holohedries()
    axes = sum(lattice.system.name == "monoclinic" for lattice in table.bravais)
    assert axes == 81
    assert {lattice.symbol for lattice in table.bravais} == set(BRAVAIS)


def test_reduction_finds_the_successive_minima():
    """Lengths as those of gemmi's Niggli cell; the first also against many vectors."""
    rng = np.random.default_rng(7)
    grid = np.indices((9, 9, 9)).reshape(3, -1).T - 4
    for _ in range(40):
        metric = metric_tensor(random_cell(BRAVAIS["aP"], rng))
        skew = random_basis(rng)
        rows = reduced(skew @ metric @ skew.T)
        assert abs(round(np.linalg.det(rows))) == 1
        lengths2 = np.diag(rows @ skew @ metric @ skew.T @ rows.T)
        every = np.sort(np.einsum("ni,ij,nj->n", grid, metric, grid))[1:]
        assert lengths2[0] == pytest.approx(every[0])
        niggli = gemmi.GruberVector(gemmi.UnitCell(*cell_from_metric(metric)), "P")
        niggli.niggli_reduce()
        assert np.sqrt(lengths2) == pytest.approx(niggli.get_cell().parameters[:3])


@pytest.mark.parametrize("x6", [[1, 1, 1, 2, 2, 2], [-1, 1, 1, 0, 0, 0], [np.nan] * 6])
def test_what_is_no_lattice_is_refused(x6):
    with pytest.raises(ValueError, match="no lattice"):
        recognize(np.array(x6, dtype=float), 0.01)
