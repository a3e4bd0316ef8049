"""When the first candidate is called convincing, and what is said where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.formula_volume import Formula
from mlindex.crystal.lattice import quadratic_terms
from mlindex.indexing.result import Candidate
from mlindex.indexing.verdict import verdict


def cubic(a_A=5.0, indexed=20, evidence=50.0, probability=0.99, used=20):
    """A cubic candidate that indexes the first lines."""
    cell = np.array([a_A, a_A, a_A, 90, 90, 90])
    lines = np.linspace(0.05, 0.5, used)
    return Candidate(
        bravais="cP",
        centring="P",
        cell=cell,
        cell_error=np.zeros(6),
        niggli=cell,
        volume_A3=a_A**3,
        m20=30.0,
        f_n=30.0,
        m20_reversed=20.0,
        m20_symmetric=600.0,
        log_evidence=evidence,
        probability=probability,
        hkl=np.zeros((used, 3), dtype=int),
        q2_corrected_inv_A2=lines,
        q2_calculated_inv_A2=lines,
        indexed=np.arange(used) < indexed,
        n_calculated=30,
        probability_with_partners=probability,
    )


def triclinic(gamma_deg, used=20):
    """A triclinic candidate that one angle keeps from being monoclinic, and two from oP."""
    cell = np.array([5.0, 6.0, 7.3, 84.0, 90.0, gamma_deg])
    return replace(
        cubic(used=used, indexed=used), bravais="aP", centring="P", cell=cell, niggli=cell
    )


def tetragonal(cell, hkl):
    """A tetragonal candidate whose lines lie where it has them."""
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    return replace(
        cubic(used=len(hkl), indexed=len(hkl)),
        bravais="tP",
        cell=cell,
        niggli=cell,
        hkl=hkl[np.argsort(q2)],
        q2_corrected_inv_A2=np.sort(q2),
        q2_calculated_inv_A2=np.sort(q2),
    )


@pytest.mark.parametrize(
    ("gamma_deg", "used", "convinces"),
    [(90.2, 20, False), (90.7, 20, True), (90.7, 19, False), (91.4, 19, True)],
)
def test_a_lattice_near_a_higher_symmetry_may_be_of_a_superstructures_parent(
    gamma_deg, used, convinces
):
    convincing, reason = verdict([triclinic(gamma_deg, used)])
    assert convincing is convinces
    assert ("degrees of a higher symmetry" in reason) is not convinces


@pytest.mark.parametrize(("more", "convinces"), [((), False), (((2, 0, 1),), True)])
def test_one_line_alone_is_no_evidence_of_an_axis(more, convinces):
    hkl = [(h, k, 0) for h, k in ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0))]
    hkl = np.array([*hkl, (1, 0, 1), *more])
    cell = np.array([5.0, 5.0, 8.0, 90, 90, 90])
    convincing, reason = verdict([tetragonal(cell, hkl)])
    assert convincing is convinces
    assert ("Only (1 0 1) determines one of the axes" in reason) is not convinces


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "such as (1 0 1), (2 0 1), (4 1 0); the other lines do not determine all axes"),
        (((1, 1, 1),), "Only (1 1 1) determines one of the axes"),
        (((1, 1, 1), (3, 1, 1)), "Together with its partners its probability is"),
    ],
)
def test_lines_that_a_zone_explains_confirm_no_other_axis(more, says):
    """With 12 c² = a² the lines 1 0 1 and 2 0 1 lie where 3 2 0 and 4 0 0 do."""
    zone = ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (4, 1))
    hkl = np.array([*((h, k, 0) for h, k in zone), (1, 0, 1), (2, 0, 1), *more])
    cell = np.array([6.1, 6.1, 6.1 / np.sqrt(12), 90, 90, 90])
    assert says in verdict([tetragonal(cell, hkl)])[1]


@pytest.mark.parametrize(
    ("a_A", "bravais", "convinces"),
    [(4.6, "aP", False), (4.9, "aP", True), (4.6, "mP", True)],
)
def test_a_small_cell_without_symmetry_may_be_of_a_superstructures_parent(a_A, bravais, convinces):
    cell = np.array([a_A, 1.1 * a_A, 1.2 * a_A, 87.0, 85.0, 82.0])
    best = replace(cubic(), bravais=bravais, cell=cell, niggli=cell)
    convincing, reason = verdict([best])
    assert convincing is convinces
    assert ("Å³ is small for a triclinic one" in reason) is not convinces


def test_a_good_cell_is_convincing():
    assert verdict([cubic(evidence=5.1)])[0]
    assert verdict([cubic()]) == (True, "Together with its partners its probability is 99 %.")
    sure = verdict([cubic(probability=0.995)])[1]
    assert sure == "Together with its partners its probability is more than 99 %."
    assert verdict([cubic(probability=0.93)])[1].endswith("its probability is 93 %.")


@pytest.mark.parametrize(
    ("best", "words"),
    [
        (cubic(evidence=4.9), "20 of 20 lines little better than chance (log-evidence 4.9; at"),
        (
            cubic(evidence=9.9, used=19, indexed=19),
            "chance (log-evidence 9.9; at least 10 is needed)",
        ),
        (cubic(indexed=15), "leaves 5 of 20 lines unindexed"),
        (cubic(probability=0.89), "have a probability of only 89 %"),
    ],
)
def test_what_speaks_against_a_cell_is_said(best, words):
    convincing, reason = verdict([best])
    assert not convincing
    assert words in reason


def test_a_fifth_of_the_lines_may_be_impurities():
    assert verdict([cubic(indexed=16)])[0]


def strengths(last, indexed=12):
    """Intensities of 20 lines: those after the first 12 together have this share of the whole."""
    each = last * indexed / (1 - last) / (20 - indexed)
    return np.where(np.arange(20) < indexed, 1.0, each)


def test_many_weak_lines_may_be_an_impurity():
    convincing, reason = verdict([cubic(indexed=12)], intensity=strengths(0.006))
    assert convincing
    assert reason == (
        "Together with its partners its probability is 99 %. It explains 99.4 % of the diffracted "
        "intensity; 8 lines (0.6 %) may be an impurity."
    )
    assert "unindexed" in verdict([cubic(indexed=12)])[1]


@pytest.mark.parametrize(
    ("share", "evidence", "convinces"),
    [(0.09, 19.0, True), (0.11, 19.0, False), (0.24, 21.0, True), (0.26, 50.0, False)],
)
def test_few_strong_lines_speak_against_a_cell(share, evidence, convinces):
    best = cubic(indexed=18, evidence=evidence)
    convincing, reason = verdict([best], intensity=strengths(share, 18))
    assert convincing is convinces
    assert (f"2 of 20 lines unindexed, with {100 * share:.1f} % of the" in reason) is not convinces


@pytest.mark.parametrize(
    ("gains", "less", "convinces"), [(2, 9.0, False), (2, 13.0, True), (1, 9.0, True)]
)
def test_clear_lines_that_a_supercell_indexes_are_no_impurity(gains, less, convinces):
    best = cubic(indexed=17)
    other = cubic(10.0, 17 + gains, best.log_evidence - less)
    other.indexed[0] = False
    convincing, reason = verdict([best, other], intensity=strengths(0.03, 17))
    assert convincing is convinces
    assert ("supercell of index 8 indexes 2 clear lines" in reason) is not convinces


def test_what_a_first_phase_leaves_holds_remains_of_it():
    best = cubic(indexed=17, evidence=15.0)
    other = cubic(10.0, 19, 6.0)
    other.indexed[0] = False
    for share, convinces in ((0.2, True), (0.3, False)):
        strong = strengths(share, 17)
        assert verdict([best, other], intensity=strong, further=True)[0] is convinces
        assert not verdict([best, other], intensity=strong)[0]


@pytest.mark.parametrize(("mixed", "convinces"), [(None, False), (2.0, False), (22.0, True)])
def test_lines_of_a_second_phase_speak_less_against_a_cell(mixed, convinces):
    best = replace(cubic(indexed=15, evidence=-3.0), log_evidence_if_mixed=mixed)
    convincing, reason = verdict([best], intensity=strengths(0.2, 15))
    assert convincing is convinces
    assert (f"chance (log-evidence {mixed or -3.0:.1f};" in reason) is not convinces


@pytest.mark.parametrize("intensity", [np.zeros(20), np.full(20, np.nan)])
def test_intensities_that_are_none_count_lines(intensity):
    assert "8 of 20 lines unindexed." in verdict([cubic(indexed=12)], intensity=intensity)[1]


def test_nothing_found_is_told_apart_from_a_search_cut_short():
    assert "check wavelength" in verdict([])[1]
    assert "before it found anything" in verdict([], complete=False)[1]
    assert "add lines" in verdict([], explained=True)[1]
    assert not any(verdict([], *how)[0] for how in ((False, True), (False, False), (True, True)))


def test_a_supercell_that_indexes_more_and_fits_nearly_as_well_casts_doubt():
    best = cubic(indexed=17)
    convincing, reason = verdict([best, cubic(10.0, 20, 45.5, 0.001)])
    assert not convincing
    assert reason == (
        "A supercell of index 8 indexes 3 more lines and fits nearly as well (cP, 1000 Å³): "
        "a superstructure, or impurities."
    )


@pytest.mark.parametrize(
    "other",
    [
        cubic(10.0, 20, 44.0),  # much less evidence
        cubic(10.0, 18, 49.0),  # one line may be anything
        cubic(11.3, 20, 49.0),  # no supercell
        cubic(2.5, 20, 49.0),  # a subcell
    ],
)
def test_others_cast_no_doubt(other):
    assert verdict([cubic(indexed=17), other])[0]


def test_a_supercell_must_index_what_the_cell_does():
    other = cubic(10.0, 20, 49.0)
    other.indexed[0] = False
    assert verdict([cubic(indexed=17), other])[0]


def test_a_cell_without_room_for_the_formula_is_not_convincing():
    convincing, reason = verdict([cubic()], formula=Formula("C6H12O6", 250.0))
    assert not convincing
    assert "room for only 0.5 formula units of C6H12O6: the true cell is a supercell" in reason
    assert verdict([cubic()], formula=Formula("X", 140.0))[0]
    # One and a half units are odd, but not too few.
    assert verdict([cubic()], formula=Formula("X", 83.0))[0]
