"""Ab initio indexing: all lattices, spoiled lists, limits, and the verdict."""

import re
import time

import numpy as np
import pytest

import mlindex
import mlindex.wholepattern.indexer
from mlindex.base.clock import Clock
from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.indexing.looks import index_list
from mlindex.indexing.options import Options
from mlindex.indexing.search.plan import in_order
from mlindex.patterns.peaklist import PeakList

WAVELENGTH_A = 1.5406
#: Cells in the standard setting, one of each Bravais lattice, with no special ratios.
CELLS = {
    "cP": ([6.13, 6.13, 6.13, 90, 90, 90], "P"),
    "cI": ([8.41, 8.41, 8.41, 90, 90, 90], "I"),
    "cF": ([10.27, 10.27, 10.27, 90, 90, 90], "F"),
    "tP": ([6.31, 6.31, 9.17, 90, 90, 90], "P"),
    "tI": ([7.13, 7.13, 11.93, 90, 90, 90], "I"),
    "hP": ([7.37, 7.37, 8.53, 90, 90, 120], "P"),
    "hR": ([7.19, 7.19, 7.19, 71.3, 71.3, 71.3], "P"),
    "oP": ([5.83, 7.91, 11.37, 90, 90, 90], "P"),
    "oC": ([6.37, 9.71, 12.13, 90, 90, 90], "C"),
    "oI": ([6.91, 9.37, 13.57, 90, 90, 90], "I"),
    "oF": ([9.13, 12.71, 15.97, 90, 90, 90], "F"),
    "mP": ([7.23, 9.87, 11.31, 90, 103.7, 90], "P"),
    "mC": ([9.17, 7.43, 14.19, 90, 111.3, 90], "C"),
    "aP": ([6.73, 8.59, 10.87, 96.3, 101.7, 106.9], "P"),
}


def _lines(bravais: str, q2_max: float = 0.9) -> np.ndarray:
    cell, centring = CELLS[bravais]
    hkl = reflections(np.array(cell, float), centring, q2_max)
    q2 = np.sort(quadratic_terms(hkl) @ reciprocal_from_cell(np.array(cell, float)))
    return q2[distinct(q2)]


def _list(bravais: str, rng: np.random.Generator, **spoil: float) -> PeakList:
    """20 lines of the first 27, errors of 2theta, a zero shift and impurities as asked."""
    q2 = _lines(bravais)[:27]
    q2 = q2[np.sort(rng.choice(len(q2), min(20, len(q2)), replace=False))]
    two_theta = two_theta_from_q2(q2, WAVELENGTH_A)
    where = rng.choice(len(q2), int(spoil.get("impurities", 0)), replace=False)
    two_theta[where] = rng.uniform(two_theta[0], two_theta[-1], len(where))
    two_theta += rng.normal(0, 1, len(q2)) * spoil.get("error", 0.0) + spoil.get("shift", 0.0)
    return PeakList(
        bravais, np.sort(q2_from_two_theta(two_theta, WAVELENGTH_A)), None, WAVELENGTH_A
    )


def _right(result: mlindex.wholepattern.indexer.IndexingResult, bravais: str) -> bool:
    best = result.candidates[0]
    cell, centring = CELLS[bravais]
    return same_lattice(best.cell, best.centring, np.array(cell, float), centring)


@pytest.mark.parametrize("bravais", BRAVAIS)
def test_every_lattice_is_found_with_a_quarter_of_its_lines_missing(bravais: str) -> None:
    result = mlindex.index(_list(bravais, np.random.default_rng(3)))
    best = result.candidates[0]
    assert _right(result, bravais)
    assert best.bravais == bravais
    assert result.convincing, result.reason
    assert best.indexed.all()
    assert {s.status for s in result.searched} == {"complete"}


@pytest.mark.parametrize("bravais", ["cI", "tP", "hR", "oP", "mC"])
def test_errors_and_a_zero_shift_are_found_out(bravais: str) -> None:
    peaks = _list(bravais, np.random.default_rng(4), error=0.005, shift=0.07)
    result = mlindex.index(peaks, two_theta_error_deg=0.01)
    assert _right(result, bravais)
    assert result.candidates[0].shift.low_deg == pytest.approx(0.07, abs=0.02)


@pytest.mark.parametrize("bravais", ["tI", "hP", "oC", "mP"])
def test_impurity_lines_stay_unindexed(bravais: str) -> None:
    peaks = _list(bravais, np.random.default_rng(5), error=0.003, impurities=3)
    result = mlindex.index(peaks, two_theta_error_deg=0.005)
    assert _right(result, bravais)
    assert result.candidates[0].n_indexed in (17, 18)


def test_lines_at_random_convince_nobody() -> None:
    rng = np.random.default_rng(6)
    two_theta = np.sort(rng.uniform(8, 45, 20))
    peaks = PeakList("random", q2_from_two_theta(two_theta, WAVELENGTH_A), None, WAVELENGTH_A)
    result = mlindex.index(peaks, time_limit_s=20)
    assert not result.convincing
    assert result.reason


def test_the_time_limit_is_kept_and_what_is_cut_off_is_said() -> None:
    peaks = _random_list()
    mlindex.index(peaks, time_limit_s=0.5)  # compiled code is loaded here, once
    asked = []

    def stopped() -> bool:
        asked.append(time.perf_counter())
        return len(asked) > 3

    result = mlindex.index(peaks, stopped=stopped)
    assert {s.status for s in result.searched} & {"cut off", "not reached"}


def test_what_is_searched_quickly_comes_first_and_then_what_takes_longest() -> None:
    order = in_order(list(BRAVAIS))
    assert sorted(order) == sorted(BRAVAIS)
    free = [BRAVAIS[name].system.n_free for name in order]
    quick = sum(n <= 2 for n in free)
    assert max(free[:quick]) == 2
    assert free[quick:] == sorted(free[quick:], reverse=True)
    assert in_order(["oP", "aP", "cF"]) == ["cF", "aP", "oP"]


def _random_list() -> PeakList:
    two_theta = np.sort(np.random.default_rng(7).uniform(5, 40, 20))
    return PeakList("random", q2_from_two_theta(two_theta, WAVELENGTH_A), None, WAVELENGTH_A)


def test_a_search_that_had_no_time_does_not_blame_the_lines() -> None:
    result = mlindex.index(_random_list(), stopped=lambda: True)
    assert {s.status for s in result.searched} == {"not reached"}
    assert result.reason.endswith("It was stopped.")
    result = mlindex.index(_random_list(), time_limit_s=1e-9)
    assert result.reason.endswith("give it more time (--time-limit).")


def test_the_search_leaves_time_for_what_weighs_its_candidates() -> None:
    clock, weighed = Clock(lambda: False, 1000.0, time.perf_counter() - 900), []

    def weigh(found, *_):
        weighed.append(clock())
        return tuple(found)

    result = index_list(_random_list(), Options(lattices=("cP",)), 1, stopped=clock, weigh=weigh)
    assert {s.status for s in result.searched} == {"not reached"}
    assert weighed == [False]
    result = index_list(_random_list(), Options(lattices=("cP",)), 1, stopped=clock)
    assert {s.status for s in result.searched} == {"complete"}


def test_a_lattice_with_a_search_left_out_is_not_complete() -> None:
    begun: list[str] = []
    result = mlindex.index(_random_list(), report=begun.append, stopped=lambda: len(begun) > 1)
    assert len(begun) == 2
    assert {s.status for s in result.searched} == {"cut off"}


def test_a_second_look_that_is_cut_off_is_said_to_be() -> None:
    begun: list[str] = []

    def stopped() -> bool:
        return "large zero shifts" in begun

    result = mlindex.index(_random_list(), lattices=["cP"], report=begun.append, stopped=stopped)
    assert [s.status for s in result.searched] == ["complete"]
    assert result.notes == ("the search for large zero shifts was not finished",)
    whole = mlindex.index(_random_list(), lattices=["cP"])
    assert whole.notes == ()


def test_the_same_list_gives_the_same_answer() -> None:
    peaks = _list("mP", np.random.default_rng(8))
    first, second = mlindex.index(peaks), mlindex.index(peaks, workers=1)
    assert [c.bravais for c in first.candidates] == [c.bravais for c in second.candidates]
    for one, other in zip(first.candidates, second.candidates, strict=True):
        np.testing.assert_array_equal(one.cell, other.cell)


def test_wanted_lattices_only() -> None:
    result = mlindex.index(_list("oP", np.random.default_rng(9)), lattices=["oP", "tetragonal"])
    assert {s.bravais for s in result.searched} == {"oP", "tP", "tI"}
    assert {c.bravais for c in result.candidates} <= {"oP", "tP", "tI"}
    assert result.convincing
    assert "Other lattices than those asked for (oP, tetragonal) were left out" in result.reason
    # The reduced cell is that of the cell shown, of which a P cell has the volume.
    best = result.candidates[0]
    assert cell_volume(best.niggli) == pytest.approx(best.volume_A3, rel=1e-9)


def test_a_centred_lattice_names_the_primitive_one_that_its_lines_allow_too() -> None:
    q2 = _lines("cI", 0.5)[:10]
    result = mlindex.index(PeakList("cI", q2, None, WAVELENGTH_A))
    best = result.candidates[0]
    assert best.bravais == "cI"
    assert any(p.bravais == "cP" and "supercell of index 2" in p.relation for p in best.partners)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_lines": 3}, "lines to use 3: give a whole number, 4 to 60"),
        ({"n_lines": 12.5}, "whole number"),
        ({"time_limit_s": -1}, "time limit"),
        ({"lattices": ["x"]}, "unknown lattice 'x': expected one of cubic"),
        ({"lattices": "x"}, "unknown lattice 'x'"),
        ({"lattices": "mc"}, "unknown lattice 'mc' .did you mean 'mC'"),
        ({"lattices": 5}, "lattices 5: give names"),
        ({"keep": True}, "candidates to keep True: give a whole number"),
        ({"formula": 3}, "formula 3: give it as text"),
        ({"formula": "CuXx"}, "Xx is no element"),
        ({"time_limit_s": float("nan")}, "time limit nan s: give a number, above 0"),
        ({"time_limit_s": "60"}, "time limit '60' s: give a number"),
        ({"keep": 0}, "candidates to keep 0: give a whole number, 1 or more"),
        ({"formula": "Xx2"}, "formula"),
        ({"two_theta_error_deg": np.inf}, "above 0 and up to 2"),
        ({"two_theta_error_deg": 0.0}, "above 0"),
    ],
)
def test_bad_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(MlindexError, match=words):
        mlindex.index(_list("cP", np.random.default_rng(1)), **options)


@pytest.mark.parametrize(("bravais", "shift_deg"), [("cP", 0.62), ("tP", -0.44), ("oC", 0.36)])
def test_a_large_zero_shift_is_found_out_and_told(bravais: str, shift_deg: float) -> None:
    peaks = _list(bravais, np.random.default_rng(11), error=0.004, shift=shift_deg)
    result = mlindex.index(peaks, lattices=[bravais])
    assert result.convincing, result.reason
    assert _right(result, bravais)
    best = result.candidates[0]
    assert best.shift.low_deg == pytest.approx(shift_deg, abs=0.03)
    said = re.search(r"all lines lie (\S+) degrees of 2theta too (\w+)", " ".join(result.notes))
    assert float(said[1]) == pytest.approx(abs(shift_deg), abs=0.03)
    assert said[2] == ("high" if shift_deg > 0 else "low")
    # What is said of the lines is of those observed, wherever they are searched.
    true = two_theta_from_q2(best.q2_corrected_inv_A2, WAVELENGTH_A)
    seen = two_theta_from_q2(peaks.q2_inv_A2, WAVELENGTH_A)[: best.n_used]
    np.testing.assert_allclose(best.shift.put_on(true), seen, atol=1e-6)


def test_shifted_lists() -> None:
    peaks = _list("cP", np.random.default_rng(1))
    np.testing.assert_allclose(peaks.shifted(0.3).shifted(-0.3).q2_inv_A2, peaks.q2_inv_A2)
    assert np.all(peaks.shifted(0.3).q2_inv_A2 < peaks.q2_inv_A2)
    with pytest.raises(ValueError, match="leaves the range"):
        peaks.shifted(60.0)
    with pytest.raises(ValueError, match="wavelength"):
        PeakList("x", peaks.q2_inv_A2, None, None).shifted(0.3)


def test_lines_that_leave_every_cell_open_are_said_to() -> None:
    d = np.array([7.14676, 7.14676 / 2, 7.14676 / 3, 7.14676 / 4, 1.675207, 1.638179, 1.623915])
    peaks = PeakList("rows", d**-2, None, WAVELENGTH_A)
    result = mlindex.index(peaks, lattices=["triclinic"])
    assert not result.candidates
    assert "their cells are not determined" in result.reason
    assert not mlindex.index(peaks).convincing
