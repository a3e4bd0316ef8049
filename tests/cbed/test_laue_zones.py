"""What distant Laue zones add, against the sum written out, and where they come from."""

from itertools import product

import numpy as np
import pytest

from helpers.cbed_crystals import gallium_arsenide, general
from mlindex.cbed.laue_zones import with_distant_zones
from mlindex.cbed.orientation import orientation_of
from mlindex.cbed.potential import potential_of

WAVE_NUMBER, RELATIVISTIC, REACH = 27.0, 1.2, 5.0
TRICLINIC = general("P 1", [3.1, 3.6, 4.2, 94, 101, 97])


def written_out(potential, orientation, beyond, g):
    """The sum over reflections of distant zones: slow and plain."""
    table, bounds = potential.table, potential.bounds
    total = 0.0
    for a in product(*(range(-b, b + 1) for b in bounds)):
        n = int(np.dot(a, orientation.zone))
        one, other = np.array(a), np.array(a) - g
        q = orientation.positions(np.array([one, other]))[:, :2]
        if n <= beyond * orientation.repeat_A or np.any(np.linalg.norm(q, axis=1) > REACH):
            continue
        if np.all(np.abs(other) <= bounds):
            value = table[tuple(one + bounds)] * np.conj(table[tuple(other + bounds)])
            total += (q[0] @ q[1]) * value * (orientation.repeat_A / n) ** 2
    return -RELATIVISTIC / (2 * WAVE_NUMBER**2) * total


@pytest.mark.parametrize("zone", [(0, 0, 1), (0, -1, 0), (2, 1, -1), (1, 3, 2)])
@pytest.mark.parametrize("beyond", [0.0, 0.3])
def test_the_table_gains_what_the_sum_says(zone, beyond):
    potential = potential_of(TRICLINIC, 2.0)
    orientation = orientation_of(TRICLINIC, zone)
    table = with_distant_zones(potential, orientation, beyond, WAVE_NUMBER, RELATIVISTIC)
    gained = table - potential.table
    hkl = np.argwhere(np.abs(gained) > 0) - potential.bounds
    assert not (hkl @ np.array(zone)).any(), "only coefficients of the zero zone change"
    for g in hkl[:: max(len(hkl) // 5, 1)]:
        wanted = written_out(potential, orientation, beyond, g)
        assert gained[tuple(g + potential.bounds)] == pytest.approx(wanted, abs=1e-12)


def test_beyond_the_last_coefficient_nothing_is_gained():
    potential = potential_of(TRICLINIC, 2.0)
    orientation = orientation_of(TRICLINIC, (0, 0, 1))
    table = with_distant_zones(potential, orientation, 2.0, WAVE_NUMBER, RELATIVISTIC)
    np.testing.assert_array_equal(table, potential.table)


def test_the_gain_is_a_real_potential_that_repels():
    # -|grad V|²: its mean is negative, and coefficients of g and -g are conjugate.
    for atoms in (TRICLINIC, gallium_arsenide()):
        potential = potential_of(atoms, 3.0)
        orientation = orientation_of(atoms, (1, 1, 0))
        table = with_distant_zones(potential, orientation, 0.1, WAVE_NUMBER, RELATIVISTIC)
        gained = table - potential.table
        np.testing.assert_allclose(gained, np.conj(gained[::-1, ::-1, ::-1]), atol=1e-12)
        assert gained[tuple(potential.bounds)].real < 0
