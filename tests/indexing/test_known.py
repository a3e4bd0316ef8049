"""Lines of known phases in a list, and the search of what they leave."""

from __future__ import annotations

import numpy as np
import pytest

import mlindex
from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.phase import Phase, phase_of
from mlindex.indexing.known import matched
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.data import as_data
from mlindex.reports.result.page import page

CU = 1.5406
SILICON = phase_of("Fd-3m 5.4312")
SALT = phase_of("Fm-3m 5.6402")


def mixed(*parts: tuple[np.ndarray, float], shift_deg: float = 0.0, wavelength=CU):
    """A list of the lines of several phases, and which part each line is of."""
    q2 = np.concatenate([lines for lines, _ in parts])
    number = np.repeat(range(len(parts)), [len(lines) for lines, _ in parts])
    strength = np.concatenate([np.full(len(lines), strength) for lines, strength in parts])
    order = np.argsort(q2)
    q2 = q2_from_two_theta(two_theta_from_q2(q2, CU) + shift_deg, CU)
    return PeakList("x", q2[order], strength[order], wavelength), number[order]


@pytest.mark.parametrize("shift", [-0.14, 0.0, 0.21])
def test_lines_of_a_known_phase_are_found_whatever_the_zero_shift(shift: float) -> None:
    peaks, number = mixed((SALT.lines(1.2), 5.0), (SILICON.lines(1.2), 2.0), shift_deg=shift)
    (found,) = matched(peaks, [phase_of("Fd-3m 5.433")])
    assert found.lines.tolist() == np.flatnonzero(number == 1).tolist()
    assert found.expected == len(found.lines)
    assert not found.shared.any()


def test_without_a_wavelength_lines_are_compared_as_they_are() -> None:
    peaks, number = mixed((SALT.lines(1.2), 5.0), (SILICON.lines(1.2), 2.0), wavelength=None)
    salt, silicon = matched(peaks, [SALT, SILICON])
    assert salt.lines.tolist() == np.flatnonzero(number == 0).tolist()
    assert silicon.lines.tolist() == np.flatnonzero(number == 1).tolist()


def test_a_line_too_strong_for_the_phase_is_shared() -> None:
    q2 = SILICON.lines(1.2)
    strengths = np.ones(len(q2))
    strengths[3] = 40.0
    peaks = PeakList("x", q2, strengths, CU)
    (found,) = matched(peaks, [SILICON])
    assert found.lines[found.shared].tolist() == [3]


def test_calculated_intensities_decide_whose_a_line_is() -> None:
    q2 = SALT.lines(1.2)
    known = Phase("s", "Fm-3m", SALT.cell, "F", SALT.hall, q2, np.tile([100.0, 1e-4], 9)[: len(q2)])
    half = np.radians(two_theta_from_q2(q2, CU)) / 2
    factor = (1 + np.cos(2 * half) ** 2) / (np.sin(half) ** 2 * np.cos(half))
    strengths = 100 * factor
    strengths[2] *= 5
    (found,) = matched(PeakList("x", q2, strengths, CU), [known])
    # Every other line is too weak to be seen: what stands there is another phase's.
    assert found.lines.tolist() == list(range(0, len(q2), 2))
    assert found.lines[found.shared].tolist() == [2]


@pytest.fixture(scope="module")
def indexed():
    peaks, number = mixed(
        (phase_of("tP 4.594 2.9587").lines(1.0), 5.0), (SALT.lines(1.0), 2.0), shift_deg=0.03
    )
    options = {"lattices": "tetragonal", "known_phases": "cF 5.64"}
    return mlindex.index(peaks, workers=1, **options), number


def test_the_rest_is_indexed_and_lines_keep_their_numbers(indexed) -> None:
    result, number = indexed
    best = result.candidates[0]
    assert best.cell[[0, 2]] == pytest.approx([4.594, 2.9587], abs=1e-3)
    assert result.convincing
    assert best.lines.tolist() == np.flatnonzero(number == 0)[: best.n_used].tolist()
    salt, first = result.phases
    assert salt.lines.tolist() == np.flatnonzero(number == 1).tolist()
    strengths = result.peaks.intensity
    assert salt.share == pytest.approx(strengths[number == 1].sum() / strengths.sum())
    assert first.lines.tolist() == best.lines[best.indexed].tolist()
    assert "known phase cF 5.64: " in " ".join(result.notes)


def test_the_result_says_which_phase_each_line_is_of(indexed) -> None:
    result, number = indexed
    names = [line["phase"] for line in as_data(result)["observed_lines"]]
    assert [name for name, n in zip(names, number, strict=True) if n == 1] == ["cF 5.64"] * 10
    numbers = [line["line"] for line in as_data(result)["candidates"][0]["lines"]]
    assert set(np.array(names)[np.array(numbers) - 1]) == {"cell 1"}
    assert "cF 5.64" in page(result)
    assert result.options["known_phases"] == "cF 5.64"


def test_nothing_is_left_to_index() -> None:
    peaks, _ = mixed((SALT.lines(1.2), 5.0))
    result = mlindex.index(peaks, known_phases=[SALT])
    assert not result.candidates
    assert result.reason.startswith("The known phase leaves 0 lines")
    assert as_data(result)["phases"][0]["lines"] == list(range(1, len(peaks) + 1))


def test_python_reads_phases_itself() -> None:
    peaks, _ = mixed((SALT.lines(1.2), 5.0))
    with pytest.raises(MlindexError, match=r"give mlindex\.read_phase\('salt\.cif'\)"):
        mlindex.index(peaks, known_phases="salt.cif")
