import functools

import gemmi
import numpy as np
import pandas as pd
import pytest

from helpers.synthetic_dataset import IDENTITY, crystal, frames, hall_of
from mlindex.crystal.lattice import BRAVAIS
from mlindex.learning.grouping import (
    AXIS_LIMIT,
    BOX_LIMIT,
    AbsencePattern,
    conditions,
    distance,
    fingerprint,
    group_entries,
    is_absent,
    join_rare,
    operator_key,
    probe_reflections,
)
from mlindex.learning.settings import Grouping
from mlindex.learning.tables import GROUPS
from mlindex.structures.reduction import reduce_entries
from mlindex.structures.settings import Reduction

SAME = operator_key(IDENTITY)

# International Tables for Crystallography A, "Reflection conditions" of each space group,
# without those that follow from the others.
PUBLISHED = {
    "P -1": "",
    "P 2 2 2": "",
    "P 1 21/c 1": "h0l: l=2n; 0k0: k=2n",
    "C 1 2/c 1": "hkl: h+k=2n; h0l: h,l=2n",
    "I 1 2/a 1": "hkl: h+k+l=2n; h0l: h,l=2n",
    "P 21 21 2": "h00: h=2n; 0k0: k=2n",
    "P 21 2 21": "h00: h=2n; 00l: l=2n",
    "P 2 21 21": "0k0: k=2n; 00l: l=2n",
    "P c a 21": "0kl: l=2n; h0l: h=2n",
    "P n m a": "0kl: k+l=2n; hk0: h=2n",
    "I b a 2": "hkl: h+k+l=2n; 0kl: k,l=2n; h0l: h,l=2n",
    "A e m 2": "hkl: k+l=2n; 0kl: k,l=2n",
    "F d d 2": "hkl: h+k,h+l=2n; 0kl: k,l=2n and k+l=4n; h0l: h,l=2n and h+l=4n",
    "P 41": "00l: l=4n",
    "P 42": "00l: l=2n",
    "I 41/a m d": "hkl: h+k+l=2n; hk0: h,k=2n; hhl: l=2n and 2h+l=4n",
    "P 31": "00l: l=3n",
    "P 61": "00l: l=6n",
    "P 63/m m c": "hhl: l=2n",
    "P 63/m c m": "0kl: l=2n",
    "R -3 c:R": "hhl: l=2n",
    "P a -3": "0kl: k=2n",
    "P 41 3 2": "h00: h=4n",
    "I a -3 d": "hkl: h+k+l=2n; 0kl: k,l=2n; hhl: l=2n and 2h+l=4n",
    "F d -3 m": "hkl: h+k,h+l=2n; 0kl: k,l=2n and k+l=4n",
}


@pytest.mark.parametrize("symbol", PUBLISHED)
def test_conditions_are_those_of_the_international_tables(symbol):
    assert conditions(hall_of(symbol), SAME) == PUBLISHED[symbol]


def _violates(text: str, hkl: np.ndarray) -> np.ndarray:
    """Reads a conditions text as a person would: which reflections break it."""
    broken = np.zeros(len(hkl), dtype=bool)
    for part in filter(None, text.split("; ")):
        name, congruences = part.split(": ")
        member = np.ones(len(hkl), dtype=bool)
        for i, letter in enumerate(name):
            other = 0 if letter == "0" else hkl[:, name.index(letter)]
            member &= hkl[:, i] == other
        index = {letter: hkl[:, name.index(letter)] for letter in set(name) - {"0"}}
        for congruence in congruences.split(" and "):
            left, modulus = congruence.removesuffix("n").split("=")
            for term in left.split(","):
                python = term
                for letter in "hkl":
                    python = python.replace(letter, f"*{letter}")
                python = python.replace("+*", "+1*").replace("-*", "-1*")
                python = f"1{python}" if python.startswith("*") else python
                broken |= member & (eval(python, {}, index) % int(modulus) != 0)
    return broken


@pytest.mark.parametrize("first", range(0, 564, 94))
def test_conditions_and_absences_say_the_same_in_every_setting(first):
    hkl = probe_reflections()
    settings = list(gemmi.spacegroup_table())
    assert len(settings) <= 564
    for group in settings[first : first + 94]:
        operations = group.operations()
        absent = np.asarray(operations.systematic_absences(hkl))
        text = conditions(group.hall, SAME)
        rotations = {tuple(map(tuple, op.rot)) for op in operations.sym_ops}
        equivalents = [hkl @ np.array(r) // gemmi.Op.DEN for r in rotations]
        broken = functools.reduce(np.logical_or, (_violates(text, e) for e in equivalents))
        assert np.array_equal(broken, absent), (group.xhm(), text)


def test_probe_has_one_of_each_friedel_pair():
    hkl = probe_reflections()
    assert len(hkl) == ((2 * BOX_LIMIT + 1) ** 3 - 1) // 2 + 3 * (AXIS_LIMIT - BOX_LIMIT)
    both = np.concatenate([hkl, -hkl])
    assert len(np.unique(both, axis=0)) == 2 * len(hkl)


def test_exchanged_axes_give_the_conditions_of_the_exchanged_symbol():
    # (a', b', c') = (b, c, a)
    operator = operator_key(np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]))
    turned = fingerprint(hall_of("P 21 21 2"), operator)
    assert turned == fingerprint(hall_of("P 21 2 21"), SAME)
    assert conditions(hall_of("P 21 21 2"), operator) == "h00: h=2n; 00l: l=2n"


def test_hexagonal_axes_reindexed_to_rhombohedral_ones():
    # Obverse setting (International Tables A, table 1.5.1.1).
    operator = operator_key(np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3)
    hexagonal, rhombohedral = hall_of("R -3 c:H"), hall_of("R -3 c:R")
    assert fingerprint(hexagonal, operator) == fingerprint(rhombohedral, SAME)
    assert conditions(hexagonal, operator) == conditions(rhombohedral, SAME)


@pytest.mark.parametrize("bravais", BRAVAIS)
def test_reduced_entries_keep_what_is_present_and_what_is_absent(bravais):
    rng = np.random.default_rng(11)
    made = [crystal(f"made:{i}:x", bravais, rng) for i in range(8)]
    entries = frames(made)["entries"]
    cells, rejects = reduce_entries(entries, Reduction())
    assert len(cells) == len(made)
    assert rejects.empty
    for row in cells.itertuples():
        operator = operator_key(row.reindexed_operator)
        conventional = probe_reflections()
        absent = gemmi.symops_from_hall(row.hall_symbol).systematic_absences(conventional)
        reindexed = conventional @ np.reshape(operator, (3, 3))
        integral = np.all(np.abs(reindexed - np.rint(reindexed)) < 1e-6, axis=1)
        # What the new axes can't index was absent before.
        assert np.asarray(absent)[~integral].all()
        found = is_absent(np.rint(reindexed[integral]), row.hall_symbol, operator)
        assert np.array_equal(found, np.asarray(absent)[integral])


def test_reflection_of_a_larger_cell_without_integral_indices_is_absent():
    operator = operator_key(np.diag([2.0, 1.0, 1.0]))
    hkl = np.array([[1, 0, 0], [2, 0, 0], [1, 1, 0], [0, 1, 0]])
    assert is_absent(hkl, hall_of("P 1"), operator).tolist() == [True, False, True, False]
    assert conditions(hall_of("P 1"), operator) == "hkl: h=2n"


def _entries(counts: dict[str, int], bravais: str = "oP", axis: str = "") -> pd.DataFrame:
    symbols = [symbol for symbol, count in counts.items() for _ in range(count)]
    return pd.DataFrame(
        {
            "bravais_lattice": bravais,
            "unique_axis": axis,
            "hm_symbol": symbols,
            "hall_symbol": [hall_of(s) for s in symbols],
            "reindexed_operator": [IDENTITY] * len(symbols),
            "usable": True,
        }
    )


def test_the_three_settings_of_space_group_18_fall_in_different_groups():
    frame = _entries({"P 21 21 2": 30, "P 21 2 21": 20, "P 2 21 21": 25})
    found, groups = group_entries(frame, Grouping(min_entries=10))
    assert found.groupby(frame["hm_symbol"]).agg(set).to_dict() == {
        "P 21 21 2": {"oP_00"},
        "P 2 21 21": {"oP_01"},
        "P 21 2 21": {"oP_02"},
    }
    assert not groups["merged"].any()
    assert list(groups.columns) == GROUPS.names
    assert GROUPS.arrow(groups).num_rows == 3


def test_rare_patterns_join_the_most_similar():
    frame = _entries({"P 2 2 2": 50, "P n n a": 40, "P 2 2 21": 3, "P n n n": 4})
    found, groups = group_entries(frame, Grouping(min_entries=10))
    of_symbol = dict(zip(frame["hm_symbol"], found, strict=True))
    assert of_symbol == {
        "P 2 2 2": "oP_00",
        "P 2 2 21": "oP_00",
        "P n n a": "oP_01",
        "P n n n": "oP_01",
    }
    assert groups["merged"].tolist() == [False, True, False, True]
    assert groups["group_entries"].tolist() == [53, 53, 44, 44]
    assert groups["hm_symbols"].tolist()[0] == "P 2 2 2 (50)"
    assert groups["conditions"].tolist()[:2] == ["none", "00l: l=2n"]


def test_rare_patterns_only_make_one_group_and_never_cross_a_unique_axis():
    frame = pd.concat(
        [
            _entries({"P 1 21/c 1": 5, "P 1 21 1": 4, "P 1 2 1": 1}, "mP", "b"),
            _entries({"P 21 1 1": 2}, "mP", "a"),
        ],
        ignore_index=True,
    )
    found, groups = group_entries(frame, Grouping(min_entries=100))
    assert found.tolist() == ["mP_b_00"] * 10 + ["mP_a_00"] * 2
    assert groups["merged"].all()
    assert groups["entries"].sum() == len(frame)


def test_entries_that_are_not_usable_do_not_make_a_group():
    frame = _entries({"P 2 2 2": 50, "P n n a": 40})
    frame.loc[frame["hm_symbol"] == "P n n a", "usable"] = False
    found, groups = group_entries(frame, Grouping(min_entries=10))
    assert set(found) == {"oP_00"}
    assert groups["usable"].tolist() == [50, 0]


def test_order_of_entries_does_not_matter():
    frame = _entries({"P 2 2 2": 5, "P n n a": 5, "P n m a": 5, "P 21 21 21": 2})
    turned = frame.sample(frac=1.0, random_state=3)
    for minimum in (1, 4, 6, 100):
        found, groups = group_entries(frame, Grouping(min_entries=minimum))
        again, same = group_entries(turned, Grouping(min_entries=minimum))
        assert again.sort_index().equals(found)
        pd.testing.assert_frame_equal(groups, same)


def test_joining_keeps_every_pattern_once_and_reaches_the_minimum():
    rng = np.random.default_rng(5)
    patterns = [
        AbsencePattern(rng.bytes(4), f"pattern {i}", "", int(n), int(n))
        for i, n in enumerate(rng.integers(1, 60, 25))
    ]
    clusters = join_rare(patterns, 100)
    members = [p.conditions for cluster in clusters for p in cluster]
    assert sorted(members) == sorted(p.conditions for p in patterns)
    sizes = [sum(p.usable for p in cluster) for cluster in clusters]
    assert len(sizes) > 1
    assert min(sizes) >= 100
    assert sizes == sorted(sizes, reverse=True)


def test_distance_counts_reflections_absent_in_one_only():
    plain, screw = fingerprint(hall_of("P 4"), SAME), fingerprint(hall_of("P 41"), SAME)
    assert distance(plain, plain) == 0
    assert distance(plain, screw) == AXIS_LIMIT - AXIS_LIMIT // 4


def test_no_entries():
    found, groups = group_entries(_entries({}), Grouping())
    assert len(found) == 0
    assert len(groups) == 0
    assert list(groups.columns) == GROUPS.names
