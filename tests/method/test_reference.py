import numpy as np
import pandas as pd
import pytest

from helpers.synthetic_dataset import dataset_of, random_cell
from mlindex.crystal.cell import UnitCell, reciprocal_from_cell
from mlindex.crystal.lattice import SYSTEMS
from mlindex.crystal.reindexed import hkl_to_standard
from mlindex.learning.rows import training_entries
from mlindex.method.lattices import defaults_of
from mlindex.method.reference import labels, reference_list, standard_cells, unique_reflections
from mlindex.method.tables import REFERENCE


def _box(limit):
    span = np.arange(-limit, limit + 1)
    return np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("name", SYSTEMS)
def test_one_reflection_for_each_position(name):
    # In a cell with incommensurate parameters, two reflections coincide only by symmetry.
    system = SYSTEMS[name]
    cell = UnitCell.from_array(random_cell(system, "b", np.random.default_rng(12)))
    hkl = _box(3)
    hkl = hkl[np.any(hkl != 0, axis=1)]
    unique = unique_reflections(hkl, system)
    everything = np.unique(np.round(cell.q2_inv_A2(hkl), 10))
    of_unique = np.sort(np.round(cell.q2_inv_A2(unique), 10))
    np.testing.assert_allclose(of_unique, everything, atol=1e-9)


def test_cubic_list_is_the_textbook_one():
    table = reference_list(dataset_of(SYSTEMS["cubic"]), SYSTEMS["cubic"])
    hkl = table[["h", "k", "l"]].to_numpy(dtype=int)
    sums = (hkl**2).sum(axis=1)
    # Sums of three squares: all but those of the form 4^a (8b + 7) (Legendre).
    allowed = [
        n
        for n in range(1, 200)
        if n
        not in {
            7,
            15,
            23,
            28,
            31,
            39,
            47,
            55,
            60,
            63,
            71,
            79,
            87,
            92,
            95,
            103,
            111,
            112,
            119,
            124,
            127,
            135,
            143,
            151,
            156,
            159,
            167,
            175,
            183,
            188,
            191,
            199,
        }
    ]
    assert len(table) == 100
    assert sums[:-1].tolist() == allowed[:99]
    assert hkl[-1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", SYSTEMS)
def test_list_holds_the_smallest_mean_spacings_in_order(name):
    system = SYSTEMS[name]
    dataset = dataset_of(system)
    table = reference_list(dataset, system)
    assert REFERENCE.arrow(table).num_rows == defaults_of(system).n_reference
    hkl = table[["h", "k", "l"]].to_numpy(dtype=int)[:-1]
    mean_q = table["mean_q_inv_A"].to_numpy()[:-1]
    assert (np.diff(mean_q) >= 0).all()
    x = reciprocal_from_cell(standard_cells(training_entries(dataset), system))
    everything = unique_reflections(_box(22), system)
    q = np.sqrt(system.design_matrix(everything) @ x[:, list(system.pick)].T).mean(axis=1)
    np.testing.assert_allclose(np.sort(q)[: len(mean_q)], mean_q, rtol=1e-9)
    own = np.sqrt(system.design_matrix(hkl) @ x[:, list(system.pick)].T).mean(axis=1)
    np.testing.assert_allclose(own, mean_q, rtol=1e-9)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_peak_lies_where_its_label_does(name):
    system = SYSTEMS[name]
    dataset = dataset_of(system)
    reference = reference_list(dataset, system)[["h", "k", "l"]].to_numpy(dtype=int)
    cells = standard_cells(dataset, system)
    found = total = 0
    for row, cell in zip(dataset.itertuples(), cells, strict=True):
        hkl = np.stack([row.present_h, row.present_k, row.present_l], axis=-1)
        standard = hkl_to_standard(hkl, system, row.unique_axis)
        label = labels(standard, reference, system)
        known = label < len(reference) - 1
        q2 = UnitCell.from_array(cell).q2_inv_A2(reference[label])
        np.testing.assert_allclose(q2[known], np.asarray(row.present_q2_inv_A2)[known], rtol=1e-9)
        found, total = found + known.sum(), total + len(known)
    assert found > 0.8 * total


@pytest.mark.parametrize("name", SYSTEMS)
def test_labels_of_the_list_itself_its_opposites_and_strangers(name):
    system = SYSTEMS[name]
    reference = reference_list(dataset_of(system, 0), system)[["h", "k", "l"]].to_numpy(dtype=int)
    rows = np.arange(len(reference))
    assert np.array_equal(labels(reference, reference, system), rows)
    assert np.array_equal(labels(-reference, reference, system), rows)
    last = len(reference) - 1
    strangers = np.array([[[90, 1, 0], [0, 0, 0]], [[40, 41, 42], [-300, 0, 5]]])
    assert np.array_equal(labels(strangers, reference, system), np.full((2, 2), last))
    assert labels(np.empty((0, 3), dtype=int), reference, system).shape == (0,)
    shuffled = np.concatenate([reference[:-1][::-1], reference[-1:]])
    assert np.array_equal(labels(shuffled[:-1], shuffled, system), rows[:-1])


def test_monoclinic_indices_are_those_of_the_standard_setting():
    system = SYSTEMS["monoclinic"]
    dataset = dataset_of(system)
    assert set(dataset["unique_axis"]) == {"a", "b", "c"}
    cells = standard_cells(dataset, system)
    np.testing.assert_array_equal(cells[:, [3, 5]], 90.0)
    assert (cells[:, 4] != 90.0).all()
    assert (cells[:, 0] < cells[:, 2]).all()


def test_validation_entries_do_not_count():
    system = SYSTEMS["tetragonal"]
    dataset = dataset_of(system)
    spoilt = dataset.copy()
    spoilt.loc[spoilt["side"] == "validation", "c_A"] = 1e4
    pd.testing.assert_frame_equal(reference_list(spoilt, system), reference_list(dataset, system))


def test_a_very_long_axis_fills_the_list_with_its_orders():
    system = SYSTEMS["orthorhombic"]
    dataset = dataset_of(system).assign(a_A=3.0, b_A=4.0, c_A=3000.0)
    table = reference_list(dataset, system)
    assert table["l"].tolist()[:499] == list(range(1, 500))
