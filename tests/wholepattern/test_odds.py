"""What fits to the whole profile change the odds of candidates by."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.indexing_results import candidate
from helpers.rutile import cell, measured
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.odds import (
    EVIDENCE,
    FLOOR,
    LEFT,
    MISFIT,
    SCALE,
    evidence_behind,
    lines_of,
    log_factors,
    parents_first,
    reweighed,
)

RUTILE = CellToFit("tP", "P", cell(4.5937, 4.5937, 2.9587))
WRONG = CellToFit("tP", "P", cell(4.71, 4.71, 3.02))
DOUBLED = CellToFit("tP", "P", cell(4.5937, 4.5937, 5.9174))
BENT = CellToFit("oP", "P", cell(4.58, 4.607, 2.9587))


@pytest.fixture(scope="module")
def fitted():
    """Candidates and fits: a wrong cell, the right one, its supercell, it with less symmetry."""
    pattern, cells = measured(other=0.1), [WRONG, RUTILE, DOUBLED]
    peaks = find_peaks(pattern)
    found = [candidate(peaks.peaks, c.bravais, c.cell, c.centring) for c in (*cells, BENT)]
    fits = list(fit_candidates(pattern, cells, peaks).fits)
    # A fit bends it back, where it has the lines of the right one; so it is made here.
    return found, [*fits, replace(fits[2], cell=BENT.cell)]


def test_cell_that_leaves_less_and_fits_better_gains(fitted):
    found, fits = (values[:2] for values in fitted)
    wrong, right = log_factors(found, fits)
    cost = [(fit.evidence.misfit + fit.evidence.strays) / 2 for fit in fits]
    total = [fit.evidence.total / 2 for fit in fits]
    left = [1 - fit.explained for fit in fits]
    gain = MISFIT * SCALE * np.log(1 + (cost[0] - cost[1]) / SCALE)
    gain += EVIDENCE * SCALE * np.log(1 + (total[0] - total[1]) / SCALE)
    gain += LEFT * np.log((left[0] + FLOOR) / (left[1] + FLOOR))
    assert right - wrong == pytest.approx(gain)
    assert gain > 6


def test_cell_that_can_not_be_fitted_gains_nothing(fitted):
    found, fits = fitted
    three = [found[0], found[2], found[1]]
    wrong, missing, right = log_factors(three, (fits[0], None, fits[1]))
    assert missing == wrong < right


def test_cells_whose_lines_are_all_of_another_are_known(fitted):
    has = lines_of(*fitted)
    # The supercell and the cell of less symmetry have the lines of the right one.
    assert np.argwhere(has).tolist() == [[2, 1], [3, 1]]


def test_a_cell_and_its_supercells_are_not_compared_by_evidence(fitted):
    found, fits = (values[:3] for values in fitted)
    wrong, right, doubled = (fit.evidence.total / 2 for fit in fits)
    assert right < doubled < wrong
    assert evidence_behind(found, fits) == pytest.approx([wrong - right, 0, 0])
    assert evidence_behind(found[::2], fits[::2]) == pytest.approx([wrong - doubled, 0])


def test_one_candidate_far_ahead_hides_nothing_between_the_others(fitted):
    found, fits = fitted
    two = evidence_behind(found[:2], fits[:2])
    better = replace(fits[2], evidence=replace(fits[2].evidence, misfit=-1e4))
    three = evidence_behind(found[:3], [*fits[:2], better])
    # The supercell has no say about its parent, though all about the wrong cell.
    assert three[1] == two[1] == 0
    assert three[0] > two[0] + 1e3


def test_reweighed_odds_are_products_and_the_rest_keeps_its_share():
    after = reweighed(np.array([0.6, 0.3]), np.log([1.0, 4.0]))
    assert after[1] / after[0] == pytest.approx(2)
    assert after.sum() == pytest.approx(0.9)
    assert np.array_equal(reweighed(np.zeros(2), np.zeros(2)), np.zeros(2))


def test_supercell_gains_no_more_than_its_parent_unless_lines_demand_it(fitted):
    parent = replace(fitted[0][1], indexed=np.ones(fitted[0][1].n_used, dtype=bool))
    doubled = replace(parent, niggli=parent.niggli * [1, 1, 2, 1, 1, 1])
    gains = np.array([2.0, 1.0])
    assert parents_first([doubled, parent], gains).tolist() == [1.0, 1.0]
    assert parents_first([parent, doubled], gains).tolist() == [2.0, 1.0]
    fewer = replace(parent, indexed=np.arange(parent.n_used) >= parent.n_used - 2)
    more = replace(doubled, indexed=np.arange(parent.n_used) >= parent.n_used - 4)
    assert parents_first([more, fewer], gains).tolist() == [2.0, 1.0]
