"""Validation indexing on a small made data set."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from helpers.indexing_models import Models, lines_of
from mlindex.base.columns import cell_names
from mlindex.base.schema import write_table
from mlindex.base.statistics import wilson_interval
from mlindex.crystal.lattice import SYSTEMS
from mlindex.learning.choice import centring_of, choose_entries
from mlindex.method.settings import Optimization, Validation
from mlindex.method.tables import RATES, VALIDATION
from mlindex.method.validation import rates, validate, validate_methods

SYMBOLS = {"mP": "P 1 21/c 1", "mC": "C 1 2/c 1"}


def _dataset() -> pd.DataFrame:
    rows = []
    for i in range(8):
        bravais = "mP" if i % 4 else "mC"
        cell = np.array([5.2 + 0.1 * i, 7.4 + 0.2 * i, 9.9, 90, 100 + i, 90])
        rows.append(
            {
                "entry_id": f"made:{i}:x",
                "bravais_lattice": bravais,
                "hm_symbol": SYMBOLS[bravais],
                "unique_axis": "b",
                "group": f"{bravais}_b_00",
                "side": "train" if i == 7 else "validation",
                "usable": i != 6,
                **dict(zip(cell_names(""), cell, strict=True)),
                "observed_q2_inv_A2": lines_of(cell, bravais[1], 30),
            }
        )
    return pd.DataFrame(rows)


def _models() -> Models:
    frame = _dataset()
    return Models("monoclinic", frame[cell_names("")].to_numpy(), error=0.03, count=300)


def test_entries_are_found_whatever_the_number_of_workers(tmp_path) -> None:
    results = [
        validate(_dataset(), _models(), Optimization(), Validation(entries=4), 11, workers)
        for workers in (1, 3)
    ]
    pd.testing.assert_frame_equal(results[0].table, results[1].table)
    table = results[0].table
    write_table(tmp_path / "validation.parquet", VALIDATION, table)
    assert len(table) == len(results[0].seconds) == 4
    assert list(table["outcome"]) == ["found"] * 4
    assert list(table["rank"]) == [1] * 4
    assert set(table["bravais_lattice"]) == {"mP", "mC"}
    assert np.all(table["best_initial_distance_A"] < 1)


def test_what_cannot_be_found_is_missed() -> None:
    models = Models("monoclinic", [30.0, 3.0, 40.0, 90, 91, 90], error=0.01, count=5)
    settings = Optimization(iterations=2)
    table = validate(_dataset(), models, settings, Validation(entries=2), 1).table
    assert set(table["outcome"]) == {"missed"}


def test_only_usable_validation_entries_are_chosen_and_evenly() -> None:
    chosen = choose_entries(_dataset(), 4, 5)
    assert sorted(chosen["bravais_lattice"].value_counts()) == [2, 2]
    assert len(choose_entries(_dataset(), 100, 5)) == 6
    again = choose_entries(_dataset().sample(frac=1, random_state=1), 4, 5)
    assert list(chosen["entry_id"]) == list(again["entry_id"])


def test_empty_dataset_gives_empty_tables(tmp_path) -> None:
    result = validate(_dataset().head(0), _models(), Optimization(), Validation(), 1)
    write_table(tmp_path / "v.parquet", VALIDATION, result.table)
    write_table(tmp_path / "r.parquet", RATES, rates(result.table))


@pytest.mark.parametrize(
    ("symbol", "axis", "system", "letter"),
    [
        ("P 1 21/c 1", "b", "monoclinic", "P"),
        ("C 1 2/c 1", "b", "monoclinic", "C"),
        ("A 1 1 2/m", "c", "monoclinic", "A"),
        ("B 1 1 2", "c", "monoclinic", "C"),
        ("B 2 1 1", "a", "monoclinic", "A"),
        ("I 1 2/a 1", "b", "monoclinic", "I"),
        ("B b c m", "", "orthorhombic", "B"),
        ("R -3 c :R", "", "rhombohedral", "P"),
    ],
)
def test_centring_letters_move_with_the_axes(symbol, axis, system, letter) -> None:
    assert centring_of(symbol, SYSTEMS[system], axis) == letter


@pytest.mark.parametrize(("successes", "entries"), [(0, 7), (3, 10), (50, 50), (81, 100)])
def test_interval_is_that_of_scipy(successes: int, entries: int) -> None:
    expected = binomtest(successes, entries).proportion_ci(method="wilson")
    assert wilson_interval(successes, entries) == pytest.approx((expected.low, expected.high))


def test_rates_by_hand(tmp_path) -> None:
    frame = pd.DataFrame(
        {
            "method": ["nearest"] * 5,
            "bravais_lattice": ["mC"] * 4 + ["mP"],
            "outcome": ["found", "found", "explained", "missed", "missed"],
        }
    )
    table = rates(frame).set_index(["bravais_lattice", "outcome"])
    assert table.loc[("mC", "found"), "rate"] == 0.5
    assert table.loc[("mC", "found or explained"), "successes"] == 3
    assert table.loc[("mP", "found"), "successes"] == 0
    assert table.loc[("mC", "found"), "published"] == "81 to 92"
    write_table(tmp_path / "rates.parquet", RATES, rates(frame))


def test_both_methods_are_run_and_counted() -> None:
    settings = Validation(entries=2, network_entries=1)
    models = Models("monoclinic", _dataset()[cell_names("")].to_numpy(), error=0.02, count=60)
    result = validate_methods(_dataset(), models, Optimization(iterations=10), settings, 3)
    assert list(result.table["method"]) == ["nearest", "nearest", "network"]
    assert set(rates(result.table)["method"]) == {"nearest", "network"}
