"""Extinction symbols against gemmi, International Tables A, and patterns made line by line."""

import csv
import pathlib

import gemmi
import numpy as np
import pytest

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.extinction_classes import SPACE_GROUP_COUNTS
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.indexing.extinction import (
    Weights,
    allowed_mask,
    class_of_symbol,
    extinction_classes,
    n_allowed,
    n_allowed_of_many,
    suggest,
)

SETTINGS = [(lattice.symbol, c) for lattice in BRAVAIS.values() for c in lattice.centrings]
#: Symbols in International Tables A, tables 1.6.4.2 to 1.6.4.30; monoclinic for unique axis b.
TABULATED = {
    **{"aP": 1, "mP": 8, "mC": 6, "oP": 71, "oC": 27, "oI": 8, "oF": 5, "tP": 23, "tI": 8},
    **{"hP": 7, "hR": 2, "cP": 7, "cI": 5, "cF": 5},
}
CELL = np.array([7.13, 8.41, 9.87, 78.0, 97.0, 104.0])


def _cell(bravais: str) -> np.ndarray:
    system = BRAVAIS[bravais].system
    return system.cell_from_free(system.free_from_cell(CELL))


def _setting(name: str, centring: str) -> gemmi.SpaceGroup:
    """A setting by name, on rhombohedral axes where the package has these."""
    alike = [g for g in gemmi.spacegroup_table() if g.hm == name and g.ext != "H"]
    assert centring in (alike[0].centring_type(), "P")
    return alike[0]


@pytest.mark.parametrize("bravais", list(BRAVAIS))
def test_as_many_symbols_as_the_tables_have(bravais: str) -> None:
    lattice = BRAVAIS[bravais]
    symbols = [e.symbol for c in lattice.centrings for e in extinction_classes(bravais, c)]
    assert len(symbols) == len(set(symbols)) == TABULATED[bravais]


@pytest.mark.parametrize(("bravais", "centring"), SETTINGS)
def test_absences_are_those_of_gemmi(bravais: str, centring: str) -> None:
    rng = np.random.default_rng(1)
    hkl = rng.integers(-9, 10, (600, 3))
    # Zones and axes, where the conditions are.
    hkl[100:250, 0] = 0
    hkl[200:300, 1] = 0
    hkl[280:400, 2] = 0
    hkl[400:480, 1] = hkl[400:480, 0]
    hkl[450:500, 1] = -hkl[450:500, 0]
    for extinction in extinction_classes(bravais, centring):
        allowed = allowed_mask(hkl, extinction)
        for name in extinction.space_groups:
            operations = _setting(name, centring).operations()
            absent = [operations.is_systematically_absent([int(v) for v in row]) for row in hkl]
            np.testing.assert_array_equal(allowed, ~np.array(absent))


def test_every_space_group_has_a_symbol() -> None:
    numbers = {
        _setting(name, c).number
        for bravais, c in SETTINGS
        for extinction in extinction_classes(bravais, c)
        for name in extinction.space_groups
    }
    assert numbers == set(range(1, 231))


@pytest.mark.parametrize(
    ("bravais", "centring", "symbol", "group"),
    [
        ("aP", "P", "P -", "P -1"),
        ("mP", "P", "P 1 21/c 1", "P 1 21/c 1"),
        ("mP", "P", "P 1 - 1", "P 1 2/m 1"),
        ("mC", "C", "C 1 c 1", "C 1 2/c 1"),
        ("mC", "I", "I 1 a 1", "I 1 2/a 1"),
        ("oP", "P", "P n - a", "P n m a"),
        ("oP", "P", "P n a -", "P n a 21"),
        ("oP", "P", "P 21 21 21", "P 21 21 21"),
        ("oP", "P", "P b c a", "P b c a"),
        ("oC", "C", "C - - (ab)", "C m m a"),
        ("oI", "I", "I b c a", "I b c a"),
        ("oF", "F", "F d d -", "F d d 2"),
        ("tP", "P", "P 41 21 -", "P 43 21 2"),
        ("tP", "P", "P 42/n - -", "P 42/n"),
        ("tP", "P", "P - 21 c", "P -4 21 c"),
        ("tI", "I", "I 41/a - -", "I 41/a"),
        ("tI", "I", "I - c d", "I 41 c d"),
        ("hP", "P", "P 62 - -", "P 31 2 1"),
        ("hP", "P", "P - - c", "P 63/m m c"),
        ("hR", "P", "R - c", "R -3 c"),
        ("cP", "P", "P a - -", "P a -3"),
        ("cI", "I", "I a - d", "I a -3 d"),
        ("cF", "F", "F d - c", "F d -3 c"),
    ],
)
def test_symbols_are_those_of_the_tables(
    bravais: str, centring: str, symbol: str, group: str
) -> None:
    assert group in class_of_symbol(bravais, centring, symbol).space_groups


def test_counts_are_those_of_the_resources() -> None:
    path = pathlib.Path(__file__).resolve().parents[2] / "resources/spacegroup_frequencies.csv"
    totals = [0] * 230
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            totals[int(row["spacegroup_number"]) - 1] += int(row["count"])
    assert tuple(totals) == SPACE_GROUP_COUNTS
    shared = [e.structures for b in BRAVAIS for e in extinction_classes(b, BRAVAIS[b].centring)]
    assert sum(shared) == pytest.approx(sum(SPACE_GROUP_COUNTS))


def _pattern(
    bravais: str, centring: str, symbol: str, n: int = 40
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cell, indices, q² and errors of all the lines that a symbol allows, the first n."""
    cell = _cell(bravais)
    hkl = reflections(cell, centring, 1.0)
    hkl = hkl[allowed_mask(hkl, class_of_symbol(bravais, centring, symbol))]
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    first = distinct(q2)[:n]
    return cell, hkl[first], q2[first], np.full(len(first), 1e-5)


@pytest.mark.parametrize(("bravais", "centring"), SETTINGS)
def test_complete_patterns_tell_their_symbol(bravais: str, centring: str) -> None:
    for extinction in extinction_classes(bravais, centring):
        cell, hkl, q2, sigma = _pattern(bravais, centring, extinction.symbol)
        # Rare symbols of cubic lattices rest on one line: the lines must speak for themselves.
        found = suggest(bravais, centring, cell, hkl, q2, sigma, weights=Weights(prior_power=0))
        assert found[0].symbol == extinction.symbol
        assert sorted(found[0].space_groups) == sorted(extinction.space_groups)
        assert found[0].contradicted == 0
        assert sum(e.probability for e in found) == pytest.approx(1)
        assert [e.probability for e in found] == sorted(
            (e.probability for e in found), reverse=True
        )


def test_a_forbidden_line_contradicts_and_a_weak_one_less() -> None:
    cell, hkl, q2, sigma = _pattern("mP", "P", "P 1 21/c 1")
    forbidden = np.array([0, 3, 0])
    at = float(quadratic_terms(forbidden) @ reciprocal_from_cell(cell))
    place = int(np.searchsorted(q2, at))
    hkl = np.insert(hkl, place, forbidden, axis=0)
    q2, sigma = np.insert(q2, place, at), np.append(sigma, sigma[0])
    probability = {}
    for label, height in (("strong", 100.0), ("weak", 1.0)):
        intensity = np.linspace(20, 30, len(q2))
        intensity[place] = height
        found = suggest("mP", "P", cell, hkl, q2, sigma, intensity)
        by_symbol = {e.symbol: e for e in found}
        assert by_symbol["P 1 21/c 1"].contradicted == 1
        assert by_symbol["P 1 c 1"].contradicted == 0
        probability[label] = by_symbol["P 1 21/c 1"].probability
    assert probability["strong"] < 0.2 * probability["weak"]


def test_lines_out_of_sight_say_nothing() -> None:
    cell, hkl, q2, sigma = _pattern("oP", "P", "P 21 21 21")
    seen = suggest("oP", "P", cell, hkl, q2, sigma)
    blurred = suggest("oP", "P", cell, hkl, q2, sigma * 300)
    assert seen[0].symbol == "P 21 21 21"
    # Errors as wide as the gaps between lines: nothing is absent, nothing tells symbols apart.
    odds = [e.structures + 1 for e in extinction_classes("oP", "P")]
    assert max(e.probability for e in blurred) < 2 * np.sqrt(max(odds)) / np.sqrt(odds).sum()
    below = suggest("oP", "P", cell, hkl, q2, sigma, q2_min_inv_A2=float(q2[-1]))
    assert below[0].probability < seen[0].probability


def test_an_unindexed_line_contradicts_nothing() -> None:
    cell, hkl, q2, sigma = _pattern("mP", "P", "P 1 - 1", 20)
    axial = next(i for i, row in enumerate(hkl) if row[1] == 1 and not row[[0, 2]].any())
    before = {e.symbol: e.contradicted for e in suggest("mP", "P", cell, hkl, q2, sigma)}
    hkl = hkl.copy()
    hkl[axial] = 0
    after = {e.symbol: e.contradicted for e in suggest("mP", "P", cell, hkl, q2, sigma)}
    for symbol, count in before.items():
        assert after[symbol] == count - ("21" in symbol)


def test_a_cell_without_lines_leaves_the_prior() -> None:
    cell = np.array([3.0, 3, 3, 90, 90, 90])
    found = suggest("cF", "F", cell, np.zeros((1, 3)), np.array([0.1]), np.array([1e-4]))
    odds = {e.symbol: np.sqrt(e.structures + 1) for e in extinction_classes("cF", "F")}
    for extinction in found:
        expected = odds[extinction.symbol] / sum(odds.values())
        assert extinction.probability == pytest.approx(expected)


def test_number_of_allowed_lines() -> None:
    cell = _cell("oP")
    unit = gemmi.UnitCell(*cell)
    for symbol, group in (("P - - -", "P m m m"), ("P n - a", "P n m a"), ("P b c a", "P b c a")):
        operations = gemmi.SpaceGroup(group).operations()
        lines = {
            round(unit.calculate_1_d2([h, k, l]), 9)
            for h in range(6)
            for k in range(7)
            for l in range(8)
            if (h, k, l) != (0, 0, 0) and not operations.is_systematically_absent([h, k, l])
        }
        expected = sum(q2 <= 0.3 for q2 in lines)
        extinction = class_of_symbol("oP", "P", symbol)
        assert n_allowed(cell, "P", 0.3, extinction) == expected


@pytest.mark.parametrize(("bravais", "centring"), SETTINGS)
def test_many_cells_have_the_number_of_each(bravais: str, centring: str) -> None:
    system = BRAVAIS[bravais].system
    sizes = np.array([0.8, 1.0, 1.3])[:, None] * np.array([1, 1, 1, 0, 0, 0])
    cells = CELL * sizes + CELL * np.array([0, 0, 0, 1, 1, 1])
    cells = system.cell_from_free(system.free_from_cell(cells))
    for extinction in extinction_classes(bravais, centring):
        many = n_allowed_of_many(reciprocal_from_cell(cells), 0.25, extinction)
        assert list(many) == [n_allowed(cell, centring, 0.25, extinction) for cell in cells]


def test_what_is_no_cell_has_no_number() -> None:
    x = np.array([[0.01, 0.01, 0.01, 0.03, 0, 0], [0.01, 0.01, 0.01, 0, 0, 0]])
    many = n_allowed_of_many(x, 0.045, class_of_symbol("cP", "P", "P - - -"))
    assert list(many) == [-1, 4]


def test_wrong_letters_and_symbols_are_named() -> None:
    with pytest.raises(ValueError, match="can't have centring 'F'"):
        extinction_classes("oP", "F")
    with pytest.raises(ValueError, match="no extinction symbol 'P q q q'"):
        class_of_symbol("oP", "P", "P q q q")
