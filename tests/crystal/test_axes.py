"""Axes on which lattices are shown, and the usual indices on them."""

import gemmi
import numpy as np
import pytest

from mlindex.crystal.axes import axes_of, on_axes, usual_indices
from mlindex.crystal.cell import cell_from_metric, metric_tensor, reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import BRAVAIS, allowed_by_centring, quadratic_terms

#: Corundum, in A: hexagonal axes, and the rhombohedral ones that follow by hand.
HEXAGONAL = np.array([4.7589, 4.7589, 12.991, 90.0, 90.0, 120.0])
EDGE = np.sqrt(3 * 4.7589**2 + 12.991**2) / 3
RHOMBOHEDRAL = np.array(
    [EDGE] * 3 + [np.degrees(2 * np.arcsin(1.5 / np.sqrt(3 + (12.991 / 4.7589) ** 2)))] * 3
)
CHOICES = [(b.symbol, letter) for b in BRAVAIS.values() for letter in b.centrings]
INDICES = np.indices((7, 7, 7)).reshape(3, -1).T - 3
INDICES = INDICES[INDICES.any(axis=1)]


def generic(bravais):
    """A cell as search and reduction leave it, with no chance symmetry."""
    return BRAVAIS[bravais].system.generic_cell()


def test_corundum_comes_out_on_hexagonal_axes_first():
    usual, other = on_axes("hR", "P", RHOMBOHEDRAL)
    assert usual.cell == pytest.approx(HEXAGONAL, rel=1e-12)
    assert usual.cell[3:].tolist() == [90.0, 90.0, 120.0]
    assert (usual.axes.name, usual.centring) == ("hexagonal axes", "R")
    assert usual.volume_A3 == pytest.approx(3 * other.volume_A3)
    assert (other.axes.name, other.centring) == ("rhombohedral axes", "P")
    assert other.cell is RHOMBOHEDRAL or other.cell.tolist() == RHOMBOHEDRAL.tolist()


def test_indices_on_hexagonal_axes_are_those_of_gemmi():
    axes = axes_of("hR", "P")[0]
    hkl = axes.hkl(INDICES)
    obverse = gemmi.SpaceGroup("R -3 c:H").operations()
    primitive = gemmi.SpaceGroup("R -3 c:R").operations()
    assert np.all((-hkl[:, 0] + hkl[:, 1] + hkl[:, 2]) % 3 == 0)
    absent = [obverse.is_systematically_absent(h) for h in hkl.tolist()]
    assert absent == [primitive.is_systematically_absent(h) for h in INDICES.tolist()]
    assert any(absent)
    large, small = gemmi.UnitCell(*HEXAGONAL), gemmi.UnitCell(*RHOMBOHEDRAL)
    d = [large.calculate_d(h) for h in hkl.tolist()]
    assert d == pytest.approx([small.calculate_d(h) for h in INDICES.tolist()])


def test_gemmi_changes_the_basis_alike():
    # Of gemmi the operations of R -3 c on both axes; ours must take one to the other.
    change = axes_of("hR", "P")[0].matrix.T
    rotations = {
        name: {
            tuple(np.array(op.rot).ravel() // gemmi.Op.DEN)
            for op in gemmi.SpaceGroup(f"R -3 c:{name}").operations().sym_ops
        }
        for name in "HR"
    }
    moved = {
        tuple(np.rint(np.linalg.inv(change) @ np.reshape(w, (3, 3)) @ change).astype(int).ravel())
        for w in rotations["R"]
    }
    assert moved == rotations["H"]
    # Rows of the inverse are the rhombohedral axes, one of them the obverse centring vector.
    assert np.linalg.inv(change).T[0] == pytest.approx([2 / 3, 1 / 3, 1 / 3])


def test_corundum_lines_have_their_names_of_the_literature():
    axes = axes_of("hR", "P")[0]
    back = np.linalg.inv(axes.matrix.T)
    named = [(0, 1, 2), (1, 0, 4), (1, 1, 0), (1, 1, 3), (0, 2, 4), (1, 1, 6), (2, 1, 4), (3, 0, 0)]
    rng = np.random.default_rng(0)
    for hkl in named:
        rotation = axes.rotations[rng.integers(len(axes.rotations))]
        equivalent = -np.array(hkl) @ rotation
        given = np.rint(equivalent @ back).astype(int)
        assert tuple(axes.hkl(given[None])[0]) == hkl


@pytest.mark.parametrize(("bravais", "centring"), CHOICES)
def test_all_axes_describe_one_lattice(bravais, centring):
    cell = generic(bravais)
    for way in on_axes(bravais, centring, cell):
        letter = way.centring
        assert way.axes.system.fits(way.cell, 1e-12, 1e-9)
        ours, theirs = lattice_of(cell, centring), lattice_of(way.cell, letter)
        assert same(ours, theirs, 1e-9, 1e-6)
        assert np.linalg.det(way.axes.matrix) > 0
        allowed = INDICES[allowed_by_centring(INDICES, centring)]
        moved = way.axes.hkl(allowed)
        q2 = quadratic_terms(allowed) @ reciprocal_from_cell(cell)
        assert quadratic_terms(moved) @ reciprocal_from_cell(way.cell) == pytest.approx(q2)
        if letter != "R":
            assert allowed_by_centring(moved, letter).all()
    if centring in "AB" or (bravais, centring) == ("mC", "I"):
        assert way.centring == "C"


@pytest.mark.parametrize(
    "cell", [[4.6865, 3.4249, 10.2604, 90, 99.499, 90], [5, 7, 5.1, 90, 118, 90]]
)
def test_an_i_cell_has_an_obtuse_c_cell_of_short_axes(cell):
    own, other = on_axes("mC", "I", np.array(cell, dtype=float))
    assert (own.centring, other.centring) == ("I", "C")
    assert own.cell.tolist() == cell
    assert other.cell[1] == pytest.approx(cell[1])
    assert 90 < other.cell[4] < 140
    # No other C cell has shorter axes: all vectors of their kinds, up to three steps away.
    metric = metric_tensor(other.cell)
    steps = np.array([(i, 0, k) for i in range(-3, 4) for k in range(-3, 4)])
    lengths = np.sqrt(np.einsum("ni,ij,nj->n", steps, metric, steps))
    odd = steps % 2 == 1
    assert other.cell[0] <= lengths[odd[:, 0] & ~odd[:, 2]].min() + 1e-9
    assert other.cell[2] <= lengths[odd[:, 2]].min() + 1e-9


@pytest.mark.parametrize(("bravais", "centring"), [("hR", "P"), ("mC", "I"), ("mC", "A")])
def test_uncertainties_are_carried_over(bravais, centring):
    rng = np.random.default_rng(1)
    system = BRAVAIS[bravais].system
    cell = generic(bravais)
    spread = rng.normal(0, 1e-5, (system.n_free, system.n_free))
    expand = np.array([[float(p == n) for n in system.free_parameters] for p in system.template])
    covariance = expand @ spread @ spread.T @ expand.T
    error = np.sqrt(np.diagonal(covariance))
    usual, beside = on_axes(bravais, centring, cell, error, covariance)
    way = usual if bravais == "hR" else beside
    # Numerical differentiation by the free parameters.
    free, step = system.free_from_cell(cell), 1e-4
    ends = (
        [way.axes.cell(system.cell_from_free(free + d)) for d in sign * step * np.eye(len(free))]
        for sign in (1, -1)
    )
    jacobian = np.subtract(*ends).T / (2 * step)
    expected = np.sqrt(np.diagonal(jacobian @ spread @ spread.T @ jacobian.T))
    assert way.cell_error == pytest.approx(expected, rel=1e-5, abs=1e-12)
    # Without a covariance, free parameters count as independent.
    usual, beside = on_axes(bravais, centring, cell, error)
    alone = usual if bravais == "hR" else beside
    expected = np.sqrt((jacobian**2) @ (error[list(system.free_positions)] ** 2))
    assert alone.cell_error == pytest.approx(expected, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(("bravais", "centring"), CHOICES)
def test_usual_indices_are_equivalent_and_stay(bravais, centring):
    for axes in axes_of(bravais, centring):
        usual = usual_indices(INDICES, axes.rotations)
        cell = axes.cell(generic(bravais))
        q2 = quadratic_terms(INDICES) @ reciprocal_from_cell(cell)
        assert quadratic_terms(usual) @ reciprocal_from_cell(cell) == pytest.approx(q2)
        orbits = np.concatenate([INDICES @ axes.rotations, -INDICES @ axes.rotations])
        assert np.all((orbits == usual).all(axis=2).any(axis=0))
        assert (usual_indices(usual, axes.rotations) == usual).all()
        # All of an orbit have one name.
        turned = -INDICES @ axes.rotations[-1]
        assert (usual_indices(turned, axes.rotations) == usual).all()
        assert (usual[:, 2] >= 0).all()


@pytest.mark.parametrize(
    ("bravais", "given", "named"),
    [
        ("cF", (2, -2, -2), (2, 2, 2)),
        ("cP", (-1, 1, 1), (1, 1, 1)),
        ("cI", (1, -2, 3), (3, 2, 1)),
        ("tP", (-1, 2, -3), (2, 1, 3)),
        ("hP", (1, -3, 2), (2, 1, 2)),
        ("oP", (1, -2, -3), (1, 2, 3)),
        ("mP", (2, 0, -1), (-2, 0, 1)),
        ("mP", (1, -1, -1), (-1, 1, 1)),
        ("mP", (-3, 1, 0), (3, 1, 0)),
        ("aP", (1, 1, -1), (-1, -1, 1)),
        ("aP", (-1, 1, 0), (1, -1, 0)),
        ("aP", (0, 0, 0), (0, 0, 0)),
    ],
)
def test_names_of_reflections(bravais, given, named):
    axes = axes_of(bravais, BRAVAIS[bravais].centring)[0]
    assert tuple(axes.hkl(np.array([given]))[0]) == named


def test_holohedries_have_their_orders():
    orders = {"c": 24, "t": 8, "o": 4, "m": 2, "a": 1}
    for bravais, centring in CHOICES:
        for axes in axes_of(bravais, centring):
            n = len(axes.rotations)
            assert n == {"hP": 12, "hR": 6}.get(bravais, orders.get(bravais[0]))
            metric = metric_tensor(axes.cell(generic(bravais)))
            moved = np.swapaxes(axes.rotations, 1, 2) @ metric @ axes.rotations
            assert moved == pytest.approx(np.broadcast_to(metric, moved.shape), abs=1e-6)
            assert cell_from_metric(moved[0]) == pytest.approx(cell_from_metric(metric))
