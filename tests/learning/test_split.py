import re

import numpy as np
import pandas as pd
import pytest

from mlindex.base.imports import PACKAGE
from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.learning.split import (
    anonymous_formula,
    assign_sides,
    composition_family,
    structure_type,
)


def _frame(rng, n=2000, units=300, symbols=12):
    weights = rng.lognormal(0.0, 1.5, units)
    unit = rng.choice(units, size=n, p=weights / weights.sum())
    home = rng.integers(symbols, size=units)
    elsewhere = rng.random(n) < 0.1
    symbol = np.where(elsewhere, rng.integers(symbols, size=n), home[unit])
    return pd.DataFrame(
        {"hm_symbol": [f"S{s}" for s in symbol], "unit": [f"U{u:03d}" for u in unit]}
    )


@pytest.mark.parametrize("seed", range(5))
def test_whole_units_and_the_share_as_near_as_they_allow(seed):
    frame = _frame(np.random.default_rng(seed))
    side = assign_sides(frame, "unit", 0.2, np.random.default_rng(seed))
    assert set(side) == {TRAIN, VALIDATION}
    assert (frame.assign(side=side).groupby("unit")["side"].nunique() == 1).all()
    assert np.mean(side == VALIDATION) == pytest.approx(0.2, abs=0.02)


def test_each_symbol_is_split_in_its_share():
    sizes = {"A": 500, "B": 100, "C": 40, "D": 5}
    symbols = [s for s, n in sizes.items() for _ in range(n)]
    frame = pd.DataFrame({"hm_symbol": symbols, "unit": [f"U{i}" for i in range(len(symbols))]})
    side = assign_sides(frame, "unit", 0.2, np.random.default_rng(0))
    counts = frame[side == VALIDATION]["hm_symbol"].value_counts().to_dict()
    assert counts == {"A": 100, "B": 20, "C": 8, "D": 1}


def test_symbols_with_one_entry_share_the_validation_side_among_them():
    frame = pd.DataFrame({"hm_symbol": [f"S{i}" for i in range(50)]})
    frame["unit"] = frame["hm_symbol"]
    side = assign_sides(frame, "unit", 0.2, np.random.default_rng(0))
    assert np.count_nonzero(side == VALIDATION) == 10


def test_a_huge_unit_does_not_blow_the_share():
    symbols = ["A"] * 1200 + ["B"] * 500
    units = ["huge"] * 1000 + [f"U{i}" for i in range(700)]
    frame = pd.DataFrame({"hm_symbol": symbols, "unit": units})
    for seed in range(20):
        side = assign_sides(frame, "unit", 0.2, np.random.default_rng(seed))
        assert (side[:1000] == TRAIN).all()
        counts = frame[side == VALIDATION]["hm_symbol"].value_counts()
        assert counts["A"] == 200
        assert counts["B"] in (100, 101)


def test_a_unit_of_several_symbols_counts_where_most_of_it_is():
    frame = pd.DataFrame(
        {"hm_symbol": ["A"] * 3 + ["B"] * 2 + ["B"] * 8, "unit": ["u"] * 5 + list("stvwxyza")}
    )
    for seed in range(10):
        side = assign_sides(frame, "unit", 0.25, np.random.default_rng(seed))
        assert len(set(side[:5])) == 1
        # The stratum of B has eight units of one entry: its share is two of them, and that of
        # A's single unit (1.25 of 5 entries) can move it by one more.
        assert np.count_nonzero(side[5:] == VALIDATION) in (2, 3)


def test_same_seed_same_sides_in_any_order():
    frame = _frame(np.random.default_rng(1))
    side = assign_sides(frame, "unit", 0.2, np.random.default_rng(7))
    order = np.random.default_rng(2).permutation(len(frame))
    turned = frame.iloc[order].reset_index(drop=True)
    again = assign_sides(turned, "unit", 0.2, np.random.default_rng(7))
    assert np.array_equal(again, side[order])
    other = assign_sides(frame, "unit", 0.2, np.random.default_rng(8))
    assert not np.array_equal(other, side)


def test_no_entries():
    frame = pd.DataFrame({"hm_symbol": [], "unit": []}, dtype=object)
    assert len(assign_sides(frame, "unit", 0.2, np.random.default_rng(0))) == 0


@pytest.mark.parametrize(
    ("elements", "counts", "expected"),
    [
        (["Al", "F"], [4, 12], "A1 B3"),
        (["F", "Al"], [12.004, 4], "A1 B3"),
        (["D", "H", "O"], [1, 3, 2], "A1 B2"),
        (["Fe", "O"], [0.95, 1.0], "A0.487 B0.513"),
        (["Si"], [8], "A1"),
    ],
)
def test_anonymous_formula(elements, counts, expected):
    assert anonymous_formula(elements, counts) == expected


def test_names_of_units():
    assert composition_family(["O", "C", "H", "D"]) == "C-O"
    assert composition_family(["H"]) == "H"
    rutile = structure_type(136, ["O", "Ti"], [4, 2], 6.0)
    cassiterite = structure_type(136, ["O", "Sn"], [4, 2], 6.0)
    assert rutile == cassiterite
    assert rutile != structure_type(136, ["O", "Ti"], [8, 4], 12.0)


def test_the_names_of_the_sides_are_written_once():
    compared = re.compile(r"""["']side["']\] *[!=]= *["']|["']train["'], *["']?validation""")
    files = [p for p in PACKAGE.root.rglob("*.py") if compared.search(p.read_text("utf-8"))]
    assert [path.name for path in files] == ["sides.py"]
