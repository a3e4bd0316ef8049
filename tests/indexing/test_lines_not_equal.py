"""What intensities, unresolved pairs and repeated lines say for and against a lattice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.made_trials import trial_of
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.indexing.options import Options
from mlindex.indexing.search.describe import candidates
from mlindex.indexing.search.evidence import Misfit, log_likelihood, plain_misfit
from mlindex.indexing.search.find_and_weigh import find, searched_lines, strongest_lines
from mlindex.indexing.search.lines import STRAY
from mlindex.indexing.search.mixture import evidence_if_mixed
from mlindex.indexing.search.observed import observe
from mlindex.indexing.search.strays import stray_of
from mlindex.indexing.search.subcells import with_parents
from mlindex.indexing.search.trials import Trial, weigh
from mlindex.patterns.peaklist import PeakList

_CELL = np.array([5.1, 6.3, 8.7, 90.0, 90.0, 90.0])


def lines_of_cell(cell, n):
    """q² (n,) of the first different lines of a primitive cell."""
    q2 = quadratic_terms(hkl := reflections(cell, "P", 1.0)) @ reciprocal_from_cell(cell)
    assert len(hkl) > n
    return q2[distinct(q2)][:n]


def with_intensities(intensity):
    """A list of lines, no matter where, with these intensities."""
    return PeakList("made", np.linspace(0.05, 0.6, len(intensity)), intensity, 1.5406)


def test_a_strong_line_is_hardly_ever_a_stray_and_a_weak_one_often():
    stray = stray_of(with_intensities([100.0, 10.0, 1.0, 0.1, 0.0, np.nan]))
    assert np.all(np.diff(stray[:3]) > 0)
    assert stray[0] < STRAY / 5
    assert np.all(stray[3:] == 0.4)


@pytest.mark.parametrize("intensity", [None, np.zeros(5), np.full(5, np.nan)])
def test_without_intensities_all_lines_are_alike(intensity):
    peaks = replace(with_intensities(np.ones(5)), intensity=intensity)
    assert np.all(stray_of(peaks) == STRAY)
    assert np.all(observe(peaks, 5, None).weight == 1.0)


def test_the_search_takes_the_significant_lines():
    strong = np.arange(60) % 2 == 1
    peaks = with_intensities(np.where(strong, 100.0, 0.3))
    np.testing.assert_array_equal(searched_lines(peaks, Options()), np.flatnonzero(strong)[:20])
    # Without intensities, or with a number of lines asked for, they are the first.
    first = np.arange(20)
    np.testing.assert_array_equal(searched_lines(replace(peaks, intensity=None), Options()), first)
    np.testing.assert_array_equal(searched_lines(peaks, Options(n_lines=20)), first)


def test_where_few_lines_are_significant_the_strongest_others_are_taken_too():
    intensity = np.where(np.arange(40) < 10, 0.1, 0.2)
    intensity[[3, 30]] = 100.0
    chosen = searched_lines(with_intensities(intensity), Options())
    assert len(chosen) == 20
    assert {3, 30} <= set(chosen.tolist())
    assert np.all(np.diff(chosen) > 0)


def test_the_strongest_lines_are_searched_where_they_are_others():
    intensity = np.where(np.arange(60) % 2 == 1, 100.0, 5.0)
    peaks, first = with_intensities(intensity), np.arange(20)
    strongest = strongest_lines(peaks, Options(), first)
    np.testing.assert_array_equal(strongest, np.flatnonzero(intensity > 50)[:20])
    assert strongest_lines(peaks, Options(), strongest) is None
    assert strongest_lines(replace(peaks, intensity=None), Options(), first) is None
    assert strongest_lines(peaks, Options(n_lines=20), first) is None


def test_a_cell_is_found_among_many_weaker_lines_of_another_phase():
    main, weak = lines_of_cell(_CELL, 30), np.arange(30)
    other = np.sort(np.random.default_rng(2).uniform(main[0] / 2, main[-1] / 2, 30))
    q2, strong = np.concatenate([main, other]), np.concatenate([100.0 + weak, 5.0 + weak / 10])
    order = np.argsort(q2)
    peaks = PeakList("mixture", q2[order], strong[order], 1.5406)
    peaks = replace(peaks, two_theta_error_deg=np.full(60, 0.005))
    assert (strong[order][searched_lines(peaks, Options())] > 50).sum() <= 6
    observed, found, _ = find(peaks, Options(lattices="oP"))
    assert np.sort(found[0].cell[:3]) == pytest.approx(_CELL[:3], rel=1e-3)
    # As one of two phases it has more evidence; a cell that is none gains little.
    right, wrong = candidates([(found[0], 1.0), (found[-1], 0.0)], observed, peaks)
    assert evidence_if_mixed(right, observed) > right.log_evidence + 5
    assert evidence_if_mixed(wrong, observed) < 0


def test_another_line_at_a_reflection_is_no_further_evidence():
    errors, stray = np.full(4, 1e-4), np.full(4, STRAY)
    once = log_likelihood(plain_misfit(np.zeros(1)), errors[:1], stray[:1], 10, 0.3)
    again = np.array([False, True, True, True])
    four = log_likelihood(Misfit(np.zeros(4), np.zeros(4), again), errors, stray, 10, 0.3)
    assert four == pytest.approx(once)


def test_of_lines_at_one_reflection_the_nearest_is_the_evidence():
    q2 = lines_of_cell(_CELL, 20)
    alone, _ = trial_of("oP", _CELL, "P", q2)
    beside, _ = trial_of("oP", _CELL, "P", np.sort(np.append(q2, q2[7] * 1.0002)))
    # The line beside is a stray: it takes nothing from the one that fits exactly.
    assert beside.evidence - alone.evidence == pytest.approx(np.log(STRAY), abs=0.5)


def merged(q2, within):
    """Lines nearer than so much, in 1/A², to the one before, at their centroid."""
    group = np.cumsum(np.diff(q2, prepend=-1.0) > within) - 1
    return np.bincount(group, q2) / np.bincount(group)


def weighed(cell, observed) -> Trial:
    """A primitive orthorhombic cell, weighed."""
    x = reciprocal_from_cell(cell)[None, :3]
    codes = np.array([CENTRING_CODES["P"]])
    (trial,) = weigh(BRAVAIS["oP"], x, codes, observed, 0.0, False).values()
    return trial


def test_a_line_between_unresolved_reflections_is_no_stray():
    cell = np.array([5.1, 6.3, 8.103, 90.0, 90.0, 90.0])
    whole = lines_of_cell(cell, 24)
    q2 = merged(whole, np.sort(np.diff(whole))[0] * 1.01)
    assert len(q2) == 23
    observed = observe(PeakList("merged", q2, None, 1.5406), len(q2), None)
    apart = replace(observed, resolution=0.1 * observed.slope)
    plain, paired = weighed(cell, observed), weighed(cell, apart)
    assert paired.evidence > plain.evidence + 2
    pair = int(np.argmax(np.abs(plain.difference)))
    assert abs(paired.difference[pair]) < abs(plain.difference[pair]) / 10


def test_lists_whose_lines_are_near_one_another_resolve_all():
    q2 = np.linspace(0.05, 0.6, 20)
    near = np.sort(np.append(q2, q2[3] + 1e-6))
    assert not observe(PeakList("x", near, None, 1.5406), 21, None).with_pairs().resolution.any()
    assert observe(PeakList("x", q2, None, 1.5406), 20, None).with_pairs().resolution.all()


def test_the_parent_of_a_supercell_is_weighed_beside_it():
    q2 = lines_of_cell(_CELL, 20)
    larger = _CELL * np.array([1, 1, 2, 1, 1, 1])
    supercell, observed = trial_of("oP", larger, "P", q2)
    volumes = [trial.lattice().volume_A3 for trial in with_parents([supercell], observed)]
    assert min(volumes) == pytest.approx(np.prod(_CELL[:3]), rel=1e-6)
