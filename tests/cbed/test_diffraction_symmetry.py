"""Each of the 31 diffraction groups: derived from group theory, and seen in simulated patterns.

The state of an electron is (G, k): a beam G, and a direction k from where G is at its Bragg angle.
An operation of the crystal that keeps the beam's direction and acts as P across it takes (G, k) to
(P G, P k). One that turns the beam round, combined with reciprocity (the way back through the
crystal scatters as much), takes it to (P G, -P k). Groups of such operations are groups of pairs
(P, up or down): those of layers. All else is enumerated here: the groups, what bright field, whole
pattern, dark fields and pairs of dark fields show. The tables are as published: Buxton, Eades,
Steeds & Rackham, Phil. Trans. R. Soc. A281 (1976) 171, table 2; Tanaka, International Tables B,
tables 2.5.3.3 and 2.5.3.4.

Of simulated patterns each operation of the lattice, up and down, is tried on a general dark field:
those that hold must be the group, no more and no less.
"""

from collections import Counter
from dataclasses import replace
from itertools import combinations_with_replacement, product

import gemmi
import numpy as np
import pytest
import spglib
from threadpoolctl import threadpool_limits

from helpers.cbed_crystals import general
from mlindex.cbed import diffraction_groups
from mlindex.cbed.beams import chosen_beams
from mlindex.cbed.orientation import orientation_of
from mlindex.cbed.potential import potential_of, relativistic_factor, wavelength_A
from mlindex.cbed.rocking import diffracted
from mlindex.cbed.settings import BeamChoice

#: Bright field, whole pattern, general dark field, and a pair of such.
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
#: A basis that reciprocity takes to itself: all beams interact that lie near the sphere.
CHOICE = BeamChoice(
    q_max_inv_A=1.5,
    excitation_max_inv_A=0.12,
    strong_weight=1e-9,
    weak_weight=1e-9,
    perturbing_weight=1e-9,
    perturbing_depth_inv_A=0.0,
)
#: Whole atoms in a cell; twice as many where all but upper Laue zones has more symmetry.
ATOMS, MORE_ATOMS = 5, 10
FLAT = ("P 4 2 2", "P -4 2 m", "P 6 2 2")
#: Directions from where a beam is at its Bragg angle, 1/A. They lie across the beam's vector, where
#: its excitation error is 0: reciprocity is lost with its square, which beam space leaves out.
STEPS_INV_A = np.array([0.115, -0.085])
#: Changes, over the largest intensity, of what is the same but for rounding, and of what is not.
SAME, BROKEN = 2e-5, 2e-4


def matrices(order):
    """Operations (P, sign) of a net with an axis of some order, sign -1 of those down."""
    found = []
    for i in range(order):
        c, s = np.cos(2 * np.pi * i / order), np.sin(2 * np.pi * i / order)
        for plane in ([[c, -s], [s, c]], [[c, s], [s, -c]]):
            found += [(np.array(plane), 1), (np.array(plane), -1)]
    return found


def signature(operations):
    """How many operations there are of each kind: P by determinant and trace, up or down."""
    return frozenset(
        Counter(
            (round(np.linalg.det(plane)), round(float(np.trace(plane)), 3) + 0.0, sign)
            for plane, sign in operations
        ).items()
    )


def subgroups(operations):
    """All groups of such operations, as sets of rows."""
    n = len(operations)
    table = np.empty((n, n), int)
    for i, (p, sign) in enumerate(operations):
        for j, (q, other) in enumerate(operations):
            table[i, j] = next(
                k
                for k, (r, third) in enumerate(operations)
                if third == sign * other and np.allclose(p @ q, r)
            )
    found = set()
    # No group here needs more than three generators: that of the net has D x 2.
    for few in combinations_with_replacement(range(n), 3):
        group = {0, *few}
        while True:
            more = set(table[np.ix_(list(group), list(group))].ravel().tolist()) - group
            if not more:
                break
            group |= more
        found.add(frozenset(group))
    return found


def all_groups():
    """One of each kind of group: its operations by its signature."""
    found = {}
    for order in (4, 6):
        operations = matrices(order)
        for rows in subgroups(operations):
            group = [operations[row] for row in rows]
            found.setdefault(signature(group), group)
    return found


def plane_group(planes):
    """The plane point group of matrices, such as ``2mm``."""
    kinds = {tuple(np.round(plane, 3).ravel() + 0.0): np.linalg.det(plane) < 0 for plane in planes}
    return PLANE[len(kinds), any(kinds.values())]


def shown(group):
    """Bright field, whole pattern, general dark field and pair, from how (G, k) moves."""
    beam = np.array([1.0, 0.3])
    bright = plane_group([sign * plane for plane, sign in group])
    whole = plane_group([plane for plane, sign in group if sign > 0])
    same = [sign * plane for plane, sign in group if np.allclose(plane @ beam, beam)]
    opposite = {sign for plane, sign in group if np.allclose(plane @ beam, -beam)}
    pair = {(): "1", (1,): "2", (-1,): "2_R", (-1, 1): "21_R"}[tuple(sorted(opposite))]
    return bright, whole, plane_group(same), pair


def special_shown(group, line_deg):
    """What a dark field on a line shows: mirrors along it and across it, and a twofold axis."""
    angle = np.radians(line_deg)
    beam = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-beam[1], beam[0]])
    found = set()
    for plane, sign in group:
        if np.allclose(plane @ beam, beam):
            moved = sign * plane
            along, aside = round(beam @ moved @ beam), round(across @ moved @ across)
            found.add({(1, 1): "1", (1, -1): "m along", (-1, 1): "m across"}.get(
                (along, aside), "2"))  # fmt: skip
    return found


def own(symbol):
    """Operations that the package gives a group, as matrices."""
    found = []
    for one in diffraction_groups.GROUPS[symbol].operations:
        angle = np.radians(30 * one.step)
        c, s = np.cos(angle), np.sin(angle)
        plane = [[c, s], [s, -c]] if one.mirror else [[c, -s], [s, c]]
        found.append((np.array(plane), -1 if one.reversed else 1))
    return found


def test_there_are_31_groups_and_the_package_has_each():
    found = all_groups()
    assert len(found) == len(GROUPS) == 31
    assert {signature(own(symbol)) for symbol in diffraction_groups.GROUPS} == set(found)


@pytest.mark.parametrize("symbol", GROUPS)
def test_the_published_table_follows_from_how_beams_and_directions_move(symbol):
    group = all_groups_once()[signature(own(symbol.replace("_", "")))]
    assert shown(group) == GROUPS[symbol]


_ONCE = {}


def all_groups_once():
    if not _ONCE:
        _ONCE.update(all_groups())
    return _ONCE


def test_dark_fields_on_lines_tell_what_general_ones_and_bright_fields_do_not():
    # Mirrors with and without reciprocity: along the line of a dark field, or across it.
    assert special_shown(own("m"), 0) == {"1", "m along"}
    assert special_shown(own("mR"), 0) == {"1", "m across"}
    assert special_shown(own("m1R"), 0) == {"1", "m along", "m across", "2"}
    assert special_shown(own("4RmmR"), 0) == {"1", "m along"}
    assert special_shown(own("4RmmR"), 45) == {"1", "m across"}
    # By bright field and whole pattern alone these six pairs are alike: dark fields tell them.
    pairs = [("2", "21_R"), ("2mm", "2mm1_R"), ("4", "41_R"), ("4mm", "4mm1_R"), ("6", "61_R"),
             ("6mm", "6mm1_R")]  # fmt: skip
    for one, other in pairs:
        assert GROUPS[one][:2] == GROUPS[other][:2]
        assert GROUPS[one][2:] == ("1", "2")
        assert GROUPS[other][2:] == ("2", "21_R")


def by_spglib(hall_number, zone):
    """The diffraction group along a zone axis as a signature, from spglib's operations.

    On axes of a metric that the operations keep: the mean of a general one over the group.
    """
    rotations = spglib.get_symmetry_from_database(hall_number)["rotations"]
    skew = np.array([[1.0, 0.13, 0.21], [0, 1.31, 0.17], [0, 0, 1.57]])
    metric = np.mean([r.T @ skew.T @ skew @ r for r in rotations], axis=0)
    basis = np.linalg.cholesky(metric).T
    z = basis @ zone
    axes = np.linalg.svd(z[None])[2][1:]
    found = {}
    for r in rotations:
        sign = 1 if np.array_equal(r @ zone, zone) else -1
        if sign < 0 and not np.array_equal(r @ zone, -np.array(zone)):
            continue
        found[r.tobytes()] = (axes @ basis @ r @ np.linalg.inv(basis) @ axes.T, sign)
    return signature(found.values()), basis


def test_point_groups_along_zones_are_those_of_spglibs_operations():
    zones = [z for z in product((0, 1, 2), (-1, 0, 1), (0, 1, 3)) if np.gcd.reduce(z) == 1]
    seen = set()
    for point_group, hall in diffraction_groups.point_groups().items():
        number = next(
            n for n in range(1, 531)
            if gemmi.symops_from_hall(spglib.get_spacegroup_type(n).hall_symbol)
            == gemmi.symops_from_hall(hall)
        )  # fmt: skip
        for zone in zones:
            wanted, basis = by_spglib(number, zone)
            found = diffraction_groups.along_zone(hall, zone, basis.T)
            assert signature(own(found.symbol)) == wanted, (point_group, zone)
            seen.add(found.symbol)
    assert seen == set(diffraction_groups.GROUPS)


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


def held(symbol, along):
    """Operations (P, sign) that a general dark field and the bright field have.

    Also how much the worst of them changes what is seen, and the best of all others.
    """
    atoms = structure(symbol, along)
    axis = "abc".index(along)
    plane = [i for i in range(3) if i != axis]
    zone = tuple(int(i == axis) for i in range(3))
    orientation = orientation_of(atoms, zone)
    potential = potential_of(atoms, 2 * CHOICE.q_max_inv_A)
    basis = orientation.reciprocal_inv_A[plane, :2]

    def disc(hk, moved):
        centre = -np.array(hk) @ basis / 2
        beams = chosen_beams(
            potential,
            orientation,
            1 / wavelength_A(ENERGY_KEV),
            relativistic_factor(ENERGY_KEV),
            float(np.abs(STEPS_INV_A).max()),
            THICKNESS_A[0],
            CHOICE,
            centre,
        )
        found, _ = diffracted(beams, centre + moved, THICKNESS_A, absorption=0.05)
        hkl = np.zeros(3, int)
        hkl[plane] = hk
        return found[0][np.flatnonzero(np.all(beams.hkl == hkl, axis=1))[0]]

    # A reflection on no mirror.
    general_hk = np.array([1, 2] if set("346") & set(symbol.split()[1]) else [1, 1])
    along_g = general_hk @ basis / np.linalg.norm(general_hk @ basis)
    steps = STEPS_INV_A[:, None] * np.array([-along_g[1], along_g[0]])
    first = disc(general_hk, steps)
    kept, worst, best = [], 0.0, np.inf
    for turned, turn in operations_of_lattice(basis):
        image = disc(general_hk @ turned, np.concatenate([steps @ turn.T, -steps @ turn.T]))
        for sign, seen in ((1, image[: len(steps)]), (-1, image[len(steps) :])):
            change = np.abs(seen - first).max() / first.max()
            if change < SAME:
                kept.append((turn, sign))
                worst = max(worst, change)
            else:
                best = min(best, change)
    return kept, worst, best


def operations_of_lattice(basis):
    """Operations of a lattice in the plane: on indices (rows) from the right, on vectors."""
    found = []
    for entries in product((-1, 0, 1), repeat=4):
        turned = np.array(entries).reshape(2, 2)
        turn = np.linalg.inv(basis) @ turned @ basis
        if np.allclose(turn @ turn.T, np.eye(2), atol=1e-6):
            found.append((turned, turn.T))
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_dark_fields_have_the_operations_of_their_diffraction_group_and_no_others(
    group,
):
    # Small products are slow on several threads.
    with threadpool_limits(1, user_api="blas"):
        kept, _, best = held(*EXAMPLES[group])
    assert best > BROKEN
    assert signature(kept) == signature(own(group.replace("_", "")))
