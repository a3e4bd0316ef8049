"""The lattice table, cells and settings of axes, over all 14 Bravais lattices, against gemmi."""

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlindex.crystal.cell import (
    UnitCell,
    cell_from_metric,
    cell_from_reciprocal,
    cell_volume,
    cosine_of_degrees,
    metric_tensor,
    reciprocal_from_cell,
)
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, bravais_of, quadratic_terms, system_of
from mlindex.crystal.reindexed import (
    cell_to_standard,
    free_from_reindexed,
    hkl_to_standard,
    reindexed_from_free,
    standard_order,
)

EVERY_LATTICE = pytest.mark.parametrize("bravais", BRAVAIS.values(), ids=BRAVAIS)
EVERY_SYSTEM = pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
HKL = np.indices((7, 7, 7)).reshape(3, -1).T - 3

#: Representative space groups, their centring on the axes of the table, from Int. Tables A.
GROUPS = {
    "cP": "P m -3 m",
    "cI": "I m -3 m",
    "cF": "F m -3 m",
    "tP": "P 4/m m m",
    "tI": "I 4/m m m",
    "hP": "P 6/m m m",
    "hR": "R -3 m:R",
    "oP": "P m m m",
    "oC": "C m m m",
    "oI": "I m m m",
    "oF": "F m m m",
    "mP": "P 1 2/m 1",
    "mC": "C 1 2/m 1",
    "aP": "P -1",
}


def random_free(system, rng, n):
    """Free direct parameters of n cells, away from impossible angles."""
    lengths = sum(name in "abc" for name in system.free_parameters)
    angles = system.n_free - lengths
    return np.concatenate([rng.uniform(3, 20, (n, lengths)), rng.uniform(70, 109, (n, angles))], 1)


@EVERY_LATTICE
def test_q2_is_linear_in_the_free_parameters(bravais):
    system = bravais.system
    rng = np.random.default_rng(3)
    cells = system.cell_from_free(random_free(system, rng, 40))
    x = reciprocal_from_cell(cells)
    np.testing.assert_allclose(x, x[:, system.pick] @ system.basis_matrix, atol=1e-16)
    q2 = np.einsum("mf,nf->nm", system.design_matrix(HKL), x[:, system.pick])
    for cell, mine in zip(cells, q2, strict=True):
        theirs = gemmi.UnitCell(*cell).calculate_1_d2_array(HKL)
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(UnitCell.from_array(cell).q2_inv_A2(HKL), mine, atol=1e-14)


@EVERY_LATTICE
def test_cells_there_and_back(bravais):
    system = bravais.system
    free = random_free(system, np.random.default_rng(4), 60)
    cells = system.cell_from_free(free)
    np.testing.assert_array_equal(system.free_from_cell(cells), free)
    np.testing.assert_allclose(cell_from_reciprocal(reciprocal_from_cell(cells)), cells, rtol=1e-9)
    np.testing.assert_allclose(cell_from_metric(metric_tensor(cells)), cells, rtol=1e-12)
    volumes = [gemmi.UnitCell(*cell).volume for cell in cells]
    np.testing.assert_allclose(cell_volume(cells), volumes, rtol=1e-10)
    assert all(system.fits(cell) for cell in cells)


@EVERY_LATTICE
def test_symmetry_of_the_lattice_keeps_q2(bravais):
    """The point group and centring of the International Tables belong to the table's axes."""
    system = bravais.system
    group = gemmi.SpaceGroup(GROUPS[bravais.symbol])
    assert group.centring_type() == bravais.centring
    assert len(group.operations().cen_ops) == bravais.n_points
    cell = system.cell_from_free(random_free(system, np.random.default_rng(5), 1))[0]
    q2 = UnitCell.from_array(cell).q2_inv_A2(HKL)
    for operation in group.operations().sym_ops:
        moved = HKL @ (np.array(operation.rot) // gemmi.Op.DEN)
        np.testing.assert_allclose(UnitCell.from_array(cell).q2_inv_A2(moved), q2, atol=1e-13)


@EVERY_SYSTEM
def test_table_is_consistent(system):
    assert system.n_free == len(system.free_parameters) == len(system.pick)
    # The picked components of the basis are the free parameters themselves.
    np.testing.assert_array_equal(system.basis_matrix[:, system.pick], np.eye(system.n_free))
    assert [system.template[p] for p in system.free_positions] == list(system.free_parameters)
    assert {b.system for b in bravais_of(system.name)} == {system}
    assert system_of(system.name) is system
    assert system_of(bravais_of(system.name)[0].symbol) is system


def test_free_parameters_of_each_system():
    """One for cubic up to six for triclinic (Moreau, eqs. 9 to 17)."""
    assert {name: system.n_free for name, system in SYSTEMS.items()} == {
        "cubic": 1,
        "tetragonal": 2,
        "hexagonal": 2,
        "rhombohedral": 2,
        "orthorhombic": 3,
        "monoclinic": 4,
        "triclinic": 6,
    }
    with pytest.raises(ValueError, match="unknown lattice 'trigonal'"):
        system_of("trigonal")


def test_published_formulas():
    hexagonal = reciprocal_from_cell(np.array([3.0, 3.0, 5.0, 90, 90, 120]))
    np.testing.assert_allclose(hexagonal, [4 / 27, 4 / 27, 1 / 25, 0, 0, 4 / 27], atol=1e-16)
    a, alpha = 5.128, np.radians(55.28)
    h, k, l = HKL.T
    top = (h * h + k * k + l * l) * np.sin(alpha) ** 2
    top = top + 2 * (h * k + k * l + h * l) * (np.cos(alpha) ** 2 - np.cos(alpha))
    bottom = a**2 * (1 - 3 * np.cos(alpha) ** 2 + 2 * np.cos(alpha) ** 3)
    cell = UnitCell(a, a, a, 55.28, 55.28, 55.28)
    np.testing.assert_allclose(cell.q2_inv_A2(HKL), top / bottom, atol=1e-13)
    assert quadratic_terms([1, 2, 3]).tolist() == [1, 4, 9, 6, 3, 2]


def test_fits_within_tolerances_only():
    system = SYSTEMS["tetragonal"]
    assert system.fits([5, 5.009, 7, 90, 90.1, 90])
    assert not system.fits([5, 5.02, 7, 90, 90, 90])
    assert not system.fits([5, 5, 7, 90, 90.3, 90])


def test_right_angles_are_exact():
    assert cosine_of_degrees(90.0) == 0
    assert cosine_of_degrees(120.0) == -0.5
    x = reciprocal_from_cell(np.array([5.1, 6.2, 7.3, 90, 90, 90]))
    assert x[3:].tolist() == [0, 0, 0]
    np.testing.assert_allclose(cosine_of_degrees(np.array([60.0, 180.0])), [0.5, -1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((0, 5, 5), "positive"),
        ((-1, 5, 5), "positive"),
        ((float("nan"), 5, 5), "positive"),
        ((5, 5, 5, 120, 120, 120), "enclose no volume"),
        ((5, 5, 5, 30, 40, 90), "enclose no volume"),
    ],
)
def test_impossible_cells_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        UnitCell(*parameters)


def test_impossible_reciprocal_parameters_give_nan():
    good = reciprocal_from_cell(np.array([5.0, 6, 7, 80, 90, 100]))
    bad = [-good, [1, 1, 1, 3, 0, 0], [1, 1, 1, 1.9, 1.9, -1.9], [0, 1, 1, 0, 0, 0]]
    found = cell_from_reciprocal(np.array([good, *bad]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()


def test_unit_cell_prints_its_parameters():
    cell = UnitCell(5, 6, 7, 90, 101.5, 90)
    assert str(cell) == "5.0000 6.0000 7.0000 90.000 101.500 90.000"
    assert cell.parameters == (5, 6, 7, 90, 101.5, 90)
    assert cell.volume_A3 == pytest.approx(gemmi.UnitCell(*cell.parameters).volume)


@EVERY_SYSTEM
@pytest.mark.parametrize("place", ["a", "b", "c"])
def test_reindexed_and_standard_axes(system, place):
    """Reordering a cell together with its indices keeps q², whatever became of the unique axis."""
    axis = place if system.unique_axis is not None else ""
    rng = np.random.default_rng(6)
    free = random_free(system, rng, 25)
    reindexed = reindexed_from_free(free, system, axis)
    np.testing.assert_array_equal(free_from_reindexed(reindexed, system, axis), free)
    standard = cell_to_standard(reindexed, system, axis)
    assert all(system.fits(cell, 1e-12, 1e-9) for cell in standard)
    q2 = quadratic_terms(HKL) @ reciprocal_from_cell(reindexed).T
    moved = quadratic_terms(hkl_to_standard(HKL, system, axis)) @ reciprocal_from_cell(standard).T
    np.testing.assert_allclose(moved, q2, rtol=1e-9, atol=1e-14)
    if system.unique_axis is not None:
        assert standard_order(system, axis)[system.unique_axis] == "abc".index(axis)
    ordered = np.sort(free[:, :3], axis=1) if system.unique_axis is not None else None
    if ordered is not None:
        cells = reindexed_from_free(np.column_stack([ordered, free[:, 3:]]), system, axis)
        standard = cell_to_standard(cells, system, axis)
        assert (standard[:, 0] <= standard[:, 2]).all()


ANGLE = st.floats(50, 115)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.tuples(*[st.floats(2, 60)] * 3), st.tuples(ANGLE, ANGLE, ANGLE))
def test_any_cell_agrees_with_gemmi(lengths, angles):
    """Reciprocal parameters of any possible cell are those of gemmi's reciprocal cell."""
    if np.linalg.det(metric_tensor(np.array([1.0, 1, 1, *angles]))) < 0.05:
        return
    cell = np.array([*lengths, *angles])
    star = gemmi.UnitCell(*cell).reciprocal()
    cosines = np.cos(np.radians([star.alpha, star.beta, star.gamma]))
    products = 2 * np.array([star.b * star.c, star.a * star.c, star.a * star.b]) * cosines
    expected = [star.a**2, star.b**2, star.c**2, *products]
    np.testing.assert_allclose(reciprocal_from_cell(cell), expected, rtol=1e-7, atol=1e-12)
