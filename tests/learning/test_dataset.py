import numpy as np
import pandas as pd
import pytest

from helpers.synthetic_dataset import SYMBOLS, crystal, frames
from mlindex.base.schema import read_table, stack, write_table
from mlindex.crystal.cell import UnitCell
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, bravais_of
from mlindex.learning.dataset import (
    CELL_COLUMNS,
    DUPLICATE_COLUMNS,
    ENTRY_COLUMNS,
    PEAK_COLUMNS,
    build_dataset,
)
from mlindex.learning.settings import Grouping, Split
from mlindex.learning.tables import DATASET, GROUPS
from mlindex.method.reference import reference_list
from mlindex.method.scaling import fit_scaling
from mlindex.method.settings import Forest
from mlindex.method.split_comparison import compare_splits
from mlindex.method.tables import SPLITS
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, DUPLICATES, REJECTS


def build(system, tables, seed=0, **split):
    return build_dataset(
        system,
        **tables,
        grouping=Grouping(min_entries=3),
        split=Split(**split),
        rng=np.random.default_rng(seed),
    )


def crystals(bravais, count, rng, **options):
    return [
        crystal(f"made:{bravais}{i:03d}:x", bravais, rng, counts=(i % 7 + 1.0, 8.0, 4.0), **options)
        for i in range(count)
    ]


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_lattice_system_gives_valid_tables(name):
    system = SYSTEMS[name]
    rng = np.random.default_rng(1)
    made = [c for b in bravais_of(name) for c in crystals(b.symbol, 12, rng)]
    built = build(system, frames(made))
    assert DATASET.arrow(built.dataset).num_rows == len(made)
    assert GROUPS.arrow(built.groups).num_rows == len(bravais_of(name))
    assert REJECTS.arrow(built.rejects).num_rows == 0
    assert built.groups["entries"].sum() == len(made)
    assert set(built.dataset["group"]) == set(built.groups["group"])
    for row in built.dataset.itertuples():
        cell = UnitCell(row.a_A, row.b_A, row.c_A, row.alpha_deg, row.beta_deg, row.gamma_deg)
        assert row.volume_A3 == pytest.approx(cell.volume_A3)
        hkl = np.stack([row.observed_h, row.observed_k, row.observed_l], axis=-1)
        np.testing.assert_allclose(cell.q2_inv_A2(hkl), row.observed_q2_inv_A2)


def test_entries_that_fall_out_are_listed_and_counted():
    system = SYSTEMS["monoclinic"]
    rng = np.random.default_rng(2)
    good = crystals("mP", 10, rng)
    few = crystal("made:few:x", "mP", rng, n_observed=19)
    enough = crystal("made:enough:x", "mP", rng, n_observed=20)
    no_peaks, no_cell = (crystal(f"made:{n}:x", "mP", rng) for n in ("nopeaks", "nocell"))
    duplicate, other = crystal("made:dup:x", "mP", rng), crystal("made:other:x", "oP", rng)
    duplicate["duplicates"] |= {"kept": False, "representative_id": "made:few:x"}
    made = [*good, few, enough, no_peaks, no_cell, duplicate, other]
    tables = frames(made)
    tables["peaks"] = tables["peaks"][tables["peaks"]["entry_id"] != "made:nopeaks:x"]
    tables["cells"] = tables["cells"][tables["cells"]["entry_id"] != "made:nocell:x"]
    built = build(system, tables)
    assert len(built.dataset) == 12
    assert built.dataset.set_index("entry_id")["usable"].value_counts().to_dict() == {
        True: 11,
        False: 1,
    }
    rejects = REJECTS.arrow(built.rejects).to_pandas().set_index("entry_id")
    assert rejects["rule"].to_dict() == {
        "made:nocell:x": 1,
        "made:nopeaks:x": 2,
        "made:few:x": 3,
    }
    assert rejects.loc["made:few:x", "seen"] == "19 of 20 peaks"
    assert set(rejects["stage"]) == {"dataset"}
    kept = 14
    assert kept == built.dataset["usable"].sum() + len(rejects)


def test_both_splits_are_kept_and_the_config_chooses():
    system = SYSTEMS["monoclinic"]
    rng = np.random.default_rng(3)
    elements = [("C", "H", "N"), ("C", "H", "O"), ("Br", "C", "H"), ("C", "Cl", "H")]
    made = [
        crystal(
            f"made:{i:03d}:x", "mP", rng, elements=elements[i % 4], counts=(i // 4 + 1.0, 2.0, 1.0)
        )
        for i in range(80)
    ]
    tables = frames(made)
    for unit in ("structure_type", "composition_family"):
        dataset = build(system, tables, unit=unit).dataset
        assert dataset["side"].equals(dataset[f"side_{unit}"])
        for kind in ("structure_type", "composition_family"):
            assert (dataset.groupby(kind)[f"side_{kind}"].nunique() == 1).all()
    assert not dataset["side_structure_type"].equals(dataset["side_composition_family"])
    assert (dataset["side_structure_type"] == "validation").mean() == pytest.approx(0.2, abs=0.03)


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    system = SYSTEMS["orthorhombic"]
    rng = np.random.default_rng(4)
    made = [c for b in ("oP", "oI") for c in crystals(b, 20, rng)]
    first = build(system, frames(made))
    again = build(system, {n: t.sample(frac=1, random_state=1) for n, t in frames(made).items()})
    for name, table in (("dataset", DATASET), ("groups", GROUPS), ("rejects", REJECTS)):
        assert table.arrow(getattr(first, name)).equals(table.arrow(getattr(again, name)))
    other = build(system, frames(made), seed=1)
    assert not other.dataset["side"].equals(first.dataset["side"])


@pytest.mark.parametrize("count", [0, 30])
def test_tables_read_from_files_with_the_declared_columns_alone_are_enough(tmp_path, count):
    system = SYSTEMS["monoclinic"]
    tables = frames(crystals("mP", count, np.random.default_rng(10)))
    kinds = {"cells": CELLS, "peaks": PEAKS, "duplicates": DUPLICATES}
    columns = {"cells": CELL_COLUMNS, "peaks": PEAK_COLUMNS, "duplicates": DUPLICATE_COLUMNS}
    read = {"entries": tables["entries"][list(ENTRY_COLUMNS)]}
    for name, table in kinds.items():
        write_table(tmp_path / name, table, tables[name])
        read[name] = read_table(tmp_path / name, table, columns[name])
    built = build(system, read)
    write_table(tmp_path / "dataset", DATASET, built.dataset)
    dataset = read_table(tmp_path / "dataset", DATASET)
    assert DATASET.arrow(dataset).equals(DATASET.arrow(build(system, tables).dataset))
    scaling = fit_scaling(dataset, system)
    assert scaling.equals(fit_scaling(built.dataset, system))
    reference = reference_list(dataset, system)
    assert reference.equals(reference_list(built.dataset, system))
    forest = Forest(trees=2, min_samples_leaf=2)
    comparison = compare_splits(dataset, system, forest, np.random.default_rng(0))
    assert SPLITS.arrow(comparison).num_rows == len(comparison)


@pytest.mark.parametrize("name", SYSTEMS)
def test_nothing_in_nothing_out(name):
    built = build(SYSTEMS[name], frames([]))
    assert DATASET.arrow(built.dataset).num_rows == 0
    assert GROUPS.arrow(built.groups).num_rows == 0
    assert REJECTS.arrow(built.rejects).num_rows == 0
    comparison = compare_splits(built.dataset, SYSTEMS[name], Forest(), np.random.default_rng(0))
    assert SPLITS.arrow(comparison).num_rows == 0


def test_only_unusable_entries():
    rng = np.random.default_rng(5)
    built = build(SYSTEMS["cubic"], frames(crystals("cP", 4, rng, n_observed=9)))
    assert not built.dataset["usable"].any()
    assert len(built.rejects) == 4
    assert len(DATASET.arrow(built.dataset)) == 4


def test_volume_follows_the_reindexed_cell():
    rng = np.random.default_rng(6)
    row = crystal("made:r:x", "hR", rng, symbol="R -3 c:R")
    operator = np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3
    row["cells"]["hall_symbol"] = crystal("x", "hR", rng, symbol="R -3 c:H")["cells"]["hall_symbol"]
    row["cells"]["reindexed_operator"] = operator.ravel().tolist()
    reindexed = row["cells"]["volume_A3"]
    row["cells"]["volume_A3"] *= 3.0
    built = build(SYSTEMS["rhombohedral"], frames([row]))
    assert built.dataset["volume_A3"].item() == pytest.approx(reindexed)
    assert built.groups["conditions"].item() == "hhl: l=2n"


@pytest.mark.parametrize("bravais", ["cP", "mP", "aP"])
def test_forests_learn_and_are_measured_on_both_splits(bravais):
    system = BRAVAIS[bravais].system
    rng = np.random.default_rng(7)
    dataset = build(system, frames(crystals(bravais, 120, rng))).dataset
    forest = Forest(trees=20, subsample=0.8, min_samples_leaf=1)
    table = compare_splits(dataset, system, forest, np.random.default_rng(0))
    assert SPLITS.arrow(table).num_rows == len(table)
    assert set(table["parameter"]) == {*system.free_parameters, "volume"}
    again = compare_splits(dataset, system, forest, np.random.default_rng(0))
    pd.testing.assert_frame_equal(table, again)
    wide = table.pivot(index=["split_unit", "parameter"], columns="metric", values="value")
    assert (wide["median"] <= wide["percentile_90"]).all()
    lengths = dataset[["a_A", "b_A", "c_A"]].to_numpy()
    guess = np.median(np.abs(np.median(lengths[:, 0]) / lengths[:, 0] - 1.0))
    assert wide.loc[("structure_type", "a"), "median"] < guess
    # One composition family can't be divided: it has no validation side to measure on.
    assert set(table["split_unit"]) == {"structure_type"}


def test_both_splits_are_compared():
    rng = np.random.default_rng(9)
    metals = ("Fe", "Co", "Ni", "Cu", "Zn", "Ag", "Cd", "In", "Sn", "Sb")
    made = [
        crystal(f"made:{i:03d}:x", "tP", rng, elements=("C", metals[i % 10]), counts=(i + 1.0, 2.0))
        for i in range(100)
    ]
    dataset = build(SYSTEMS["tetragonal"], frames(made)).dataset
    forest = Forest(trees=5, subsample=0.5, min_samples_leaf=2)
    table = compare_splits(dataset, SYSTEMS["tetragonal"], forest, np.random.default_rng(0))
    sizes = table.groupby("split_unit")["entries"].agg(set).to_dict()
    assert sizes == {"composition_family": {20}, "structure_type": {20}}
    assert len(table) == 2 * 3 * 2


def test_peak_columns_keep_their_lists():
    rng = np.random.default_rng(8)
    dataset = build(SYSTEMS["cubic"], frames(crystals("cF", 3, rng, n_observed=12))).dataset
    assert stack(dataset["observed_q2_inv_A2"]).shape == (3, 12)
    assert SYMBOLS["cF"] in dataset["hm_symbol"].tolist()
