"""A cubic lattice in few lines."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.phase import phase_of
from mlindex.indexing.cubic import cubic_lattice
from mlindex.patterns.peaklist import PeakList

CU = 1.5406
MAIN = two_theta_from_q2(phase_of("hP 2.665 4.947").lines(1.2), CU)


def beside_main(two_theta, strengths):
    """A list of a main phase and other lines, and which lines are the others."""
    every = np.concatenate([MAIN, two_theta])
    strong = np.concatenate([np.full(len(MAIN), 100.0), strengths])
    order = np.argsort(every)
    left = np.repeat([False, True], [len(MAIN), len(two_theta)])[order]
    return PeakList("x", q2_from_two_theta(every[order], CU), strong[order], CU), left


def test_three_lines_of_silicon_carbide_beside_zinc() -> None:
    # As measured: the lines are 0.6 degrees wide, (200) is too weak to be seen.
    peaks, left = beside_main([26.739, 35.592, 59.904, 71.610], [6.3, 88.7, 38.7, 24.9])
    found = cubic_lattice(peaks, left, 0.0)
    assert found.name.startswith("a cubic F lattice with a = 4.36")
    assert found.phase.cell[0] == pytest.approx(4.365, abs=0.003)
    assert len(found.lines) == 3
    assert found.chance < 0.01


@pytest.mark.parametrize(
    ("two_theta", "strengths"),
    [
        # Orders of one spacing; a strong line left over; at random; too few.
        ([20.0, 40.63, 62.77, 88.0], [50.0] * 4),
        ([26.739, 35.592, 59.904, 71.610], [63.0, 88.7, 38.7, 24.9]),
        ([23.4, 35.592, 57.1, 71.610], [50.0] * 4),
        ([35.592, 59.904], [88.7, 38.7]),
    ],
)
def test_other_lines_are_no_cubic_lattice(two_theta, strengths) -> None:
    assert cubic_lattice(*beside_main(two_theta, strengths), 0.0) is None


def test_no_crystal_has_so_short_axes() -> None:
    # Six lines of a P lattice with a = 2.35 A are those of an I lattice as well.
    found = cubic_lattice(*beside_main([38.271, 55.237, 69.190, 81.916], [50.0] * 4), 0.0)
    assert found.name.startswith("a cubic I lattice with a = 3.32")
