"""What to measure next: expected information against its plain twin, regions, and bad input."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import log2

import numpy as np
import pytest

import mlindex
from helpers.indexing_results import CU, candidate, lines_of, one_ambiguous, searched
from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.indexing.next.asking import question_of
from mlindex.indexing.next.information import (
    MOST_PLACES,
    alone_bits,
    chance_right,
    entropy_bits,
    information_bits,
    outcomes,
    updated,
)
from mlindex.indexing.next.offer import Offer
from mlindex.indexing.result import IndexingResult
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.next.data import as_data
from mlindex.reports.next.words import alike_words, answer_names, line_words, summary_words

A = 6.1
CUBIC, DOUBLED = [A, A, A, 90, 90, 90], [A, A, 2 * A, 90, 90, 90]


def plain_information(prior, answers, seen):
    """The twin: H(answer) - E H(answer | outcome), outcome by outcome."""

    def entropy(shares):
        return -sum(p * log2(p) for p in shares if p > 0)

    names = sorted(set(answers))
    before = entropy([sum(p for p, a in zip(prior, answers, strict=True) if a == n) for n in names])
    after = 0.0
    for outcome in product([False, True], repeat=len(seen[0])):
        joint = dict.fromkeys(names, 0.0)
        for p, answer, chances in zip(prior, answers, seen, strict=True):
            for shown, chance in zip(outcome, chances, strict=True):
                p *= chance if shown else 1 - chance
            joint[answer] += p
        total = sum(joint.values())
        if total > 0:
            after += total * entropy([p / total for p in joint.values()])
    return before - after


def drawn(rng, h=5, a=3, m=4):
    prior = rng.dirichlet(np.ones(h))
    answers = np.append(np.arange(a), rng.integers(0, a, h - a))
    return prior, answers, rng.uniform(0, 1, (h, m)).round(1)


def cubic_peaks(n=8, name="cubic.txt"):
    q2, _ = lines_of(CUBIC, "P", 1.5)
    return PeakList(name, q2[:n], None, CU)


def result_of(peaks, *found):
    """A result with these candidates: Bravais lattice, cell, centring, probability."""
    made = tuple(
        candidate(peaks, b, cell, centring, used=len(peaks), probability=p, cell_covariance=None)
        for b, cell, centring, p in found
    )
    made = tuple(replace(one, cell_error=one.cell_error * 0.3) for one in made)
    return IndexingResult(peaks, made, searched("aP", "mC"), False, "Open.", 0.1)


def doubled(p=0.4):
    return result_of(cubic_peaks(), ("cP", CUBIC, "P", 0.95 - p), ("tP", DOUBLED, "P", p))


def test_information_is_that_of_its_plain_twin():
    rng = np.random.default_rng(1)
    for _ in range(20):
        prior, answers, seen = drawn(rng)
        expected = plain_information(prior.tolist(), answers.tolist(), seen.tolist())
        assert information_bits(prior, answers, seen) == pytest.approx(expected, abs=1e-12)


def test_outcomes_add_up_and_leave_the_expected_probabilities_as_they_are():
    prior, answers, seen = drawn(np.random.default_rng(2))
    every = outcomes(prior, answers, seen)
    assert every.joint.sum() == pytest.approx(1)
    assert every.joint.sum(axis=0) == pytest.approx(np.bincount(answers, prior))
    # What an outcome makes of the probabilities is what Bayes' rule says of it.
    for shown, joint in zip(every.seen, every.joint, strict=True):
        after = np.bincount(answers, updated(prior, np.clip(seen, 1e-9, 1 - 1e-9), shown))
        if joint.sum() > 1e-6:
            assert after == pytest.approx(joint / joint.sum(), abs=1e-6)


def test_more_places_tell_no_less_and_together_no_more_than_each_alone():
    prior, answers, seen = drawn(np.random.default_rng(3), m=MOST_PLACES + 3)
    told = [information_bits(prior, answers, seen[:, :m]) for m in range(MOST_PLACES + 1)]
    assert told[0] == 0
    assert np.all(np.diff(told) >= -1e-12)
    assert told[-1] <= alone_bits(prior, answers, seen[:, :MOST_PLACES]).sum()
    assert told[-1] <= entropy_bits(np.bincount(answers, prior))
    # Of more places than are looked at together the most telling ones: a lower bound.
    assert information_bits(prior, answers, seen) <= alone_bits(prior, answers, seen).sum()
    before = np.bincount(answers, prior).max()
    assert before <= chance_right(prior, answers, seen) <= 1


def test_nothing_is_told_where_all_answers_expect_the_same():
    prior, answers = np.array([0.5, 0.2, 0.3]), np.array([0, 1, 1])
    assert information_bits(prior, answers, np.full((3, 4), 0.7)) == pytest.approx(0, abs=1e-12)
    # One answer, and none.
    assert information_bits(prior, np.zeros(3, int), np.random.default_rng(0).random((3, 4))) == 0
    assert entropy_bits(np.zeros(0)) == 0


def test_lines_of_the_supercell_are_what_is_looked_for():
    found = mlindex.next_regions(doubled())
    assert found.groups == ((0,), (1,))
    assert found.regions
    more = two_theta_from_q2(lines_of(DOUBLED, "P", 1.5)[0], CU)
    cubic = two_theta_from_q2(lines_of(CUBIC, "P", 1.5)[0], CU)
    telling = [
        line
        for region in found.regions
        for line in line_words(found, region)
        if line.predicted_by == "B"
    ]
    assert telling
    for line in telling:
        assert np.abs(more - line.two_theta_deg).min() < 0.05
        assert np.abs(cubic - line.two_theta_deg).min() > 0.05
        assert line.if_seen["B"] > 0.8 > 0.4 > line.if_not["B"]
    told = [region.more_bits for region in found.regions]
    assert all(bits > 0 for bits in told)
    assert found.regions[-1].chance_right > found.regions[0].chance_right - 1e-9


def test_what_is_seen_decides():
    question = question_of(doubled(), Offer())
    region = question.regions(1)[0]
    line = float(np.mean([region.places.low_deg[0], region.places.high_deg[0]]))
    ends = (region.setting, region.first_deg, region.last_deg)
    assert question.after(*ends, [line]).of_rivals[1] > 0.95
    nothing = question.after(*ends, [])
    assert nothing.of_rivals[0] > question.of_rivals[0]
    # Where it was measured so long and nothing was seen, that same measurement tells no more.
    places = nothing.places(region.setting)
    again = places.only((places.low_deg > region.first_deg) & (places.high_deg < region.last_deg))
    told = alone_bits(nothing.prior.shares, nothing.prior.answers, again.seen)
    assert told.max() < 0.02
    # A line where no cell has one speaks for none of them.
    empty = question.after(question.setting(CU, 1.0), 60.0, 61.0, [60.5])
    assert empty.of_rivals[-1] > question.of_rivals[-1]


def test_measuring_what_was_measured_tells_nothing():
    question = question_of(doubled(), Offer(range_deg=(5, 40), longest_time=1))
    assert question.regions(3) == ()
    longer = question_of(doubled(), Offer(range_deg=(5, 40), longest_time=16)).regions(1)
    assert [region.setting.time > 1 for region in longer] == [True]


def test_lattices_with_all_lines_in_common_are_said_to_be():
    result = one_ambiguous()
    found = mlindex.next_regions(result, wavelengths_A=("Cu",))
    assert found.groups == ((0, 1),)
    assert found.regions == ()
    assert answer_names(found) == ["A or B", "none"]
    assert "electron diffraction" in alike_words(found)[0]
    # With a probability of its own, the other is as little told apart.
    peaks = result.peaks
    tetragonal = result.candidates[0].partners[0]
    both = result_of(
        peaks,
        ("cI", result.candidates[0].cell, "I", 0.5),
        ("tP", tetragonal.cell, "P", 0.5),
    )
    again = mlindex.next_regions(both, wavelengths_A=(CU, "Mo"))
    assert again.groups == ((0, 1),)
    assert again.entropy_bits < 1e-3
    assert as_data(again)["regions"] == []


def test_another_wavelength_is_proposed_only_where_it_is_on_offer():
    waves = {r.setting.wavelength_A for r in mlindex.next_regions(doubled()).regions}
    assert waves == {CU}
    offered = mlindex.next_regions(doubled(), wavelengths_A=("Cr",), range_deg=(20, 60))
    assert {r.setting.wavelength_A for r in offered.regions} == {2.289726}


def test_the_document_obeys_its_schema_and_the_words_name_cells():
    found = mlindex.next_regions(doubled())
    document = as_data(found)
    assert [cell["letter"] for cell in document["cells"]] == ["A", "B"]
    first = document["regions"][0]
    assert "speaks for cell B" in first["advice"]
    assert "none there, for cell A" in first["advice"]
    assert sum(one["chance"] for one in first["outcomes"]) <= 1 + 1e-9
    assert "chance of" in summary_words(found)


def test_a_single_cell_is_decided_or_left_open_without_a_fault():
    sure = result_of(cubic_peaks(), ("cP", CUBIC, "P", 0.99))
    found = mlindex.next_regions(sure)
    assert found.decided
    assert found.regions == ()
    assert summary_words(found).startswith("Nothing needs to be measured")
    doubtful = mlindex.next_regions(result_of(cubic_peaks(), ("cP", CUBIC, "P", 0.4)))
    assert not doubtful.decided
    assert as_data(doubtful)["none_of_them"] == pytest.approx(0.6, abs=0.01)


def test_a_range_without_lines_has_no_region():
    found = mlindex.next_regions(doubled(), range_deg=(1.0, 2.0))
    assert found.regions == ()
    assert "No region from 1 to 2 degrees" in summary_words(found)


def test_bad_input_is_refused_in_words():
    without = replace(doubled(), peaks=replace(cubic_peaks(), wavelength_A=None))
    with pytest.raises(MlindexError, match="wavelength is not known"):
        mlindex.next_regions(without)
    with pytest.raises(MlindexError, match="nothing to tell apart"):
        mlindex.next_regions(replace(doubled(), candidates=()))
    for wrong in (
        {"range_deg": (np.nan, 60.0)},
        {"range_deg": (60.0, 10.0)},
        {"range_deg": 5},
        {"measured_deg": (10.0, np.inf)},
        {"longest_time": np.nan},
        {"longest_time": 0.5},
        {"resolution_deg": np.nan},
        {"resolution_deg": 0},
        {"decided": 1.0},
        {"wavelengths_A": (np.nan,)},
        {"wavelengths_A": ("Unobtainium",)},
        {"most": 0},
    ):
        with pytest.raises(MlindexError):
            mlindex.next_regions(doubled(), **wrong)


def test_candidates_with_nan_are_passed_over():
    result = doubled()
    broken = replace(result.candidates[1], cell=np.full(6, np.nan))
    unsure = replace(result.candidates[0], cell_covariance=np.full((6, 6), np.nan))
    found = mlindex.next_regions(replace(result, candidates=(unsure, broken)))
    assert len(found.rivals) == 1
    as_data(found)
