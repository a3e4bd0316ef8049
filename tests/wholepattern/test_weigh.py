"""A measured pattern is indexed with its profile."""

import ast
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import mlindex
from helpers.rutile import CU, X, cell, measured
from mlindex.base.errors import MlindexError
from mlindex.indexing.account import account
from mlindex.indexing.options import Options
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.candidates import CellToFit
from mlindex.wholepattern.indexer import index_pattern
from mlindex.wholepattern.known import own_share
from mlindex.wholepattern.weigh import with_profiles

RUTILE = CellToFit("tP", "P", cell(4.5937, 4.5937, 2.9587))


@pytest.fixture(scope="module")
def result():
    return mlindex.index(measured(other=0.1), lattices=["tetragonal"], keep=3)


def test_candidates_have_their_fits(result):
    best = result.candidates[0]
    assert best.cell[[0, 2]] == pytest.approx([4.5937, 2.9587], rel=1e-3)
    fit = best.profile
    assert fit.goodness == pytest.approx(1, abs=0.1)
    assert 0.8 < fit.explained < 0.95
    assert fit.n_other_peaks >= 2
    assert "other peaks" in repr(fit)
    assert len(result.candidates) == 3
    # One pattern, whatever the candidate.
    assert all(c.profile.observed is fit.observed for c in result.candidates)
    assert all(c.profile.two_theta_deg is fit.two_theta_deg for c in result.candidates)
    assert all(c.profile.log_evidence < fit.log_evidence for c in result.candidates[1:])


def test_what_the_cell_leaves_is_the_other_phase(result):
    fit = result.candidates[0].profile
    salt = np.degrees(2 * np.arcsin(CU[0] / 2 / (5.6402 / 2)))
    at = np.abs(fit.two_theta_deg - salt) < 0.1
    assert fit.difference[at].max() > 100
    noise = np.sqrt(fit.observed)
    assert np.median(np.abs(fit.difference / noise)) < 1


def test_most_probable_is_first_whatever_the_lines_say(result):
    pattern = measured(other=0.1)
    best = result.candidates[0]
    # A cell that the lines have taken for a little more probable, but that fits nowhere.
    wrong = replace(best, cell=cell(4.71, 4.71, 3.02), probability=0.5, profile=None)
    known = replace(best, probability=0.4, profile=None)
    weighed = with_profiles(pattern, [wrong, known], find_peaks(pattern))
    assert weighed[0].cell is best.cell
    assert weighed[0].profile.probability_before == 0.4
    assert sum(c.probability for c in weighed) == pytest.approx(0.9)


def test_what_there_was_time_for_is_fitted(result):
    pattern, best = measured(other=0.1), result.candidates[0]
    found = [replace(best, profile=None, probability=p) for p in (0.5, 0.3)]
    found[1] = replace(found[1], cell=cell(4.71, 4.71, 3.02))
    peaks, asked = find_peaks(pattern), []

    def over():
        asked.append(len(asked))
        return len(asked) > 1

    fitted = with_profiles(pattern, found, peaks, 1, over=over)
    assert [c.profile is None for c in fitted] == [False, True]
    none = with_profiles(pattern, found, peaks, 1, over=lambda: True)
    assert [c.profile for c in none] == [None, None]


def test_the_limit_and_a_stop_hold_for_the_whole_of_a_pattern():
    stopped = []

    def report(text):
        stopped.extend(["stopped"] * (text == "fits to the whole profile"))

    asked = Options(lattices=("tetragonal",))
    pattern = replace(measured(), notes=("of the file",))
    cut, _ = index_pattern(pattern, asked, 1, report, lambda: bool(stopped))
    assert cut.notes[0] == "of the file"
    assert any("cut short: 0 of" in note for note in cut.notes)
    assert {candidate.profile for candidate in cut.candidates} == {None}
    assert cut.seconds > 0
    with pytest.raises(MlindexError, match=r"search was not finished\. It was stopped"):
        index_pattern(measured(), asked, stopped=lambda: True)
    with pytest.raises(MlindexError, match="give it more time"):
        index_pattern(measured(), replace(asked, time_limit_s=1e-9))


def test_verdict_counts_what_the_profile_leaves(result):
    best = result.candidates[0]
    whole = replace(best, indexed=np.ones(best.n_used, dtype=bool))
    left = account(whole, np.ones(best.n_used)).share
    assert left == pytest.approx(1 - best.profile.explained)
    assert account(replace(whole, profile=None), np.ones(best.n_used)).share == 0
    none = replace(best, indexed=np.zeros(best.n_used, dtype=bool))
    assert account(none, np.ones(best.n_used)).share == pytest.approx(1 - best.profile.explained)
    # A sum of shares may be more than 1 in its last digit.
    whole = replace(best, profile=replace(best.profile, explained=1 + 1e-15))
    assert account(whole, np.ones(best.n_used)).share == 0


def test_peaks_of_known_phases_count_neither_way():
    salt = mlindex.index(
        measured(other=0.1), lattices=["tetragonal"], keep=1, known_phases=("cF 5.6402",)
    )
    best = salt.candidates[0]
    assert best.cell[[0, 2]] == pytest.approx([4.5937, 2.9587], rel=1e-3)
    assert best.profile.explained > 0.99
    assert best.profile.n_other_peaks >= 2


def test_share_without_known_peaks():
    peaks = np.array([20.0, 30.0, 40.0]), np.array([3.0, 5.0, 2.0])
    assert own_share(10.0, *peaks, np.array([30.05]), 0.1) == pytest.approx(10 / 15)
    assert own_share(10.0, *peaks, np.empty(0), 0.1) == pytest.approx(0.5)
    assert own_share(0.0, np.empty(0), np.empty(0), np.empty(0), 0.1) == 0


def test_pattern_over_d_without_a_wavelength_is_fitted():
    pattern = replace(
        measured(),
        wavelength_A=None,
        second_wavelength_A=None,
        nominal_wavelength_A=CU[0],
        two_theta_deg=X,
    )
    found = find_peaks(pattern)
    assert found.peaks.wavelength_A is None
    best = mlindex.index(pattern, lattices=["tP"], keep=1).candidates[0]
    # The second lines of the doublet, of which nothing is known, are nobody's.
    assert 0.8 < best.profile.explained < 0.95


def test_commands_load_no_fits_before_there_is_a_pattern():
    code = (
        "import sys, mlindex.apps.command, mlindex.apps.batch.work\n"
        "print([m for m in sys.modules if m.startswith('mlindex.wholepattern.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ["mlindex.wholepattern.compiling", "mlindex.wholepattern.indexer"]
    assert sorted(ast.literal_eval(done.stdout)) == loaded
