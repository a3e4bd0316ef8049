"""Each of the 31 diffraction groups: symmetries that its patterns have, and no others.

The referent are two tables as published, and no code: which symmetries bright field, whole pattern,
a general dark field and a general pair of dark fields have in each group (Buxton, Eades, Steeds &
Rackham, Phil. Trans. R. Soc. A281 (1976) 171, table 2; Tanaka, International Tables B, table
2.5.3.3), and which point group has it along which zone axis (their table 3; 2.5.3.4).

Bright field and whole pattern are compared in full, of pairs whether they differ at all. Not
compared is the twofold axis of a single dark field (1_R), which a small basis breaks as much as
its absence does: by the tests here 2 and 21_R are alike, and so are those with 4, 6 and mirrors.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from helpers.cbed_crystals import general
from mlindex.cbed.beams import chosen_beams
from mlindex.cbed.orientation import orientation_of
from mlindex.cbed.potential import potential_of, relativistic_factor, wavelength_A
from mlindex.cbed.rocking import diffracted
from mlindex.cbed.settings import BeamChoice

#: Bright field, whole pattern, dark field, and a pair of them.
GROUPS = {
    "1": ("1", "1", "1", "1"),
    "1_R": ("2", "1", "2", "1"),
    "2": ("2", "2", "1", "2"),
    "2_R": ("1", "1", "1", "2_R"),
    "21_R": ("2", "2", "2", "21_R"),
    "m_R": ("m", "1", "1", "1"),
    "m": ("m", "m", "1", "1"),
    "m1_R": ("2mm", "m", "2", "1"),
    "2m_Rm_R": ("2mm", "2", "1", "2"),
    "2mm": ("2mm", "2mm", "1", "2"),
    "2_Rmm_R": ("m", "m", "1", "2_R"),
    "2mm1_R": ("2mm", "2mm", "2", "21_R"),
    "4": ("4", "4", "1", "2"),
    "4_R": ("4", "2", "1", "2"),
    "41_R": ("4", "4", "2", "21_R"),
    "4m_Rm_R": ("4mm", "4", "1", "2"),
    "4mm": ("4mm", "4mm", "1", "2"),
    "4_Rmm_R": ("4mm", "2mm", "1", "2"),
    "4mm1_R": ("4mm", "4mm", "2", "21_R"),
    "3": ("3", "3", "1", "1"),
    "31_R": ("6", "3", "2", "1"),
    "3m_R": ("3m", "3", "1", "1"),
    "3m": ("3m", "3m", "1", "1"),
    "3m1_R": ("6mm", "3m", "2", "1"),
    "6": ("6", "6", "1", "2"),
    "6_R": ("3", "3", "1", "2_R"),
    "61_R": ("6", "6", "2", "21_R"),
    "6m_Rm_R": ("6mm", "6", "1", "2"),
    "6mm": ("6mm", "6mm", "1", "2"),
    "6_Rmm_R": ("3m", "3m", "1", "2_R"),
    "6mm1_R": ("6mm", "6mm", "2", "21_R"),
}
#: Of each group a point group and the axis of the cell that is looked along.
EXAMPLES = {
    "1": ("P 1", "c"),
    "1_R": ("P 1 m 1", "b"),
    "2": ("P 1 2 1", "b"),
    "2_R": ("P -1", "c"),
    "21_R": ("P 1 2/m 1", "b"),
    "m_R": ("P 1 2 1", "c"),
    "m": ("P 1 m 1", "c"),
    "m1_R": ("P m m 2", "a"),
    "2m_Rm_R": ("P 2 2 2", "c"),
    "2mm": ("P m m 2", "c"),
    "2_Rmm_R": ("P 1 2/m 1", "c"),
    "2mm1_R": ("P m m m", "c"),
    "4": ("P 4", "c"),
    "4_R": ("P -4", "c"),
    "41_R": ("P 4/m", "c"),
    "4m_Rm_R": ("P 4 2 2", "c"),
    "4mm": ("P 4 m m", "c"),
    "4_Rmm_R": ("P -4 2 m", "c"),
    "4mm1_R": ("P 4/m m m", "c"),
    "3": ("P 3", "c"),
    "31_R": ("P -6", "c"),
    "3m_R": ("P 3 2 1", "c"),
    "3m": ("P 3 m 1", "c"),
    "3m1_R": ("P -6 m 2", "c"),
    "6": ("P 6", "c"),
    "6_R": ("P -3", "c"),
    "61_R": ("P 6/m", "c"),
    "6m_Rm_R": ("P 6 2 2", "c"),
    "6mm": ("P 6 m m", "c"),
    "6_Rmm_R": ("P -3 m 1", "c"),
    "6mm1_R": ("P 6/m m m", "c"),
}
#: Plane groups by the number of their operations, and whether these hold mirrors.
PLANE = {
    (1, False): "1",
    (2, False): "2",
    (2, True): "m",
    (4, True): "2mm",
    (4, False): "4",
    (8, True): "4mm",
    (3, False): "3",
    (6, True): "3m",
    (6, False): "6",
    (12, True): "6mm",
}
ENERGY_KEV, THICKNESS_A = 30.0, np.array([150.0])
CHOICE = BeamChoice(
    q_max_inv_A=1.8, strong_weight=0.012, weak_weight=0.012, perturbing_weight=0.009
)
#: Whole atoms in a cell; twice as many where all but upper Laue zones has more symmetry.
ATOMS, MORE_ATOMS = 5, 10
FLAT = ("P 4 2 2", "P -4 2 m", "P 6 2 2")
#: Directions from the centre of a disc, 1/A, along no symmetry element.
STEPS = np.array([[0.108, 0.042], [-0.039, 0.126]])
#: Changes, over the largest intensity, of what is the same but for rounding, and of what is not.
SAME, BROKEN = 3e-4, 6e-4
#: Changes of pairs that upper Laue zones and the small basis make, and those without a centre.
PAIR_SAME, PAIR_BROKEN = 0.04, 0.1


def structure(symbol, along):
    """Light atoms without more symmetry; short axes across the beam, upper Laue zones near by."""
    order = {"a": (2, 0, 1), "b": (0, 2, 1), "c": (0, 1, 2)}[along]
    lengths, angles = np.array([2.7, 3.1, 7.0])[list(order)].tolist(), [90, 90, 90]
    words = symbol.split()[1:]
    if words[0] in ("1", "-1"):
        angles = [90, 104, 90] if len(words) > 1 else [95, 94, 103]
    elif set("36") & set(words[0]):
        lengths, angles = [3.5, 3.5, 7.0], [90, 90, 120]
    elif "4" in words[0]:
        lengths = [3.2, 3.2, 7.0]
    atoms = general(symbol, [*lengths, *angles])
    n, whole = len(atoms), MORE_ATOMS if symbol in FLAT else ATOMS
    return replace(atoms, u_iso_A2=np.full(n, 0.03), occupancy=np.full(n, whole / n))


class Patterns:
    """Discs of the zero Laue zone by their indices in the plane, at the axis and at Bragg."""

    def __init__(self, symbol, along):
        atoms = structure(symbol, along)
        axis = "abc".index(along)
        self.plane = [i for i in range(3) if i != axis]
        self.orientation = orientation_of(atoms, tuple(int(i == axis) for i in range(3)))
        self.potential = potential_of(atoms, 2 * CHOICE.q_max_inv_A)
        self.basis = self.orientation.reciprocal_inv_A[self.plane, :2]
        self.operations = operations_of_lattice(self.basis)
        around = [turn @ step for step in STEPS for _, turn in self.operations]
        self.discs = {
            hk: disc.reshape(len(STEPS), -1)
            for hk, disc in self.simulated(np.array(around), np.zeros(2)).items()
        }
        # A reflection on no mirror, and its opposite, each at its Bragg angle.
        g = (1, 2) if set("346") & set(symbol.split()[1]) else (1, 1)
        self.pair = []
        for hk in (g, (-g[0], -g[1])):
            centre = -np.array(hk) @ self.basis / 2
            self.pair.append(self.simulated(centre + np.array([*STEPS, *-STEPS]), centre)[hk])

    def simulated(self, directions, centre):
        beams = chosen_beams(
            self.potential,
            self.orientation,
            1 / wavelength_A(ENERGY_KEV),
            relativistic_factor(ENERGY_KEV),
            float(np.linalg.norm(STEPS, axis=1).max()),
            THICKNESS_A[0],
            CHOICE,
            centre,
        )
        found, _ = diffracted(beams, directions, THICKNESS_A, absorption=0.05)
        return {
            tuple(hkl[self.plane].tolist()): intensity
            for hkl, intensity in zip(beams.hkl, found[0], strict=True)
            if hkl @ np.array(self.orientation.zone) == 0
        }

    def changes(self):
        """By how much each operation changes bright field and whole pattern, (n, 2)."""
        first = next(i for i, (hk, _) in enumerate(self.operations) if np.all(hk == np.eye(2)))
        direct = self.discs[0, 0]
        others = {hk: disc for hk, disc in self.discs.items() if any(hk)}
        largest = max(disc.max() for disc in others.values())
        found = []
        for n, (turned, _) in enumerate(self.operations):
            bright = np.abs(direct[:, n] - direct[:, first]).max() / np.ptp(direct)
            images = {hk: others.get(tuple((np.array(hk) @ turned).tolist())) for hk in others}
            change = [
                np.abs(image[:, n] - others[hk][:, first]).max()
                for hk, image in images.items()
                if image is not None
            ]
            assert len(change) >= 6
            found.append((bright, max(max(change) / largest, bright)))
        return np.array(found)


def operations_of_lattice(basis):
    """Operations of a lattice in the plane: on indices (rows) from the right, on vectors."""
    found = []
    for entries in product((-1, 0, 1), repeat=4):
        turned = np.array(entries).reshape(2, 2)
        turn = np.linalg.inv(basis) @ turned @ basis
        if np.allclose(turn @ turn.T, np.eye(2), atol=1e-6):
            found.append((turned, turn.T))
    return found


def test_the_tables_name_each_group_once():
    assert len(GROUPS) == len(set(GROUPS.values())) == 31
    assert set(EXAMPLES) == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_patterns_have_the_symmetries_of_their_diffraction_group_and_no_others(group):
    patterns = Patterns(*EXAMPLES[group])
    bright, whole, _, pair = GROUPS[group]
    changes = patterns.changes()
    mirrors = np.array([np.linalg.det(turn) < 0 for _, turn in patterns.operations])
    for seen, wanted in zip(changes.T, (bright, whole), strict=True):
        assert np.all((seen < SAME) | (seen > BROKEN)), np.sort(seen)
        held = seen < SAME
        assert PLANE[int(held.sum()), bool(np.any(held & mirrors))] == wanted
    plus, minus = (disc.reshape(2, -1) for disc in patterns.pair)
    largest = max(plus.max(), minus.max())
    # By a twofold axis -g at g/2 - k is g at -g/2 + k, by a centre -g at g/2 + k is.
    turned = np.abs(plus[0] - minus[1]).max() / largest
    shifted = np.abs(plus[0] - minus[0]).max() / largest
    if pair == "1":
        assert min(turned, shifted) > PAIR_BROKEN
    elif pair == "2_R":
        assert shifted < PAIR_SAME
    else:
        assert turned < SAME
