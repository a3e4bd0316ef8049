"""Lattices with the same lines, against published pairs and brute force."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.derivative import derivative_lattices, hermite_normal_forms
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import BRAVAIS, allowed_by_centring, quadratic_terms
from mlindex.crystal.recognition import conventional
from mlindex.indexing.ambiguity import partners
from mlindex.indexing.result import Partner

TOLERANCE = 1e-4
_GRID = np.array([v for v in np.ndindex(25, 25, 25)]) - 12
#: Bravais lattices that share their lines with others whatever their cell: Mighell & Santoro
#: (1975); the third lattice with the lines of cP: Mighell (2004), J. Res. NIST 109, 569.
ALWAYS = {
    "cP": {"tP", "oC"},
    "cI": {"tP", "oP", "oF"},
    "cF": {"oC", "oI"},
    "hP": {"oP"},
    "hR": {"mP"},
}
ROOT2, ROOT3 = np.sqrt(2), np.sqrt(3)


def lines(cell, centring: str, n: int | None = None) -> np.ndarray:
    """Different q² of a lattice by brute force, the first n or all up to where some may miss."""
    hkl = _GRID[allowed_by_centring(_GRID, centring)]
    x6 = reciprocal_from_cell(np.asarray(cell, dtype=float))
    q2 = np.sort(quadratic_terms(hkl) @ x6)[1:]
    q2 = q2[q2 < 144 / max(cell[:3]) ** 2]
    q2 = q2[np.concatenate([[True], np.diff(q2) > 1e-9 * q2[1:]])]
    return q2[:n]


def find(cell, centring: str, observed=None, tolerance: float = TOLERANCE) -> tuple[Partner, ...]:
    cell = np.asarray(cell, dtype=float)
    observed = lines(cell, centring, 20) if observed is None else observed
    candidate = SimpleNamespace(cell=cell, centring=centring)
    return partners(candidate, observed[-1], observed, tolerance)


def generic(symbol: str, scale: float = 1.0) -> np.ndarray:
    free = {"a": 5.1, "b": 6.37, "c": 7.93, "alpha": 77.7, "beta": 102.9, "gamma": 84.1}
    system = BRAVAIS[symbol].system
    factor = {name: scale if name in "abc" else 1 for name in free}
    system = BRAVAIS[symbol].system
    return system.cell_from_free([free[p] * factor[p] for p in system.free_parameters])


@pytest.mark.parametrize("symbol", BRAVAIS)
def test_lattices_with_partners_whatever_their_cell_and_no_others(symbol):
    for scale in (1.0, 1.7):
        found = find(generic(symbol, scale), BRAVAIS[symbol].centring)
        assert {p.bravais for p in found} == ALWAYS.get(symbol, set())
        assert all(p.relation.startswith("geometrical ambiguity") for p in found)
        assert all(p.distinguishing_q2_inv_A2 == () for p in found)


@pytest.mark.parametrize(
    ("cell", "centring", "bravais", "expected", "index"),
    [
        ([6, 6, 6, 90, 90, 90], "P", "tP", [6 / ROOT2, 6 / ROOT2, 6], 2),
        ([6, 6, 6, 90, 90, 90], "P", "oC", [ROOT2 / 3 * 6, 6, ROOT2 * 6], 3),
        ([6, 6, 6, 90, 90, 90], "I", "tP", [6 / ROOT2, 6 / ROOT2, 3], 2),
        ([6, 6, 6, 90, 90, 90], "I", "oP", [6 / ROOT2 / 2, 3, 6 / ROOT2], 4),
        ([6, 6, 6, 90, 90, 90], "I", "oF", [ROOT2 / 3 * 6, 6, ROOT2 * 6], 3),
        ([6, 6, 6, 90, 90, 90], "F", "oC", [6 / ROOT2 / 2, 6 / ROOT2, 6], 2),
        ([6, 6, 6, 90, 90, 90], "F", "oI", [ROOT2 / 6 * 6, 6 / ROOT2, 6], 3),
        ([6, 6, 8.3, 90, 90, 120], "P", "oP", [3, 3 * ROOT3, 8.3], 2),
        ([14, 14, 5, 90, 90, 120], "P", "oP", [5, 7, 7 * ROOT3], 2),
    ],
)
def test_cells_of_published_partners(cell, centring, bravais, expected, index):
    (partner,) = (p for p in find(cell, centring) if p.bravais == bravais)
    assert partner.cell == pytest.approx([*expected, 90, 90, 90])
    assert partner.relation == f"geometrical ambiguity, subcell of index {index}"
    assert same_lines(cell, centring, partner)


@pytest.mark.parametrize("alpha", [55.0, 66.0, 84.0, 98.0, 107.0])
def test_any_rhombohedral_cell_has_a_monoclinic_subcell_of_half_its_volume(alpha):
    """Mighell (2000), Powder Diffr. 15, 82: with a = (r1 + r2) / 2, b = (r1 - r2) / 2, c = r3."""
    cell = np.array([6, 6, 6, alpha, alpha, alpha])
    (partner,) = find(cell, "P")
    assert partner.relation == "geometrical ambiguity, subcell of index 2"
    half = np.radians(alpha / 2)
    cosine = np.cos(np.radians(alpha)) / np.cos(half)
    angle = np.degrees(np.arccos(-abs(cosine)))
    published = [6 * np.cos(half), 6 * np.sin(half), 6, 90, angle, 90]
    assert partner.bravais == "mP"
    assert same_lattice(partner.cell, "P", published, "P", 1e-6, 1e-4)
    assert same_lines(cell, "P", partner)


def same_lines(cell, centring: str, partner: Partner) -> bool:
    """Whether all lines agree, for some letter that the partner's centring may have."""
    mine = lines(cell, centring)
    for letter in BRAVAIS[partner.bravais].centrings:
        theirs = lines(partner.cell, letter)
        end = min(mine[-1], theirs[-1]) * (1 - 1e-6)
        first, second = mine[mine < end], theirs[theirs < end]
        if len(first) == len(second) > 25 and np.allclose(first, second, rtol=1e-7):
            return True
    return False


#: Pairs of ternary forms x² y² z² yz xz xy that represent the same numbers. The first three by
#: Kaplansky, the others by Jagy; all are in Oishi-Tomiyasu's search (arXiv:1703.08854).
FORMS = [
    ([1, 1, 9, 0, 0, 1], [1, 3, 3, 3, 0, 0]),
    ([1, 1, 7, 0, 1, 0], [1, 2, 4, 1, 0, 1]),
    ([1, 4, 7, 0, 1, 0], [1, 5, 7, 5, 1, 1]),
    ([3, 3, 7, 1, 2, 1], [3, 5, 5, 3, 1, 3]),
    ([5, 5, 8, 0, 4, 3], [5, 7, 7, 6, 1, 5]),
]


@pytest.mark.parametrize("forms", FORMS + [pair[::-1] for pair in FORMS], ids=str)
def test_forms_that_represent_the_same_numbers(forms):
    """Lattices of one volume, neither of which contains the other."""
    first, second = (conventional(np.array(form) / 100) for form in forms)
    found = find(first.cell, first.centring, lines(first.cell, first.centring, 30))
    (partner,) = (p for p in found if np.allclose(p.cell, second.cell, rtol=1e-6))
    assert partner.bravais == second.bravais
    assert partner.distinguishing_q2_inv_A2 == ()
    assert "of a supercell of index" in partner.relation


@pytest.mark.parametrize(
    ("cell", "partner", "relation"),
    [
        ([5, 5 * ROOT3, 8.3, 90, 90, 90], "hP", "supercell of index 2"),
        ([5, 5, 5 * ROOT2, 90, 90, 90], "cP", "supercell of index 2"),
        ([5, 5, 5 / ROOT2, 90, 90, 90], "cI", "supercell of index 2"),
    ],
)
def test_special_axial_ratios_hide_a_higher_symmetry_even_with_errors(cell, partner, relation):
    for error in (0.0, 2e-4):
        measured = np.array(cell) * [1, 1, 1 + error, 1, 1, 1]
        found = find(measured, "P", lines(cell, "P", 20), tolerance=1e-3)
        assert found[0].bravais == partner
        assert found[0].relation == f"geometrical ambiguity, {relation}"
        assert found[0].distinguishing_q2_inv_A2 == ()


@pytest.mark.parametrize("index", [2, 3, 4])
def test_a_multiplied_axis_is_seen_through(index):
    true = np.array([5, 6.1, 8.3, 90, 103, 90])
    multiplied = true * [1, index, 1, 1, 1, 1]
    found = find(multiplied, "P", lines(true, "P", 20))
    (subcell,) = (p for p in found if p.relation == f"subcell of index {index}")
    assert subcell.bravais == "mP"
    assert subcell.cell == pytest.approx(true)
    # What tells them apart are lines that the small cell hasn't: the lowest, k no multiple.
    everything, small = lines(multiplied, "P"), lines(true, "P")
    apart = [q for q in everything if np.abs(small - q).min() > TOLERANCE * q][:5]
    assert subcell.distinguishing_q2_inv_A2 == pytest.approx(apart, rel=1e-9)


@pytest.mark.parametrize(
    ("symbol", "centring", "index"),
    [("oC", "C", 2), ("oI", "I", 2), ("oF", "F", 4), ("mC", "C", 2)],
)
def test_missed_centring_is_a_subcell(symbol, centring, index):
    cell = generic(symbol)
    found = find(cell, "P", lines(cell, centring, 20))
    assert any(
        p.bravais == symbol
        and p.relation == f"subcell of index {index}"
        and any(
            same_lattice(p.cell, letter, cell, centring, 1e-6, 1e-4)
            for letter in BRAVAIS[symbol].centrings
        )
        for p in found
    )


def test_an_observed_line_of_the_large_cell_rules_the_small_one_out():
    cell = generic("oP")
    doubled = cell * [1, 2, 1, 1, 1, 1]
    few = lines(cell, "P", 20)
    assert find(doubled, "P", few)
    superline = lines(doubled, "P", 3)
    superline = superline[[np.abs(few - q).min() > 1e-3 * q for q in superline]]
    assert find(doubled, "P", np.sort(np.append(few, superline[0]))) == ()


def test_lines_that_the_candidate_does_not_explain_count_for_nothing():
    cell = generic("hP")
    observed = np.sort(np.append(lines(cell, "P", 20), 0.0777))
    assert [p.bravais for p in find(cell, "P", observed)] == ["oP"]


def test_without_observed_lines_no_subcell_is_made_up():
    cell = generic("mP")
    candidate = SimpleNamespace(cell=cell, centring="P")
    assert partners(candidate, lines(cell, "P", 20)[-1], np.array([]), TOLERANCE) == ()


def test_lines_beyond_a_few_thousand_reflections_are_not_looked_at():
    """There are so many in a large cell that each lies on another: nothing could be told apart."""
    cell = np.array([31, 37, 43, 82, 101, 95.0])
    observed = np.append(lines(cell, "P", 40), np.linspace(0.1, 0.4, 60))
    assert find(cell, "P", observed) == ()


def test_sublattices_are_as_many_as_number_theory_says():
    """Sublattices of index n in three dimensions: 1, 7, 13, 35, 31 (OEIS A001001)."""
    assert [len(hermite_normal_forms(n)) for n in range(1, 6)] == [1, 7, 13, 35, 31]
    table = derivative_lattices()
    assert np.linalg.det(table.bases) == pytest.approx(table.down / table.up)
    keys = {tuple(np.round(12 * b).astype(int).ravel().tolist()) for b in table.bases}
    assert len(keys) == len(table.bases)


def test_reciprocal_parameters_give_the_cell_of_a_form():
    """x² + y² + 9z² + xy is hexagonal with c/a = sqrt(3)/6 (a check of the test's own forms)."""
    cell = cell_from_reciprocal(np.array([1, 1, 9, 0, 0, 1]) / 100)
    assert cell[3:] == pytest.approx([90, 90, 120])
    assert cell[2] / cell[0] == pytest.approx(ROOT3 / 6)
