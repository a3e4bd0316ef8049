"""Extinction symbols by the intensities of a whole profile."""

import numpy as np
import pytest

from helpers.rutile import X, cell, measured
from mlindex.wholepattern.absences import _of_class, _scatter, _Special, symbols_by_profile
from mlindex.wholepattern.candidates import CellToFit, fit_candidates

RUTILE = CellToFit("tP", "P", cell(4.5937, 4.5937, 2.9587))


@pytest.fixture(scope="module", params=[0.0, 0.06])
def symbols(request: pytest.FixtureRequest):
    fit = fit_candidates(measured(other=request.param), [RUTILE]).fits[0]
    return symbols_by_profile("tP", "P", fit, (float(X[0]), float(X[-1])))


def test_rutile_has_its_symbol_and_group_with_and_without_other_phases(symbols):
    assert symbols[0].symbol == "P - n -"
    assert symbols[0].space_groups[0] == "P 42/m n m"
    assert symbols[0].contradicted == 0
    assert symbols[0].probability > 0.5


def test_probabilities_are_of_all_symbols(symbols):
    assert sum(s.probability for s in symbols) == pytest.approx(1)
    assert len({s.symbol for s in symbols}) == len(symbols) == 23


def test_a_symbol_that_forbids_what_is_seen_is_contradicted(symbols):
    # 1 1 0 and 2 1 0 are strong in rutile: an n or an ab plane across c forbids one of them.
    by_symbol = {s.symbol: s for s in symbols}
    assert by_symbol["P n - -"].contradicted > 0
    assert by_symbol["P n - -"].probability < 0.01


def test_a_symbol_that_allows_more_is_less_probable_than_the_absences_make_it(symbols):
    by_symbol = {s.symbol: s.probability for s in symbols}
    assert by_symbol["P - - -"] < by_symbol["P - n -"]


def special(intensity, covariance):
    allowed = np.array([[True, True], [False, False]])
    lines = _Special(np.array(intensity), np.array(covariance), allowed)
    return [_of_class(lines, may, 0.6) for may in allowed]


def test_the_sum_of_lines_that_overlap_tells():
    # Each of them is uncertain, their sum is not: it is 28 of its errors above 0.
    overlapping = [[25.0, -24.975], [-24.975, 25.0]]
    (allowed, _), (forbidden, seen) = special([3.0, 3.0], overlapping)
    assert allowed > forbidden + 5
    assert seen == 1
    # The same sum of 0 speaks for absence.
    (allowed, _), (forbidden, seen) = special([3.0, -3.0], overlapping)
    assert forbidden > allowed
    assert seen == 0


def test_lines_that_are_not_known_tell_nothing():
    hidden = [[1e6, 0.0], [0.0, 1e6]]
    (allowed, _), (forbidden, _) = special([3.0, 3.0], hidden)
    assert allowed == pytest.approx(forbidden, abs=0.01)


def test_intensities_below_0_show_errors_that_are_too_small():
    rng = np.random.default_rng(1)
    good = rng.normal(size=400)
    assert _scatter(good) == pytest.approx(1, abs=0.1)
    assert _scatter(3 * good) == pytest.approx(3, rel=0.1)
    assert _scatter(np.abs(good)) == 1.0
