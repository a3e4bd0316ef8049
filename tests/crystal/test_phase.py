"""Phases as people write them, and their lines."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.crystal.phase import phase_of


@pytest.mark.parametrize(
    ("text", "cell", "centring", "first_d_A"),
    [
        ("cF 5.4312", [5.4312] * 3 + [90.0] * 3, "F", [3.1357, 2.7156]),
        ("Fd-3m 5.4312", [5.4312] * 3 + [90.0] * 3, "F", [3.1357, 1.9202]),
        ("hP 2.665 4.947", [2.665, 2.665, 4.947, 90, 90, 120], "P", [4.947, 2.4735]),
        ("hR 4.7587 12.9929", [4.7587, 4.7587, 12.9929, 90, 90, 120], "R", [4.3310, 3.9283]),
        ("hR 5.13 5.13 5.13 55.28 55.28 55.28", [5.13] * 3 + [55.28] * 3, "P", [4.3319, 3.9292]),
        ("R -3 c 4.7587 12.9929", [4.7587, 4.7587, 12.9929, 90, 90, 120], "R", [3.4800, 2.5511]),
        ("mP 4.684 3.423 5.129 99.54", [4.684, 3.423, 5.129, 90, 99.54, 90], "P", [5.0581]),
        ("P 1 1 21/b 5.1 6.2 7.3 97", [5.1, 6.2, 7.3, 90, 90, 97], "P", [5.0620, 4.7051]),
        ("aP 5,6,7,80,85,95", [5, 6, 7, 80, 85, 95], "P", []),
    ],
)
def test_lattice_or_space_group_and_the_free_parameters(text, cell, centring, first_d_A):
    phase = phase_of(text)
    assert phase.cell == pytest.approx(cell)
    assert phase.centring == centring
    found = phase.lines(0.5)[: len(first_d_A)] ** -0.5
    assert found == pytest.approx(first_d_A, abs=2e-4)
    assert phase_of(str(phase)).cell == pytest.approx(phase.cell, rel=1e-5)


def test_uncertainties_are_left_out():
    assert phase_of("tP 4.594(2) 2.9587(1)").cell[0] == 4.594


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cF", "cF needs a, or all six"),
        ("cF 5.4 5.4", "cF needs a, or all six"),
        ("mP 4.7 3.4 5.1", "mP needs a, b, c, beta"),
        ("cubic 5.4", "its lattice is not known; give a CIF file, or .*'cF 5.4312'"),
        ("xX 5.4", "its lattice is not known"),
        ("cF five", "no number"),
        ("cF -5.4", "a = -5.4 is impossible: lengths are 1 to 200 A"),
        ("cF nan", "a = nan is impossible"),
        ("Fd-3m 9999", "a = 9999 is impossible"),
        ("P 1 1 21/b 5 6 7 200", "gamma = 200 is impossible: angles lie between 0 and 180 degrees"),
        ("cF 5 6 7 90 90 90", "a cubic cell has a = b = c, alpha = beta = gamma = 90"),
        ("hP 5 6 7 90 90 120", "a hexagonal cell has a = b, alpha = beta = 90, gamma = 120"),
        ("P 1 1 21/b 5 6 7 90 92 93", "a monoclinic cell has alpha = beta = 90"),
        ("P 21/c 5 6 7", "P 21/c needs a, b, c, beta"),
        ("aP 5 6 7 10 20 175", "no cell has such angles"),
        ("", "its lattice is not known"),
        (5.4, "is no text"),
    ],
)
def test_what_is_no_phase_is_refused_with_an_example(text, message):
    with pytest.raises(MlindexError, match=message):
        phase_of(text)


def test_cells_with_too_many_lines_are_refused():
    with pytest.raises(MlindexError, match=r"known phase aP .*cell too large"):
        phase_of("aP 150 160 170 80 85 95").lines(4.0)


def test_names_are_short():
    assert phase_of("Fm-3m 3.615").name == "F m -3 m 3.615"
    assert np.array_equal(phase_of("mP 4.684 3.423 5.129 99.54").lines(0.01), np.empty(0))
