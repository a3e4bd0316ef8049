"""Trials that the lines leave open, sifted by the whole profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.rutile import cell, measured
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.search.trials import Trial, walked
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.candidate import fit_cell, glance
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.data import prepare
from mlindex.wholepattern.reference import reference
from mlindex.wholepattern.sift import best_of, sifted
from mlindex.wholepattern.weigh import with_profiles

TRUE = cell(4.5937, 4.5937, 2.9587)
WRONG = CellToFit("tP", "P", cell(4.71, 4.71, 3.02))


def trial(parameters, evidence, shift_deg=0.0):
    """A trial in a setting that is its own standard one."""
    bravais = BRAVAIS["tP"]
    x, letter = walked(parameters, bravais, "P")
    return Trial(bravais, letter, x, parameters, shift_deg, evidence, 20, np.zeros(1))


@pytest.fixture(scope="module")
def pattern():
    return measured()


@pytest.fixture(scope="module")
def peaks(pattern):
    return find_peaks(pattern)


@pytest.fixture(scope="module")
def trials():
    """The true cell, a little off and with least evidence by lines, among 60 others."""
    rng = np.random.default_rng(2)
    edges = rng.uniform((4.2, 2.6), (5.2, 3.4), (60, 2))
    wrong = [trial(cell(a, a, c), 0.0) for a, c in edges]
    return [*wrong, trial(cell(4.5955, 4.5955, 2.958), -30.0)]


def test_the_true_cell_is_found_whatever_its_lines_say(pattern, peaks, trials):
    first = sifted(pattern, trials, peaks, 1)[0]
    assert first.cell[0] == 4.5955
    best = best_of(pattern, trials, WRONG, peaks, 1)
    assert best.cell == pytest.approx(TRUE, rel=2e-4)


def test_a_supercell_does_not_hide_the_cell(pattern, peaks, trials):
    doubled = trial(cell(4.5955, 4.5955, 5.916), 0.0)
    best = best_of(pattern, [*trials, doubled], WRONG, peaks, 1)
    assert best.cell == pytest.approx(TRUE, rel=2e-4)


def test_each_lattice_is_refined_once(pattern, peaks, trials):
    several = [*trials, replace(trials[-1], evidence=-31.0)]
    found = sifted(pattern, several, peaks, 1)
    assert sum(np.allclose(one.cell, several[-1].cell) for one in found) == 1


def test_a_first_candidate_that_fits_stays(pattern, peaks, trials):
    assert best_of(pattern, trials, CellToFit("tP", "P", TRUE), peaks, 1) is None
    # Nor does another that is as good by chance.
    doubled = trial(cell(4.5937, 4.5937, 5.9174), 0.0)
    assert best_of(pattern, [doubled], CellToFit("tP", "P", TRUE), peaks, 1) is None


def test_nothing_comes_of_no_trials_and_no_time(pattern, peaks, trials):
    assert best_of(pattern, (), WRONG, peaks) is None
    assert best_of(pattern, trials, WRONG, peaks, 1, lambda: True) is None


def test_a_glance_gives_the_heights_that_a_fit_ends_with(pattern, peaks):
    data = prepare(pattern, peaks)
    known, system = reference(data, peaks), BRAVAIS["tP"].system
    fit = fit_cell(known, np.empty(0), system, TRUE, "P", near=True)
    look = glance(known, system, TRUE, "P", 0.0)
    assert np.array_equal(look.fitted.p[: system.n_free], reciprocal_from_cell(TRUE)[[0, 2]])
    strong = fit.fitted.solution.height > 0.2 * fit.fitted.solution.height.max()
    ratio = look.fitted.solution.height[strong] / fit.fitted.solution.height[strong]
    assert ratio == pytest.approx(1, abs=0.1)


def test_a_first_candidate_that_is_not_probable_gives_way(pattern, peaks, trials):
    import mlindex

    right = mlindex.index(pattern, lattices=["tP"], keep=1).candidates[0]
    wrong = replace(right, cell=WRONG.cell, probability=0.3, profile=None)

    def describe(bravais, centring, parameters, like):
        return replace(right, cell=parameters, probability=like.probability, profile=None)

    def weighed(probability):
        first = replace(wrong, probability=probability)
        found = with_profiles(
            pattern, [first], peaks, 1, describe=describe, still_open=lambda: trials
        )
        return found[0].cell

    assert weighed(0.3) == pytest.approx(TRUE, rel=1e-3)
    # What is probable by its lines is not asked for again.
    assert weighed(0.95)[0] == pytest.approx(WRONG.cell[0])
    assert fit_candidates(pattern, [WRONG], peaks, 1).fits[0].explained < 0.9
