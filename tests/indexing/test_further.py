"""Second phases: in what a first cell leaves, and two cells that are convincing together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mlindex
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.phase import phase_of
from mlindex.indexing.further import with_further
from mlindex.indexing.phases import Left
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.cif import phase_cifs
from mlindex.reports.result.data import as_data
from mlindex.reports.result.page import page

CU = 1.5406
MAIN = phase_of("tP 5.937 3.81")
OTHER = phase_of("hP 5.173 8.41")
TRUE = {"tP": MAIN.cell, "hP": OTHER.cell}


def mixture(share: float, shift_deg: float = 0.04) -> PeakList:
    """Lines of two phases, the second with a share of the intensity."""
    main, other = MAIN.lines(0.62), OTHER.lines(0.2)
    q2 = np.concatenate([main, other])
    strengths = np.concatenate(
        [np.full(len(main), (1 - share) / len(main)), np.full(len(other), share / len(other))]
    )
    order = np.argsort(q2)
    rng = np.random.default_rng(5)
    seen = two_theta_from_q2(q2[order], CU) + shift_deg + 0.004 * rng.normal(size=len(q2))
    order, seen = order[np.argsort(seen)], np.sort(seen)
    return PeakList("x", q2_from_two_theta(seen, CU), strengths[order], CU)


@pytest.fixture(scope="module", params=[0.08, 0.5], ids=["impurity", "equal"])
def result(request):
    options = {"lattices": ("tetragonal", "hexagonal"), "two_theta_error_deg": 0.01}
    return mlindex.index(mixture(request.param), workers=1, **options)


def test_both_phases_are_found(result) -> None:
    assert result.convincing
    first, second = result.phases
    assert {first.kind, second.kind} == {"found"}
    for phase in (first, second):
        true = TRUE[phase.candidate.bravais]
        assert phase.cell == pytest.approx(true, rel=5e-4)
        assert phase.candidate.shift.low_deg == pytest.approx(0.04, abs=0.03)
        # Lines of the whole list, whichever of them were searched.
        q2 = phase.candidate.q2_corrected_inv_A2
        seen = two_theta_from_q2(result.peaks.q2_inv_A2[phase.candidate.lines], CU)
        put_back = phase.candidate.shift.put_on(two_theta_from_q2(q2, CU))
        assert put_back == pytest.approx(seen, abs=0.002)
    assert result.candidates[0] is first.candidate
    assert first.candidate.bravais == "tP" or second.share > 0.4
    explained = {*first.lines, *second.lines}
    assert len(explained) >= 0.9 * len(result.peaks)
    assert "Two phases explain" in result.reason


def test_every_output_shows_the_second_phase(result) -> None:
    second = result.phases[1]
    document = as_data(result)["phases"][1]
    assert document["candidate"]["bravais_lattice"] == second.candidate.bravais
    assert document["lines"] == (second.lines + 1).tolist()
    assert 0 < document["intensity_share"] < 0.7
    assert "cell 2" in page(result)
    (cif,) = phase_cifs(result).items()
    assert cif[0] == "phase_2.cif"
    assert f"_cell_length_a {second.cell[0]:.2f}"[:-1] in cif[1].replace("  ", " ")


def test_lists_of_one_phase_have_no_others() -> None:
    options = {"lattices": "tetragonal", "two_theta_error_deg": 0.01, "workers": 1}
    q2 = MAIN.lines(0.9)
    result = mlindex.index(PeakList("x", q2, np.ones(len(q2)), CU), **options)
    assert result.convincing
    assert result.phases == ()


class _Whole:
    """A pattern whose profile asks for one lattice."""

    def __init__(self, left: PeakList, wanted: str, remain: int) -> None:
        self.left, self.wanted, self.remain = left, wanted, remain

    def leave(self, cells):
        return self.left if len(cells) == 1 else self.left.only(np.arange(self.remain))

    def gain(self, cells, further):
        return 50.0 if further.bravais == self.wanted else 30.0

    def together(self, phases):
        return None


@pytest.mark.parametrize(
    ("wanted", "remain", "found"), [("hP", 0, True), ("cP", 0, True), ("hP", 5, False)]
)
def test_the_profile_decides_where_few_lines_leave_it_open(result, wanted, remain, found) -> None:
    second = result.phases[1].candidate
    fwhm, error = np.full((2, len(result.peaks)), [[0.1], [0.01]])
    peaks = replace(result.peaks, fwhm_deg=fwhm, two_theta_error_deg=error)
    left = peaks.only(second.lines)
    own = replace(second, used_lines=None, probability=0.2)
    several = (replace(own, bravais="cP", probability=0.7), own)
    looked = replace(result, peaks=left, candidates=several, convincing=False)
    first = replace(result, peaks=peaks, phases=(), convincing=True)
    whole = _Whole(left, wanted, remain)
    told = with_further(
        first, Left(peaks, np.arange(len(peaks))), lambda peaks, every: looked, whole
    )
    assert (sum(phase.kind == "found" for phase in told.phases) == 2) == found
    if found:
        assert told.phases[1].candidate.bravais == wanted
        assert "times as probable as with any other cell" in told.phases[1].reason
        assert np.array_equal(told.phases[1].candidate.lines, second.lines)
