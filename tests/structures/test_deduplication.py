"""Deduplication against hand-made cases and a pairwise referent."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlindex.base.errors import MlindexError
from mlindex.structures.deduplication import COLUMNS, composition_keys, deduplicate
from mlindex.structures.settings import Deduplication
from mlindex.structures.tables import DUPLICATES, ENTRIES

SETTINGS = Deduplication()
SALT = {"Cl": 4, "Na": 4}


def entry(name, volume=100.0, composition=SALT, r=None, source="csd", bravais="cF"):
    elements = sorted(composition)
    counts = [float(composition[e]) for e in elements]
    return (f"{source}:{name}:b", source, bravais, elements, counts, volume, r)


def frame(*entries):
    return pd.DataFrame(list(entries), columns=list(COLUMNS)).astype({"r_factor": float})


def result(*entries, order=("csd", "cod")):
    table = deduplicate(frame(*entries), list(order), SETTINGS)
    return table.set_index(table["entry_id"].str.split(":").str[1])


def test_columns_are_those_of_the_tables():
    assert set(COLUMNS) <= set(ENTRIES.names)
    table = deduplicate(frame(entry("a"), entry("b")), ["csd"], SETTINGS)
    assert DUPLICATES.arrow(table).num_rows == 2
    assert DUPLICATES.arrow(deduplicate(frame(), ["csd"], SETTINGS)).num_rows == 0


def test_lowest_r_factor_is_kept_missing_last_ties_by_identifier():
    table = result(entry("c", r=None), entry("b", r=0.05), entry("a", 101.0, r=0.08))
    assert table["kept"].to_dict() == {"c": False, "b": True, "a": False}
    assert set(table["representative_id"]) == {"csd:b:b"}
    assert table["volume_difference"]["a"] == pytest.approx(1 / 101)
    assert result(entry("b", r=0.05), entry("a", r=0.05))["kept"].to_dict() == {
        "b": False,
        "a": True,
    }


@pytest.mark.parametrize(
    ("volume", "kept"), [(95.0, False), (94.99, True), (105.26, False), (105.27, True)]
)
def test_volume_tolerance_is_of_the_larger_volume(volume, kept):
    assert result(entry("a", 100.0, r=0.01), entry("b", volume, r=0.02))["kept"]["b"] == kept


def test_lattice_and_composition_must_agree_unless_the_volume_is_the_same():
    other = {"Cl": 4, "K": 4}
    table = result(
        entry("a", r=0.01),
        entry("lattice", bravais="cP", r=0.02),
        entry("near", 100.1, other, r=0.03),
        entry("same", 100.0, {"Br": 4, "K": 4}, r=0.04),
    )
    assert table["rule"].to_dict() == {
        "a": "kept",
        "lattice": "kept",
        "near": "kept",
        "same": "volume",
    }


def test_composition_leaves_out_hydrogen_and_minor_elements():
    rows = frame(
        entry("a", composition={"C": 10, "O": 10}),
        entry("b", composition={"C": 10, "O": 10, "H": 30}),
        entry("c", composition={"C": 10, "O": 10, "D": 3}),
        entry("d", composition={"C": 10, "O": 10, "Fe": 1}),  # 4.8 %
        entry("e", composition={"C": 9, "O": 10, "Fe": 1}),  # 5.0 %
        entry("f", composition={"C": 10, "O": 9}),
        entry("g", composition={"H": 4}),
        entry("h", composition={"H": 8}),
        entry("i", composition={"C": 10, "O": 10, "H": 190}),  # both at 4.8 %: all count
    )
    keys = composition_keys(rows, 0.05)
    assert len(set(keys[:4])) == 1
    assert len({keys[0], *keys[4:]}) == 6


def test_the_closest_kept_volume_stands_for_an_entry():
    table = result(
        entry("small", 96.0, r=0.01), entry("large", 104.0, r=0.02), entry("x", 100.5, r=0.03)
    )
    assert table["representative_id"]["x"] == "csd:large:b"
    tie = result(
        entry("large", 104.0, r=0.01), entry("small", 96.0, r=0.02), entry("x", 100.0, r=0.03)
    )
    assert tie["representative_id"]["x"] == "csd:large:b"


def test_merge_by_priority_whatever_the_r_factor():
    entries = (
        entry("csd", r=0.2),
        entry("cod", 101.0, r=0.01, source="cod"),
        entry("follower", 105.5, r=0.02, source="cod"),
        entry("new", 120.0, source="cod"),
    )
    table = result(*entries)
    assert table["kept"].to_dict() == {"csd": True, "cod": False, "follower": False, "new": True}
    assert table["representative_id"]["follower"] == "csd:csd:b"
    assert table["across_sources"].to_dict() == {
        "csd": False,
        "cod": True,
        "follower": True,
        "new": False,
    }
    turned = result(*entries, order=("cod", "csd"))
    assert turned["kept"].to_dict() == {
        "csd": False,
        "cod": True,
        "follower": False,
        "new": True,
    }


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry("a"), entry("a")], "more than once"),
        ([entry("a", source="icsd")], "order of priority"),
        ([entry("a", volume=float("nan"))], "must be positive"),
        ([entry("a", volume=0.0)], "must be positive"),
    ],
)
def test_bad_input_is_told(entries, message):
    with pytest.raises(MlindexError, match=message):
        deduplicate(frame(*entries), ["csd", "cod"], SETTINGS)


def pairwise_referent(rows, order):
    """The definition word for word, comparing every entry with every kept one."""

    def composition(row):
        total = sum(row.element_counts)
        counts = dict(zip(row.elements, row.element_counts, strict=True))
        kept = {e: c for e, c in counts.items() if e not in ("H", "D") and c >= 0.05 * total}
        return kept or counts

    def is_duplicate(a, b):
        near = abs(a.volume_A3 - b.volume_A3) <= 0.05 * max(a.volume_A3, b.volume_A3)
        same = composition(a) == composition(b)
        exact = a.volume_A3 == b.volume_A3
        return a.bravais_lattice == b.bravais_lattice and ((same and near) or exact)

    def closest(row, kept):
        found = [k for k in kept if is_duplicate(row, k)]
        return min(found, key=lambda k: abs(k.volume_A3 - row.volume_A3), default=None)

    stands_for, merged = {}, []
    for source in order:
        own = []
        mine = [row for row in rows.itertuples() if row.source == source]
        for row in sorted(mine, key=lambda r: (np.nan_to_num(r.r_factor, nan=np.inf), r.entry_id)):
            match = closest(row, own)
            if match is None:
                own.append(row)
                match = closest(row, merged) or row
                stands_for[row.entry_id] = match.entry_id
            else:
                stands_for[row.entry_id] = stands_for[match.entry_id]
        merged += [row for row in own if stands_for[row.entry_id] == row.entry_id]
    return [stands_for[name] for name in rows["entry_id"]]


ROW = st.tuples(
    st.sampled_from(["csd", "cod", "generated"]),
    st.sampled_from(["cF", "mP"]),
    st.sampled_from([SALT, {"Cl": 4, "H": 2, "Na": 4}, {"K": 2}, {"Cl": 4, "K": 4}]),
    st.integers(90, 125),
    st.sampled_from([None, 0.01, 0.05, 0.09]),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(ROW, max_size=40))
def test_agrees_with_a_pairwise_referent(drawn):
    rows = frame(
        *(
            entry(f"{n:02d}", float(volume), composition, r, source, bravais)
            for n, (source, bravais, composition, volume, r) in enumerate(drawn)
        )
    )
    order = ["csd", "cod", "generated"]
    table = deduplicate(rows, order, SETTINGS)
    assert table["representative_id"].tolist() == pairwise_referent(rows, order)
    assert (table["kept"] == (table["representative_id"] == table["entry_id"])).all()
    kept = set(table["entry_id"][table["kept"]])
    assert set(table["representative_id"]) == kept


def test_order_of_rows_decides_nothing():
    rng = np.random.default_rng(5)
    rows = frame(
        *(
            entry(f"{n:03d}", float(rng.integers(90, 130)), r=float(rng.choice([0.03, np.nan])))
            for n in range(200)
        )
    )
    first = deduplicate(rows, ["csd"], SETTINGS).set_index("entry_id")
    mixed = rows.sample(frac=1, random_state=1)
    second = deduplicate(mixed, ["csd"], SETTINGS).set_index("entry_id")
    pd.testing.assert_frame_equal(first, second.loc[first.index])
