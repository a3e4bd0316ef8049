"""The three cells, over every setting that gemmi knows, against gemmi and spglib."""

import gemmi
import numpy as np
import pandas as pd
import pytest
import spglib

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.schema import stack
from mlindex.crystal import basis
from mlindex.crystal.cell import cell_from_metric, cell_volume, metric_tensor, reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, bravais_of, quadratic_terms
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.structures.reduction import COLUMNS, reduce_entries
from mlindex.structures.settings import Reduction
from mlindex.structures.tables import CELLS, REJECTS

PER_SETTING = 3


def lattice_of(group):
    """Bravais lattice by what the International Tables say, not by the code under test."""
    letter, centring = group.crystal_system_str(), group.hm[0]
    if letter == "trigonal":
        return "hR" if centring == "R" else "hP"
    if letter == "triclinic":
        return "aP"
    if letter == "monoclinic":
        across = {"a": "A", "b": "B", "c": "C"}[group.monoclinic_unique_axis()]
        return "mP" if centring in ("P", across) else "mC"
    if letter == "tetragonal":
        return "tP" if centring in "PC" else "tI"
    if letter == "orthorhombic":
        return "oC" if centring in "ABC" else f"o{centring}"
    return letter[0] + centring


def row(symbol, cell, bravais=None, hall=None, name="x"):
    group = gemmi.SpaceGroup(symbol)
    bravais = bravais or lattice_of(group)
    system = BRAVAIS[bravais].system.name
    head = (f"s:{name}:b", "s", f"{name}.cif", group.number, group.xhm(), hall or group.hall)
    return (*head, system, bravais, *cell)


def reduce(*rows, **settings):
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return reduce_entries(frame, Reduction(**settings))


def random_cell(group, rng):
    """A cell that obeys the group's operations and nothing more."""
    cell = np.concatenate([rng.uniform(3, 20, 3), rng.uniform(75, 112, 3)])
    metric = metric_tensor(cell)
    rotations = np.array([op.rot for op in group.operations().sym_ops]) // gemmi.Op.DEN
    return cell_from_metric(np.mean([r.T @ metric @ r for r in rotations], axis=0))


@pytest.fixture(scope="module", params=[True, False], ids=["plane reduced", "only sorted"])
def every_setting(request):
    rng = np.random.default_rng(11)
    rows = [
        row(group.xhm(), random_cell(group, rng), lattice_of(group), group.hall, f"{n}_{copy}")
        for n, group in enumerate(gemmi.spacegroup_table())
        for copy in range(PER_SETTING)
    ]
    cells, rejects = reduce(*rows, reduce_plane=request.param)
    assert len(cells) == len(rows) == PER_SETTING * len(list(gemmi.spacegroup_table()))
    assert rejects.empty
    return cells


def cells_of(frame, prefix):
    return frame[cell_names(prefix)].to_numpy(float)


def test_tables_are_valid_and_all_lattices_are_met(every_setting):
    assert CELLS.arrow(every_setting).num_rows == len(every_setting)
    assert set(every_setting["bravais_lattice"]) == set(BRAVAIS)


def test_operators_lead_from_cell_to_cell(every_setting):
    metric = metric_tensor(cells_of(every_setting, ""))
    for prefix, column in (("reindexed_", "reindexed_operator"), ("niggli_", "niggli_operator")):
        p = stack(every_setting[column]).reshape(-1, 3, 3)
        np.testing.assert_allclose(
            metric_tensor(cells_of(every_setting, prefix)),
            np.swapaxes(p, 1, 2) @ metric @ p,
            rtol=1e-9,
            atol=1e-9,
        )
        assert (np.linalg.det(p) > 0).all()


def test_lattice_points_and_volumes(every_setting):
    volume = cell_volume(cells_of(every_setting, ""))
    n_points = every_setting["n_points"].to_numpy()
    assert n_points.tolist() == [
        len(gemmi.symops_from_hall(hall).cen_ops) for hall in every_setting["hall_symbol"]
    ]
    np.testing.assert_allclose(volume / n_points, cell_volume(cells_of(every_setting, "niggli_")))
    wanted = np.array([BRAVAIS[b].n_points for b in every_setting["bravais_lattice"]])
    np.testing.assert_allclose(
        volume / n_points * wanted, cell_volume(cells_of(every_setting, "reindexed_"))
    )
    hexagonal_axes = every_setting["hm_symbol"].str.endswith(":H").to_numpy()
    assert hexagonal_axes.sum() == 7 * PER_SETTING
    assert (n_points[hexagonal_axes] == 3).all()


def test_reindexed_cells_obey_their_system(every_setting):
    for name, rows in every_setting.groupby("lattice_system"):
        system = SYSTEMS[name]
        for cell, axis in zip(cells_of(rows, "reindexed_"), rows["unique_axis"], strict=True):
            standard = cell_to_standard(cell, system, axis)
            assert system.fits(standard, 1e-12, 1e-9)
            assert bool(axis) == (system.unique_axis is not None)
            if system.sorts_axes:
                assert cell[0] <= cell[1] + 1e-7
                assert cell[1] <= cell[2] + 1e-7


def test_niggli_cells_agree_with_gemmi_and_spglib(every_setting):
    for index in range(0, len(every_setting), 2):
        entry = every_setting.iloc[index]
        given = gemmi.UnitCell(*entry[cell_names("")])
        reindexed = gemmi.UnitCell(*entry[cell_names("reindexed_")])
        found = entry[cell_names("niggli_")].to_numpy(float)
        for cell, group in (
            (given, gemmi.SpaceGroup(entry["hm_symbol"])),
            (reindexed, gemmi.SpaceGroup(entry["reindexed_hm_symbol"])),
        ):
            vector = gemmi.GruberVector(cell, group)
            vector.niggli_reduce()
            np.testing.assert_allclose(found, vector.cell_parameters(), rtol=1e-6)
        primitive = np.array(given.orth.mat) @ basis.primitive_operator(entry["hall_symbol"])
        # An epsilon of spglib's default decides ties differently from gemmi's.
        rows = spglib.niggli_reduce(primitive.T, eps=1e-8)
        np.testing.assert_allclose(
            found, cell_from_metric(np.array(rows) @ np.array(rows).T), rtol=1e-6
        )


def test_reflections_keep_q2_and_absences(every_setting):
    """Every reflection below a limit, listed in each setting by gemmi alone."""
    for index in range(0, len(every_setting), 7):
        entry = every_setting.iloc[index]
        operator = np.array(entry["reindexed_operator"]).reshape(3, 3)
        lists = []
        for prefix, symbol in (("", "hm_symbol"), ("reindexed_", "reindexed_hm_symbol")):
            cell = gemmi.UnitCell(*entry[cell_names(prefix)])
            group = gemmi.SpaceGroup(entry[symbol])
            d_min = (cell.volume / len(group.operations().cen_ops)) ** (1 / 3) / 2.5
            hkl = gemmi.make_miller_array(cell, group, d_min, unique=False)
            x = reciprocal_from_cell(np.array(cell.parameters))
            lists.append((hkl, quadratic_terms(hkl) @ x))
        (hkl, q2), (moved, moved_q2) = lists
        np.testing.assert_allclose(np.sort(q2), np.sort(moved_q2), rtol=1e-9)
        transformed = np.rint(hkl @ operator).astype(int)
        assert {tuple(t) for t in transformed.tolist()} == {tuple(m) for m in moved.tolist()}


def test_recorded_discrepancy_is_rounding_only(every_setting):
    assert every_setting["q2_discrepancy"].max() < 1e-11


@pytest.mark.parametrize(
    ("cell", "symbol"),
    [
        ((5, 7, 9), "P 21 21 2"),
        ((5, 9, 7), "P 21 2 21"),
        ((7, 9, 5), "P 2 21 21"),
        ((9, 7, 5), "P 2 21 21"),
        ((9, 5, 7), "P 21 2 21"),
        ((7, 5, 9), "P 21 21 2"),
    ],
)
def test_symbol_follows_the_axes(cell, symbol):
    cells, _ = reduce(row("P 21 21 2", (*cell, 90, 90, 90)))
    assert cells["reindexed_hm_symbol"][0] == symbol
    assert cells_of(cells, "reindexed_")[0].tolist() == [5, 7, 9, 90, 90, 90]


@pytest.mark.parametrize(
    ("symbol", "cell", "expected", "axis", "reindexed"),
    [
        # The text-book permutations of P n m a (Int. Tables A, settings of No. 62).
        ("P n m a", (9, 5, 7, 90, 90, 90), "P m c n", "", (5, 7, 9, 90, 90, 90)),
        ("C m c m", (9, 5, 7, 90, 90, 90), "B b m m", "", (5, 7, 9, 90, 90, 90)),
        ("P 1 21/c 1", (6, 9, 7, 90, 100, 90), "P 1 1 21/b", "c", (6, 7, 9, 90, 90, 100)),
        ("P 1 21/c 1", (7, 4, 6, 90, 100, 90), "P 21/b 1 1", "a", (4, 6, 7, 100, 90, 90)),
        ("P 1 21/c 1", (7, 6, 8, 90, 80, 90), "P 21/c 1 1", "a", (6, 7, 8, 100, 90, 90)),
        ("P 4 2 2", (5, 5, 3, 90, 90, 90), "P 4 2 2", "", (5, 5, 3, 90, 90, 90)),
        ("F 4 2 2", (8, 8, 3, 90, 90, 90), "I 4 2 2", "", (32**0.5, 32**0.5, 3, 90, 90, 90)),
    ],
)
def test_known_settings(symbol, cell, expected, axis, reindexed):
    cells, _ = reduce(row(symbol, cell))
    assert cells["reindexed_hm_symbol"][0] == expected
    assert cells["unique_axis"][0] == axis
    np.testing.assert_allclose(cells_of(cells, "reindexed_")[0], reindexed, rtol=1e-12)


@pytest.mark.parametrize("hall", ['-R 3 2"c', '-R 3 2"c (-x,-y,z)'], ids=["obverse", "reverse"])
def test_corundum_on_rhombohedral_axes(hall):
    """a_r = 5.128 A and alpha = 55.28 degrees: Newnham & de Haan, Z. Krist. 117 (1962) 235."""
    cells, _ = reduce(row("R -3 c:H", (4.7589, 4.7589, 12.9911, 90, 90, 120), hall=hall))
    cell = cells_of(cells, "reindexed_")[0]
    assert cell[:3] == pytest.approx([5.1284] * 3, abs=2e-3)
    assert cell[3:] == pytest.approx([55.28] * 3, abs=0.02)
    assert cell[0] == cell[1] == cell[2]
    assert cells["reindexed_hm_symbol"][0] == "R -3 c:R"
    assert cell_volume(cell) == pytest.approx(cells["volume_A3"][0] / 3)
    # The obverse condition -h+k+l = 3n, its mirror image for the reverse setting.
    operator = np.array(cells["reindexed_operator"][0]).reshape(3, 3)
    present = np.array([1, 0, 4] if "(" not in hall else [0, 1, 4])
    wrong = np.array([0, 1, 4] if "(" not in hall else [1, 0, 4])
    np.testing.assert_allclose(present @ operator, np.rint(present @ operator), atol=1e-9)
    assert np.abs(wrong @ operator - np.rint(wrong @ operator)).max() > 0.3


def test_choices_of_one_monoclinic_cell_have_one_reindexed_cell():
    """P 1 21/c 1, P 1 21/n 1 and P 1 21/a 1 of the same crystal: same cell, same symbol."""
    first = row("P 1 21/c 1", (7.1, 11.3, 9.2, 90, 101, 90), name="c")
    metric = metric_tensor(np.array(first[-6:]))
    others = []
    for symbol, p in (
        ("P 1 21/n 1", [[1, 0, 1], [0, 1, 0], [0, 0, 1]]),
        ("P 1 21/a 1", [[0, 0, 1], [0, -1, 0], [1, 0, 0]]),
        ("P 1 21/c 1", [[1, 0, 0], [0, 1, 0], [2, 0, 1]]),
    ):
        p = np.array(p, dtype=float)
        others.append(row(symbol, cell_from_metric(p.T @ metric @ p), name=f"{len(others)}"))
    cells, _ = reduce(first, *others)
    found = cells_of(cells, "reindexed_")
    np.testing.assert_allclose(found, np.tile(found[0], (4, 1)), rtol=1e-9)
    assert len(set(cells["reindexed_hm_symbol"])) == 1
    as_given, _ = reduce(first, *others, reduce_plane=False)
    assert as_given["reindexed_b_A"].nunique() > 1


def test_equal_axes_stay_in_order():
    cells, _ = reduce(
        row("P 21 21 2", (5, 5, 5, 90, 90, 90), name="all"),
        row("P 21 21 2", (7, 5, 5, 90, 90, 90), name="two"),
    )
    np.testing.assert_array_equal(np.array(cells["reindexed_operator"][0]).reshape(3, 3), np.eye(3))
    assert cells["reindexed_hm_symbol"].tolist() == ["P 21 21 2", "P 21 2 21"]


def test_cell_is_made_to_obey_its_symmetry():
    cells, rejects = reduce(row("P 4/m", (5.001, 5.003, 7, 90, 90.05, 90)))
    assert rejects.empty
    found = cells_of(cells, "")[0]
    assert found == pytest.approx([5.002, 5.002, 7, 90, 90, 90], abs=2e-6)
    assert found[0] == pytest.approx(found[1], rel=1e-14)
    exact = (5.123456789, 6.1, 7.2, 90, 101.23456789, 90)
    cells, _ = reduce(row("P 1 21/c 1", exact))
    assert cells_of(cells, "")[0].tolist() == list(exact)


@pytest.mark.parametrize(
    ("bad", "seen"),
    [
        (row("P 4/m", (5, 6, 7, 90, 90, 90)), "5 6 7"),
        (row("P 4/m", (5, 5, 5, 90, 90, 90), bravais="cP"), "-P 4 as cP"),
        (row("C 1 2 1", (5, 6, 7, 90, 99, 90), bravais="mP"), "C 2y as mP"),
        (row("P 1", (5, 6, 7, 80, 90, 99), hall="Q 17"), "Q 17"),
    ],
)
def test_what_contradicts_itself_is_rejected_and_nothing_else(bad, seen):
    good = row("P 1 2 1", (5, 6, 7, 90, 99, 90), name="good")
    cells, rejects = reduce(bad, good)
    assert cells["entry_id"].tolist() == ["s:good:b"]
    assert REJECTS.arrow(rejects).num_rows == 1
    assert (rejects["rule"][0], rejects["rule_name"][0]) == (1, "symmetry and lattice")
    assert seen in rejects["seen"][0]


def test_a_cell_that_lost_its_q2_is_rejected(monkeypatch):
    right = basis.transformed_cells
    longer = np.array([1 + 1e-5] * 3 + [1] * 3)
    monkeypatch.setattr(basis, "transformed_cells", lambda c, p: right(c, p) * longer)
    cells, rejects = reduce(row("P 2 2 2", (5, 6, 7, 90, 90, 90)))
    assert cells.empty
    assert rejects["rule"].tolist() == [3]
    assert float(rejects["seen"][0]) == pytest.approx(2e-5, rel=0.01)


def test_a_reduction_without_end_is_rejected(monkeypatch):
    monkeypatch.setattr("mlindex.structures.reduction._NIGGLI_STEPS", 1)
    _, rejects = reduce(row("P 1", (5, 40, 7, 20, 30, 40)), row("P -1", (3, 4, 5, 80, 85, 88)))
    assert rejects["rule_name"].tolist() == ["Niggli reduction"] * 2


def test_nothing_in_nothing_out():
    cells, rejects = reduce()
    assert CELLS.arrow(cells).num_rows == REJECTS.arrow(rejects).num_rows == 0


def test_symbols_over_gemmis_table():
    """Each setting is found again, or another name of the same one up to origin."""
    for group in gemmi.spacegroup_table():
        found = gemmi.SpaceGroup(basis.symbol_after(group.hall, np.eye(3)))
        assert found.number == group.number
        ours, theirs = found.operations(), group.operations()
        assert ours.has_same_centring(theirs)
        assert ours.has_same_rotations(theirs)
        hkl = basis_box()
        np.testing.assert_array_equal(
            ours.systematic_absences(hkl), theirs.systematic_absences(hkl)
        )


def basis_box():
    return (np.indices((9, 9, 9)).reshape(3, -1).T - 4).astype(np.int32)


def test_setting_without_a_symbol_is_named_by_its_change_of_basis():
    # Doubled c: gemmi's table has no such setting.
    operator = np.diag([1.0, 1.0, 2.0])
    assert basis.symbol_after("P 2y", operator) == "P 2y (x,y,2*z)"
    assert basis.transformed_operations("P 2y", operator).n_points == 2


def in_gemmi(operations):
    made = []
    for rotation, translation in zip(operations.rotations, operations.translations, strict=True):
        for centring in operations.centring:
            operation = gemmi.Op()
            operation.rot = (rotation * gemmi.Op.DEN).tolist()
            operation.tran = ((translation + centring) % gemmi.Op.DEN).tolist()
            made.append(operation)
    return gemmi.GroupOps(made)


def test_transformed_operations_agree_with_gemmi():
    operator = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    change = gemmi.Op("z,x,y").inverse()
    for symbol in ("P 21 21 2", "C 2 2 21", "F d d d:1", "I b c a"):
        group = gemmi.SpaceGroup(symbol)
        expected = group.operations()
        expected.change_basis_forward(change)
        assert in_gemmi(basis.transformed_operations(group.hall, operator)) == expected


def test_change_that_leaves_the_lattice_is_refused():
    with pytest.raises(MlindexError, match="basis change"):
        basis.transformed_operations("P 2y", np.diag([0.5, 1.0, 1.0]))


def test_every_system_has_its_lattices():
    assert sum(len(bravais_of(name)) for name in SYSTEMS) == len(BRAVAIS) == 14
