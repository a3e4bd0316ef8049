import gemmi
import numpy as np
import pytest

from mlindex.crystal.cell import metric_tensor
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.crystal.space_groups import (
    Operations,
    bravais_symbol,
    cell_fits,
    cell_system,
    operations_of,
    unique_axis,
)
from mlindex.structures.cif import EntryError, Sites
from mlindex.structures.symbols import Stated, group_by_symbol, resolve
from mlindex.structures.symmetry import Crystal, find_symmetry, in_standard_setting, multiplicities

MONOCLINIC = np.array([5.0, 6.0, 7.0, 90, 101, 90])
HEXAGONAL = np.array([4.76, 4.76, 12.99, 90, 90, 120])
TABLE = list(gemmi.spacegroup_table())


def cell_of(group):
    """Some cell that obeys a setting."""
    system = cell_system(group)
    free = {"a": 7.1, "b": 8.3, "c": 9.7, "alpha": 77.0, "beta": 101.0, "gamma": 95.0}
    cell = system.cell_from_free(np.array([free[name] for name in system.free_parameters]))
    axis = "abc".find(unique_axis(group)) if unique_axis(group) else 1
    order = [i for i in (0, 2)]
    order.insert(axis, 1)
    return cell[[*order, *(3 + i for i in order)]] if unique_axis(group) else cell


def settled(symbol="", number=None, operations=(), hall="", cell=MONOCLINIC, mismatch=None):
    stated = Stated(symbol, hall, number, tuple(operations))
    return resolve(
        stated, cell, lambda g: cell_fits(cell, g, 2e-3, 0.2), mismatch or (lambda g: 0.0)
    )


@pytest.mark.parametrize(
    ("written", "xhm", "cell"),
    [
        ("P21/c", "P 1 21/c 1", MONOCLINIC),
        ("P 21/c", "P 1 21/c 1", MONOCLINIC),
        ("P2(1)/c", "P 1 21/c 1", MONOCLINIC),
        ("P2_1/c", "P 1 21/c 1", MONOCLINIC),
        ("P_1_21/c_1", "P 1 21/c 1", MONOCLINIC),
        ("P2~1~/n", "P 1 21/n 1", MONOCLINIC),
        ("P12(1)/n1", "P 1 21/n 1", MONOCLINIC),
        ("P 21 /m", "P 1 21/m 1", MONOCLINIC),
        ("'P 1 1 21/b'", "P 1 1 21/b", MONOCLINIC),
        ("C 2:b1", "C 1 2 1", MONOCLINIC),
        ("P1-", "P -1", MONOCLINIC),
        ("P −1", "P -1", MONOCLINIC),
        ("C m c e", "C m c a", MONOCLINIC),
        ("P2(1)2(1)2(1)", "P 21 21 21", MONOCLINIC),
        ("P 2/m 2/m 2/m", "P m m m", MONOCLINIC),
        ("P 21/n 21/m 21/a", "P n m a", MONOCLINIC),
        ("R-3c", "R -3 c:H", HEXAGONAL),
        ("R 3 m H", "R 3 m:H", HEXAGONAL),
        ("R 3 m R", "R 3 m:R", HEXAGONAL),
        ("R -3 2/c (hexagonal axes)", "R -3 c:H", HEXAGONAL),
        ("P 6/m 2/m 2/m", "P 6/m m m", HEXAGONAL),
        ("P6(3)/mmc", "P 63/m m c", HEXAGONAL),
        ("P63/MMC", "P 63/m m c", HEXAGONAL),
        ("Fd-3m:2", "F d -3 m:2", MONOCLINIC),
        ("F d -3 m S", "F d -3 m:1", MONOCLINIC),
        ("F d -3 m Z", "F d -3 m:2", MONOCLINIC),
        ("F d -3 m {origin @ centre (-3m)}", "F d -3 m:2", MONOCLINIC),
        ("I 41/a m d O2", "I 41/a m d:2", MONOCLINIC),
        ("F m 3 m", "F m -3 m", MONOCLINIC),
        ("F 4/m -3 2/m", "F m -3 m", MONOCLINIC),
        ("I 4/m -3 2/m", "I m -3 m", MONOCLINIC),
        ("I 21/a -3", "I a -3", MONOCLINIC),
        ("P 42/m m c S", "P 42/m m c", MONOCLINIC),
    ],
)
def test_symbols_as_people_write_them(written, xhm, cell):
    group, _ = group_by_symbol(written, cell)
    assert group is not None
    assert group.xhm() == xhm


@pytest.mark.parametrize("written", ["", "X c", "P?", "rubbish", "P 7"])
def test_what_is_no_symbol_is_none(written):
    assert group_by_symbol(written, MONOCLINIC)[0] is None


@pytest.mark.parametrize("group", TABLE, ids=lambda g: f"{g.number}-{g.hall}")
def test_every_setting_is_found_again_from_its_operations(group):
    # The full list of operations is what a careful file holds; it must give the very setting.
    operations = [op.triplet() for op in group.operations()]
    result = settled(group.xhm(), group.number, operations, cell=cell_of(group))
    assert result.group.hall == group.hall
    assert not result.notes


def test_every_setting_has_a_bravais_lattice_and_every_lattice_a_setting():
    assert {bravais_symbol(group) for group in TABLE} == set(BRAVAIS)
    for group in TABLE:
        assert cell_fits(cell_of(group), group, 1e-9, 1e-9), group.xhm()


@pytest.mark.parametrize(
    ("symbol", "bravais"),
    [
        ("A b m 2", "oC"),
        ("B b c m", "oC"),
        ("I 1 2/a 1", "mC"),
        ("F 1 2 1", "mC"),
        ("B 1 1 2/b", "mC"),
        ("C -1", "aP"),
        ("R 3:H", "hR"),
        ("R 3:R", "hR"),
        ("P 3", "hP"),
        ("C -4 2 b", "tP"),
    ],
)
def test_bravais_lattices_of_unusual_settings(symbol, bravais):
    assert bravais_symbol(gemmi.find_spacegroup_by_name(symbol)) == bravais


def test_operations_decide_contradictions():
    operations = [op.triplet() for op in gemmi.SpaceGroup("C 1 2/c 1").operations()]
    result = settled("P 1 21/c 1", 14, operations, mismatch=lambda g: 0.0)
    assert result.group.xhm() == "C 1 2/c 1"
    assert any("number" in note for note in result.notes)
    assert any("symbol" in note for note in result.notes)


def test_operations_that_the_atoms_deny_do_not_decide():
    mismatches = {14: 0.0, 1: 0.75}
    result = settled("P 1 21/c 1", 14, ["x,y,z"], mismatch=lambda g: mismatches[g.number])
    assert result.group.number == 14
    assert any("ignored" in note for note in result.notes)


def test_incomplete_operations_are_completed():
    triplets = ["-x,y+1/2,-z+1/2", "-x,-y,-z"]
    result = settled("P 21/c", 14, triplets)
    assert result.group.xhm() == "P 1 21/c 1"
    assert any("completed" in note for note in result.notes)


def test_a_broken_list_of_operations_is_ignored():
    for triplets in (["x,y,z", "-x,y"], ["x,y,x"], ["x,y,q"], ["x,y,z", "x,y,1/0"]):
        result = settled("P 21/c", 14, triplets)
        assert result.group.xhm() == "P 1 21/c 1"
        assert any("ignored" in note for note in result.notes)


def test_without_operations_the_hall_symbol_fixes_the_origin():
    result = settled("F d -3 m", 227, hall="-F 4vw 2vw 3", cell=np.array([8, 8, 8, 90, 90, 90.0]))
    assert result.group.xhm() == "F d -3 m:2"


def test_without_origin_the_atoms_choose_it():
    cell = np.array([5.43, 5.43, 5.43, 90, 90, 90])
    one_eighth = np.array([[1 / 8, 1 / 8, 1 / 8]])

    def mismatch(group):
        return abs(multiplicities(one_eighth, cell, group.hall)[0] / 8 - 1)

    assert settled("F d -3 m", 227, cell=cell, mismatch=mismatch).group.xhm() == "F d -3 m:2"


def test_the_cell_chooses_the_unique_axis():
    result = settled("P 21", cell=np.array([5.0, 6.0, 7.0, 90, 90, 101]))
    assert result.group.xhm() == "P 1 1 21"


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        ({}, 2),
        ({"number": 0}, 2),
        ({"number": 231}, 2),
        ({"symbol": "X 1"}, 2),
        ({"symbol": "X 1", "number": 14}, 3),
        ({"symbol": "P 21/c", "number": 15}, 3),
    ],
)
def test_what_can_not_be_resolved_is_rejected(stated, rule):
    with pytest.raises(EntryError) as caught:
        settled(**stated)
    assert caught.value.rule == rule


def test_missing_numbers_follow_from_symbols():
    assert settled("C 2/c").group.number == 15
    assert settled("C 2/c", 999).group.number == 15
    assert settled(number=14).group.xhm() == "P 1 21/c 1"


def sites_of(xyz, elements=None, occupancy=None):
    n = len(xyz)
    return Sites(
        tuple(elements or ["Al"] * n),
        np.array(xyz, dtype=float),
        np.array(occupancy or [1.0] * n),
        np.full(n, 0.01),
    )


def test_multiplicities_of_corundum():
    hall = gemmi.SpaceGroup("R -3 c:H").hall
    xyz = np.array([[0, 0, 0.3522], [0.3064, 0, 0.25], [0, 0, 0], [0.1, 0.23, 0.37]])
    np.testing.assert_array_equal(multiplicities(xyz, HEXAGONAL, hall), [12, 18, 6, 36])


def all_atoms(crystal):
    operations = operations_of(crystal.group.hall)
    images = crystal.sites.xyz @ operations.rotations.transpose(0, 2, 1)
    images = (images + operations.translations[:, None]).reshape(-1, 3) % 1.0
    elements = list(crystal.sites.elements) * len(operations.rotations)
    keep = {}
    for element, xyz in zip(elements, images, strict=True):
        keep.setdefault((element, *(np.round(xyz, 4) % 1.0)), None)
    return sorted(keep)


@pytest.mark.parametrize("xhm", ["R -3 c:H", "F d -3 m:2", "P 1 21/c 1", "P n m a", "P 42/m n m"])
def test_symmetry_of_a_p1_cell_is_found(xhm):
    group = gemmi.SpaceGroup(xhm)
    cell = cell_of(group)
    given = Crystal(cell, group, sites_of([[0.11, 0.23, 0.37], [0, 0, 0]], ["O", "Fe"]))
    atoms = all_atoms(given)
    p1 = Crystal(
        cell, gemmi.SpaceGroup("P 1"), sites_of([a[1:] for a in atoms], [a[0] for a in atoms])
    )
    found = find_symmetry(p1, 0.01)
    assert found.group.number == group.number
    assert len(found.sites) == 2
    assert found.volume_ratio == pytest.approx(1.0)
    assert len(all_atoms(found)) == len(atoms)
    assert bravais_symbol(found.group) == bravais_symbol(group)


def test_a_primitive_cell_becomes_the_conventional_one():
    a = 5.64 / np.sqrt(2)
    primitive = Crystal(
        np.array([a, a, a, 60.0, 60.0, 60.0]),
        gemmi.SpaceGroup("P 1"),
        sites_of([[0, 0, 0], [0.5, 0.5, 0.5]], ["Na", "Cl"]),
    )
    found = find_symmetry(primitive, 0.01)
    assert found.group.xhm() == "F m -3 m"
    np.testing.assert_allclose(found.cell, [5.64, 5.64, 5.64, 90, 90, 90], atol=1e-9)
    assert found.volume_ratio == pytest.approx(4.0)


def test_mixed_sites_stay_together():
    mixed = Crystal(
        np.array([4.0, 4.0, 4.0, 90, 90, 90]),
        gemmi.SpaceGroup("P 1"),
        sites_of([[0, 0, 0], [0, 0, 0], [0.5, 0.5, 0.5]], ["Fe", "Co", "Ti"], [0.4, 0.6, 1.0]),
    )
    found = find_symmetry(mixed, 0.01)
    assert found.group.xhm() == "P m -3 m"
    assert sorted(found.sites.elements) == ["Co", "Fe", "Ti"]
    np.testing.assert_allclose(sorted(found.sites.occupancy), [0.4, 0.6, 1.0])


def test_no_atoms_no_symmetry():
    with pytest.raises(EntryError) as caught:
        find_symmetry(Crystal(MONOCLINIC, gemmi.SpaceGroup("P 1"), sites_of(np.empty((0, 3)))), 0.1)
    assert caught.value.rule == 3


def test_cell_of_a_setting_in_the_standard_order():
    group = gemmi.SpaceGroup("P 1 1 21/b")
    standard = cell_to_standard(cell_of(group), cell_system(group), unique_axis(group))
    assert standard[4] == 101.0


def shells(crystal, operations=None):
    """For each kind of atom its distances to neighbours below 4 A, sorted; one atom of each."""
    operations = operations or operations_of(crystal.group.hall)
    xyz = crystal.sites.xyz @ operations.rotations.transpose(0, 2, 1)
    xyz = (xyz + operations.translations[:, None]).reshape(-1, 3) % 1.0
    grid = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3)
    others = np.unique(np.round((xyz[:, None] + grid).reshape(-1, 3), 6), axis=0)
    metric = metric_tensor(crystal.cell)
    found = []
    for site in crystal.sites.xyz % 1.0:
        shift = others - site
        distance = np.sqrt(np.einsum("ni,ij,nj->n", shift, metric, shift))
        found.append(np.sort(distance[(distance > 0.01) & (distance < 4.0)]))
    return found


@pytest.mark.parametrize("shift", [(0.125, 0.125, 0.125), (0.2137, 0.0, 0.391)])
@pytest.mark.parametrize("xhm", ["P 1 21/c 1", "C 1 2/c 1", "P n m a", "R -3 c:H", "I 41/a m d:2"])
def test_a_rewritten_structure_keeps_its_distances(xhm, shift):
    group = gemmi.SpaceGroup(xhm)
    listed = operations_of(group.hall)
    moved = np.array(shift)
    translations = listed.translations + moved - listed.rotations @ moved
    operations = Operations(listed.rotations, translations)
    sites = sites_of([[0.11, 0.23, 0.37], [0.31, 0.07, 0.19]], ["O", "Fe"])
    given = Crystal(cell_of(group), group, sites)
    result = in_standard_setting(given.cell, operations, sites)
    assert result.group.number == group.number
    assert result.volume_ratio == pytest.approx(1.0)
    for before, after in zip(shells(given, operations), shells(result), strict=True):
        assert len(before) > 0
        np.testing.assert_allclose(before, after, atol=1e-5)


def test_found_symmetry_keeps_distances():
    group = gemmi.SpaceGroup("R -3 c:R")
    cell = np.array([5.13, 5.13, 5.13, 55.3, 55.3, 55.3])
    given = Crystal(cell, group, sites_of([[0.352] * 3, [0.556, 0.944, 0.25]], ["Al", "O"]))
    found = find_symmetry(given, 0.01)
    assert found.group.xhm() == "R -3 c:H"
    assert found.volume_ratio == pytest.approx(3.0)
    for before, after in zip(shells(given), shells(found), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-4)
