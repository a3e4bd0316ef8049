"""Lines that are recognized: of common substances, and of other lines of the tube."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.crystal.bragg import (
    q2_from_two_theta,
    two_theta_at_wavelength,
    two_theta_from_q2,
)
from mlindex.crystal.phase import phase_of
from mlindex.crystal.strengths import intensity
from mlindex.crystal.substances import substances
from mlindex.crystal.wavelengths import TUBES
from mlindex.indexing.named import recognized, said
from mlindex.patterns.peaklist import PeakList

CU = TUBES["Cu"][0]
MAIN = phase_of("mP 4.684 3.423 5.129 99.54").lines(0.9)
BY_NAME = {phase.name: phase for phase in substances()}


def beside_main(angles, strengths, wavelength=CU):
    """A list of a main phase and other lines, and which lines are the others."""
    main = two_theta_from_q2(MAIN, wavelength)
    two_theta = np.concatenate([main, angles])
    every = np.concatenate([np.linspace(500, 40, len(main)), strengths])
    order = np.argsort(two_theta)
    left = np.repeat([False, True], [len(main), len(angles)])[order]
    return PeakList(
        "x", q2_from_two_theta(two_theta[order], wavelength), every[order], wavelength
    ), left


def lines_of(name, least=0.05, strain=0.0):
    phase = BY_NAME[name]
    q2 = phase.lines(0.9)
    angles = two_theta_from_q2(q2 * (1 - 2 * strain), CU)
    strengths = np.nan_to_num(intensity(phase, q2, np.radians(angles) / 2))
    strong = strengths > least * strengths.max()
    return angles[strong], 30 * strengths[strong] / strengths.max()


@pytest.mark.parametrize("name", ["aluminium", "quartz", "corundum", "ice Ih near 250 K"])
@pytest.mark.parametrize("strain", [0.0, 0.001])
def test_common_substances_are_named(name: str, strain: float) -> None:
    peaks, left = beside_main(*lines_of(name, strain=strain))
    found = recognized(peaks, left, 0.0)
    assert [one.name for one in found] == [name]
    assert set(found[0].lines) <= set(np.flatnonzero(left))
    assert found[0].chance < 1e-3
    (text,) = said(found, peaks)
    assert text.startswith("lines ")
    assert f"are those of {name} (expected by chance in " in text


def test_what_has_the_same_lines_is_named_together() -> None:
    peaks, left = beside_main(*lines_of("gold"))
    assert {*recognized(peaks, left, 0.0)[0].name.split(" or ")} == {"gold", "silver"}


def test_intensities_must_agree_roughly() -> None:
    angles, strengths = lines_of("corundum")
    wrong = np.where(np.arange(len(strengths)) % 2, 1000.0, 0.1) * strengths
    peaks, left = beside_main(angles, wrong)
    assert "corundum" not in [one.name for one in recognized(peaks, left, 0.0)]


def test_zero_shift_of_the_list_is_taken_off() -> None:
    angles, strengths = lines_of("copper")
    peaks, left = beside_main(angles + 0.12, strengths)
    assert recognized(peaks, left, 0.0) == ()
    assert [one.name for one in recognized(peaks, left, 0.12)] == ["copper"]


def test_k_beta_lines_are_told_by_their_k_alpha_lines() -> None:
    strong = two_theta_from_q2(MAIN, CU)[:4]
    images = two_theta_at_wavelength(strong, CU, 1.392234)
    peaks, left = beside_main(images, np.full(4, 20.0))
    (found,) = recognized(peaks, left, 0.0)
    assert found.name == "K-beta of the tube"
    assert len(found.lines) == 4
    # Synchrotrons have no such lines.
    other = PeakList("x", peaks.q2_inv_A2, peaks.intensity, 1.2)
    assert recognized(other, left, 0.0) == ()


def test_lines_at_random_are_not_named() -> None:
    rng = np.random.default_rng(3)
    named = 0
    for number in (3, 6, 12, 25, 40) * 3:
        peaks, left = beside_main(rng.uniform(15, 90, number), 10 ** rng.uniform(0, 2, number))
        named += bool(recognized(peaks, left, 0.0))
    assert named == 0
