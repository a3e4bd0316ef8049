"""Simulated patterns against what symmetry and reciprocity say of them, exactly.

Groups and the symmetry of discs: Buxton, Eades, Steeds & Rackham, Phil. Trans. R. Soc. A281 (1976)
171; dark lines in forbidden discs: Gjonnes & Moodie, Acta Cryst. 19 (1965) 65.
"""

import numpy as np
import pytest

from helpers.cbed_crystals import crystal, gallium_arsenide, general, silicon
from mlindex.cbed.orientation import orientation_of
from mlindex.cbed.potential import potential_of, wavelength_A
from mlindex.cbed.rocking import Exposure, rocking_of
from mlindex.cbed.settings import BeamChoice, Specimen
from mlindex.crystal.space_groups import operations_of

CHOICE = BeamChoice(q_max_inv_A=1.6, max_directions_across=7, max_strong=80, max_beams=120)
#: Reciprocity pairs beams of which the looser rule keeps only one.
STRICT = BeamChoice(
    q_max_inv_A=1.6,
    max_directions_across=5,
    strong_weight=5e-4,
    weak_weight=5e-4,
    perturbing_depth_inv_A=0.2,
)
#: A part in 10,000 of the incident intensity: single precision.
SAME = 1e-4
CELLS = {
    "monoclinic": [4.1, 4.9, 4.5, 90, 101, 90],
    "orthorhombic": [4.1, 4.9, 4.5, 90, 90, 90],
    "tetragonal": [4.6, 4.6, 4.2, 90, 90, 90],
    "cubic": [5.2, 5.2, 5.2, 90, 90, 90],
    "triclinic": [4.1, 4.9, 4.5, 94, 101, 97],
}


def simulated(atoms, zone, absorption=0.05, thickness=150.0, choice=CHOICE, **more):
    potential = potential_of(atoms, 2 * CHOICE.q_max_inv_A)
    exposure = Exposure(100.0, 3.0, (thickness,), **more)
    return rocking_of(
        potential, orientation_of(atoms, zone), exposure, Specimen(absorption=absorption), choice
    )


def by_disc(rocking):
    """Intensity of every beam (by indices) and direction (by steps)."""
    rows = {tuple(hkl): i for i, hkl in enumerate(rocking.beams.hkl.tolist())}
    columns = {tuple(step): i for i, step in enumerate(rocking.grid.tolist())}
    return rocking.intensity[0], rows, columns


def turned(rocking, hkl, plane):
    """The intensities at turned beams and directions: hkl (n, 3), plane (2, 2)."""
    values, rows, columns = by_disc(rocking)
    steps = np.rint(rocking.grid @ plane.T).astype(int).tolist()
    beams = [rows.get(tuple(one)) for one in hkl.tolist()]
    assert None not in beams, "beams that symmetry makes equal are chosen together"
    return values[np.ix_(beams, [columns[tuple(step)] for step in steps])]


def operations_along(atoms, rocking):
    """Each operation that keeps the zone axis: on indices, and on the plane of the pattern."""
    reciprocal = rocking.orientation.reciprocal_inv_A
    zone = np.array(rocking.orientation.zone)
    found = {}
    for rotation in operations_of(atoms.hall_symbol).rotations:
        if np.allclose(rotation @ zone, zone):
            # h' = h R^-1 for x' = R x.
            inverse = np.rint(np.linalg.inv(rotation)).astype(int)
            plane = (np.linalg.inv(reciprocal) @ inverse @ reciprocal).T[:2, :2]
            found[tuple(np.rint(plane).astype(int).ravel())] = inverse
    return found


@pytest.mark.parametrize(
    ("symbol", "system", "zone", "order"),
    [
        ("P 1 2 1", "monoclinic", (0, 1, 0), 2),
        ("P 1 m 1", "monoclinic", (1, 0, 0), 2),
        ("P m m 2", "orthorhombic", (0, 0, 1), 4),
        ("P 21 21 21", "orthorhombic", (0, 0, 1), 2),
        ("P 41", "tetragonal", (0, 0, 1), 4),
        ("P -4", "tetragonal", (0, 0, 1), 2),
        ("P 4 m m", "tetragonal", (0, 0, 1), 8),
        ("P -4 2 m", "tetragonal", (0, 0, 1), 4),
        ("P 2 3", "cubic", (0, 0, 1), 2),
    ],
)
def test_whole_patterns_have_the_symmetry_of_the_zone_and_no_more(symbol, system, zone, order):
    atoms = general(symbol, CELLS[system])
    rocking = simulated(atoms, zone)
    own = operations_along(atoms, rocking)
    assert len(own) == order
    strong = rocking.beams.hkl[: rocking.beams.n_strong]
    values = rocking.intensity[0][: len(strong)]
    for plane, inverse in own.items():
        other = turned(rocking, strong @ inverse, np.array(plane).reshape(2, 2))
        np.testing.assert_allclose(other, values, atol=SAME)
    # Of what the plane of the pattern allows for, the rest is broken.
    if (-1, 0, 0, -1) not in own:
        values, rows, columns = by_disc(rocking)
        back = [columns[tuple(step)] for step in (-rocking.grid).tolist()]
        pairs = [(i, rows[tuple(-h)]) for h, i in zip(strong, range(99), strict=False)
                 if tuple((-h).tolist()) in rows and h @ np.array(zone) == 0]  # fmt: skip
        assert max(np.abs(values[i] - values[j][back]).max() for i, j in pairs) > 20 * SAME


def bright_field(rocking):
    values, _, columns = by_disc(rocking)
    back = [columns[tuple(step)] for step in (-rocking.grid).tolist()]
    return values[0], values[0][back]


def test_a_mirror_across_the_beam_gives_the_bright_field_a_twofold_axis():
    # Diffraction group 1_R, by reciprocity: the crystal has no other symmetry along the beam.
    def change(atoms):
        one, other = bright_field(simulated(atoms, (0, 1, 0), thickness=200.0, choice=STRICT))
        return np.abs(one - other).max()

    # With a long axis along the beam, for without upper Laue zones every bright field has it.
    same, broken = (
        change(general(symbol, [3.3, 9.4, 3.6, 90, 101, 90])) for symbol in ("P 1 m 1", "P 1")
    )
    assert same < SAME
    assert broken > 5 * same


@pytest.mark.parametrize(("symbol", "same"), [("P -1", True), ("P 1", False)])
def test_an_inversion_centre_makes_opposite_discs_equal_where_each_is_at_bragg(symbol, same):
    # Diffraction group 2_R, by reciprocity: I of g at -g/2 + k is that of -g at g/2 + k.
    atoms = general(symbol, CELLS["triclinic"])
    first = simulated(atoms, (0, 0, 1))
    g, q = first.beams.hkl[1], first.beams.q_inv_A[1]
    at_bragg = 1e3 * np.arcsin(-q[:2] / 2 * wavelength_A(100.0))
    one = simulated(atoms, (0, 0, 1), tilt_mrad=tuple(at_bragg), choice=STRICT)
    other = simulated(atoms, (0, 0, 1), tilt_mrad=tuple(-at_bragg), choice=STRICT)
    values, rows, _ = by_disc(one)
    opposite, other_rows, _ = by_disc(other)
    change = values[rows[tuple(g.tolist())]] - opposite[other_rows[tuple((-g).tolist())]]
    assert (np.abs(change).max() < 10 * SAME) == same


def test_friedels_law_holds_in_silicon_and_is_broken_in_gallium_arsenide():
    for atoms, broken in ((silicon(), False), (gallium_arsenide(), True)):
        rocking = simulated(atoms, (1, 1, 0))
        mean = rocking.disc_intensities()[0]
        _, rows, _ = by_disc(rocking)
        one, other = mean[rows[(0, 0, 2)]], mean[rows[(0, 0, -2)]]
        assert (abs(one - other) > 0.1 * max(one, other)) == broken


def test_forbidden_discs_are_bright_but_for_their_dark_line():
    # c glide across b, beam along a: (0 0 1) is forbidden, yet bright by double diffraction
    # except on the line along c* through its centre (line A, which upper Laue zones keep).
    atoms = general("P 1 c 1", CELLS["monoclinic"])
    rocking = simulated(atoms, (1, 0, 0))
    values, rows, _ = by_disc(rocking)
    disc = values[rows[(0, 0, 1)]]
    q = rocking.beams.q_inv_A[rows[(0, 0, 1)]][:2]
    across = np.abs(rocking.grid @ np.array([-q[1], q[0]])) / np.linalg.norm(q)
    line = across < 1e-6
    assert line.sum() >= 9
    assert disc[line].max() < 1e-6
    assert disc[~line].max() > 1e-4


def test_without_absorption_no_electron_is_lost_or_made():
    # Thresholds with which all beams interact.
    alone = BeamChoice(
        q_max_inv_A=1.6,
        max_directions_across=7,
        excitation_max_inv_A=0.5,
        perturbing_weight=0.03,
    )
    for choice, held in ((alone, 1e-4), (CHOICE, 0.01)):
        rocking = simulated(gallium_arsenide(), (1, 1, 2), absorption=0.0, choice=choice)
        strong = rocking.intensity[0][: rocking.beams.n_strong].sum(axis=0)
        # Distant beams hold a share of the wave, some tenths of a percent.
        assert strong.max() < 1 + 1e-4
        assert strong.min() > 1 - held
    absorbed = simulated(gallium_arsenide(), (1, 1, 2), absorption=0.1)
    assert np.all(absorbed.intensity[0].sum(axis=0) < 0.98)


def test_a_convergence_rule_ten_times_as_strict_changes_little():
    atoms = crystal(
        "P 42/m n m", [4.594, 4.594, 2.959, 90, 90, 90], {"Ti": [0, 0, 0], "O": [0.305, 0.305, 0]}
    )
    potential = potential_of(atoms, 4.0)
    orientation = orientation_of(atoms, (1, 0, 1))
    exposure = Exposure(200.0, 3.0, (100.0,))
    loose = BeamChoice(max_directions_across=9)
    strict = loose.model_copy(update={"strong_weight": 0.001, "weak_weight": 0.0002})
    means = []
    for choice in (loose, strict):
        rocking = rocking_of(potential, orientation, exposure, Specimen(), choice)
        means.append(dict(zip(map(tuple, rocking.beams.hkl.tolist()),
                              rocking.disc_intensities()[0].tolist(), strict=True)))  # fmt: skip
    assert len(means[1]) > len(means[0])
    change = sum(abs(means[1][hkl] - means[0].get(hkl, 0)) for hkl in means[1])
    assert change < 0.02 * sum(means[1].values())
