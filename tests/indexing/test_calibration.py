"""Zero shift and displacement from a standard in the sample."""

from __future__ import annotations

import numpy as np
import pytest

import mlindex
from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.phase import phase_of
from mlindex.crystal.standards import STANDARDS, standard_named
from mlindex.indexing.calibration import calibrated
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.data import as_data

CU = 1.5406
RUTILE = phase_of("tP 4.594 2.9587")


def measured(q2, shift_deg, displacement_deg, noise_deg=0.002, seed=1):
    """A list of lines as a displaced sample shows them."""
    true = two_theta_from_q2(np.sort(q2), CU)
    seen = true + shift_deg + displacement_deg * np.cos(np.radians(true) / 2)
    seen += noise_deg * np.random.default_rng(seed).normal(size=len(seen))
    return PeakList("x", q2_from_two_theta(np.sort(seen), CU), np.ones(len(seen)), CU)


@pytest.mark.parametrize("name", STANDARDS)
def test_every_standard_tells_shift_and_displacement_apart(name: str) -> None:
    standard = standard_named(name.lower())
    peaks = measured(standard.lines(1.5), 0.05, -0.08)
    found, match = calibrated(peaks, standard, None)
    assert len(match.lines) == len(peaks)
    assert found.zero_shift_deg == pytest.approx(0.05, abs=4 * found.zero_shift_error_deg)
    assert found.displacement_deg == pytest.approx(-0.08, abs=4 * found.displacement_error_deg)
    assert found.zero_shift_error_deg < 0.02
    true = two_theta_from_q2(standard.lines(1.5), CU)
    corrected = two_theta_from_q2(found.corrected(peaks).q2_inv_A2, CU)
    assert np.abs(corrected - true).max() < 0.01
    assert STANDARDS[name].source


def test_few_lines_give_a_zero_shift_alone_and_fewer_none() -> None:
    silicon = standard_named("Si")
    found, _ = calibrated(measured(silicon.lines(1.5)[:4], 0.06, 0.0), silicon, None)
    assert found.displacement_deg is None
    assert found.zero_shift_deg == pytest.approx(0.06, abs=4 * found.zero_shift_error_deg)
    assert str(found).startswith("Si, NIST SRM 640f: zero shift +0.06")
    assert str(found).endswith("degrees, from 4 lines")
    with pytest.raises(MlindexError, match=r"2 of the 2 lines of the standard Si.*3 are needed"):
        calibrated(measured(silicon.lines(1.5)[:2], 0.06, 0.0), silicon, None)
    with pytest.raises(MlindexError, match="needs the wavelength"):
        calibrated(PeakList("x", silicon.lines(1.5), None, None), silicon, None)
    with pytest.raises(MlindexError, match="standard 'Ge': not known; give one of Si, LaB6"):
        mlindex.index(PeakList("x", silicon.lines(1.5), None, CU), standard="Ge")


def test_a_foreign_line_near_one_of_the_standard_is_left_out() -> None:
    silicon = standard_named("Si")
    peaks = measured(silicon.lines(1.5), 0.05, 0.0)
    seen = two_theta_from_q2(peaks.q2_inv_A2, CU)
    seen[4] += 0.04
    spoiled = PeakList("x", q2_from_two_theta(seen, CU), None, CU)
    found, _ = calibrated(spoiled, silicon, None)
    assert 4 not in found.lines
    assert found.zero_shift_deg == pytest.approx(0.05, abs=0.004)


def test_the_rest_of_the_sample_is_calibrated() -> None:
    silicon = standard_named("Si")
    peaks = measured(np.concatenate([RUTILE.lines(1.2), silicon.lines(1.2)]), 0.05, -0.15, 0.0005)
    options = {"lattices": "tetragonal", "workers": 1}
    result = mlindex.index(peaks, standard="si", **options)
    best = result.candidates[0]
    assert result.convincing
    error = np.abs(best.cell - RUTILE.cell)[[0, 2]]
    assert error.max() < 2e-4
    document = as_data(result)
    assert document["calibration"]["displacement_deg"] == pytest.approx(-0.15, abs=0.01)
    assert [phase["kind"] for phase in document["phases"]] == ["standard", "found"]
    assert result.notes[0].startswith("standard Si, NIST SRM 640f: zero shift +0.0")
    assert result.options["standard"] == "si"


def test_a_standard_alone_leaves_nothing_to_index() -> None:
    silicon = standard_named("Si")
    peaks = measured(silicon.lines(1.5), 0.02, 0.0)
    assert mlindex.index(peaks, standard="Si").reason.startswith("The standard leaves 0 lines")
    both = mlindex.index(peaks, standard="Si", known_phases="cF 4.05")
    assert both.reason.startswith("The standard and known phase leave 0 lines")
