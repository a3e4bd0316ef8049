"""Lattices from nets, and space groups on them, held against what is known beforehand."""

import gemmi
import numpy as np
import pytest

from helpers.cbed_crystals import crystal
from helpers.cbed_patterns import nets_of
from mlindex.cbed.group_evidence import LEAST, group_evidence, laid_lattices, net_index
from mlindex.cbed.joint_lattice import joint_lattices
from mlindex.cbed.model import parted, weighed
from mlindex.cbed.reasoning import reasoning
from mlindex.cbed.seen import seen_in
from mlindex.cbed.settings import BeamChoice, Detector, Specimen
from mlindex.cbed.stack import Asked, simulated_stacks
from mlindex.cbed.zones import ZoneChoice
from mlindex.crystal.cell import cell_from_reciprocal
from mlindex.crystal.equivalence import same_lattice

BASES = {
    "cubic": np.diag([0.2, 0.2, 0.2]),
    "orthorhombic": np.diag([0.21, 0.16, 0.12]),
    "hexagonal": np.array([[0.2, 0, 0], [0.1, 0.1 * np.sqrt(3), 0], [0, 0, 0.13]]),
    "triclinic": np.array([[0.2, 0, 0], [0.03, 0.17, 0], [0.02, 0.041, 0.23]]),
}
GENERAL = [(0, 0, 1), (1, 0, 0), (1, 1, 1)]
#: Zones with one common direction: their nets share a row.
COPLANAR = [(1, 0, 0), (0, 1, 0), (1, 1, 0)]


def cell_of(basis):
    metric = basis @ basis.T
    off = [2 * metric[1, 2], 2 * metric[0, 2], 2 * metric[0, 1]]
    return cell_from_reciprocal(np.array([*np.diag(metric), *off]))


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("zones", [GENERAL, COPLANAR])
def test_three_nets_tell_the_lattice_that_they_are_sections_of(name, zones):
    true = cell_of(BASES[name])
    found = joint_lattices(nets_of(BASES[name], zones))
    right = [
        one
        for one in found
        if same_lattice(cell_from_reciprocal(one.x6), "P", true, "P", 0.01, 0.5) is not None
    ]
    assert right, f"none of {len(found)} lattices"
    assert right[0].misfit < 1e-3
    # Nets that are whole sections; and zones as far apart as they are.
    assert any((one.index == 1).all() for one in right)
    apart = abs(np.linalg.det(np.array(zones)))
    assert any(abs(np.linalg.det(one.zones)) == pytest.approx(apart) for one in right)


def test_fewer_nets_tell_no_lattice():
    assert joint_lattices(nets_of(BASES["cubic"], GENERAL[:2])) == []


@pytest.mark.parametrize(
    ("symbol", "zone", "index"),
    [
        # Cells of the projections, International Tables A: the area over that of the lattice's.
        ("F d -3 m", (0, 0, 1), 2),
        ("F m -3 m", (0, 0, 1), 1),
        ("P b c a", (0, 0, 1), 2),
        ("P n m a", (1, 0, 0), 2),
        ("P n m a", (0, 1, 0), 1),
        ("P n m a", (0, 0, 1), 2),
        ("P 1 21/c 1", (0, 1, 0), 2),
        ("P 1 21/c 1", (1, 0, 0), 1),
        ("I 41/a m d", (0, 0, 1), 2),
        ("P 63/m m c", (1, 0, 0), 1),
        ("P 63/m m c", (2, 1, 0), 2),
    ],
)
def test_glide_planes_across_the_beam_make_nets_coarser(symbol, zone, index):
    number = gemmi.find_spacegroup_by_name(symbol).number
    assert net_index(number, zone) == index
    assert net_index(number, tuple(-i for i in zone)) == index


@pytest.fixture(scope="module")
def rutile():
    atoms = crystal(
        "P 42/m n m", [4.594, 4.594, 2.959, 90, 90, 90], {"Ti": [0, 0, 0], "O": [0.305, 0.305, 0]}
    )
    zones = tuple(ZoneChoice(zone, 3.0, 2.4) for zone in ((0, 0, 1), (1, 0, 0), (1, 1, 1)))
    beams = BeamChoice(q_max_inv_A=2.0, max_strong=80, max_beams=300, max_directions_across=21)
    made = simulated_stacks(
        *(atoms, Asked(zones, (120.0,), (150.0,)), "rutile", Specimen(), beams, Detector()),
        np.random.default_rng(0),
    )
    return seen_in(next(made).stack)


def test_the_group_of_a_simulated_crystal_is_among_the_best(rutile):
    best = laid_lattices(rutile)[0]
    assert best.bravais == "tP"
    assert sorted(map(tuple, np.sort(np.abs(best.zones), axis=1).tolist())) == [
        *((0, 0, 1), (0, 0, 1), (1, 1, 1)),
    ]
    found = group_evidence(rutile, reasoning(rutile).zones)
    assert found.shape == (230,)
    assert found.max() == 0
    # No. 136, with the groups that differ from it by what these zones hardly show.
    assert (found > found[135]).sum() < 6
    assert found[135] > found[122] + 2, "the glide plane n is seen"
    assert found[224] == LEAST, "the lattice is not face-centred cubic"


def test_without_three_nets_all_groups_agree_alike(rutile):
    few = [*rutile[:2], None]
    assert not group_evidence(few, reasoning(few).zones).any()


def test_evidence_moves_probabilities_among_groups_that_are_covered():
    covered = np.zeros(230, dtype=bool)
    covered[[1, 13, 61]] = True
    found = np.where(covered, 1 / 3, 0.0)[None]
    evidence = np.full((1, 230), -5.0)
    evidence[0, [13, 224]] = 0.0
    odds = weighed(found, evidence, covered, 1.0, 0.1)
    assert odds.sum() == pytest.approx(1)
    assert odds[0, 13] / odds[0, 1] == pytest.approx(np.exp(5))
    assert odds[0, 224] < 1e-100
    np.testing.assert_allclose(weighed(found, evidence * 0, covered, 1.0, 0.1), found, atol=1e-12)


def test_features_and_evidence_are_parted_by_their_names():
    names = ("a", *(f"space group: {n}" for n in range(1, 231)), "b")
    x = np.arange(232.0)[None]
    features, evidence = parted(x, names)
    assert features.tolist() == [[0, 231]]
    np.testing.assert_array_equal(evidence[0], np.arange(1.0, 231))
    features, evidence = parted(x[:, :2], ("a", "b"))
    assert features.shape == (1, 2)
    assert not evidence.any()
