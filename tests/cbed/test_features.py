"""What features see of patterns whose symmetry and net are known by construction."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.cbed_patterns import (
    NETS,
    PLANE_GROUPS,
    group_matrices,
    nets_of,
    pattern,
    stack_of,
)
from mlindex.cbed.features import FEATURE_NAMES, GROUPS, features
from mlindex.cbed.lattice_fits import evidence
from mlindex.cbed.net import net_of
from mlindex.cbed.seen import seen

RADIUS, PIXEL = 0.09, 0.01
#: A net with no more symmetry than each group needs, and the one with the most.
ON = {
    "1": ("oblique", "hexagonal"),
    "2": ("oblique", "square"),
    "m": ("rectangular", "hexagonal"),
    "2mm": ("rectangular", "square"),
    "3": ("hexagonal",),
    "3m": ("hexagonal",),
    "4": ("square",),
    "4mm": ("square",),
    "6": ("hexagonal",),
    "6mm": ("hexagonal",),
}


@pytest.mark.parametrize(("group", "net"), [(g, n) for g, nets in ON.items() for n in nets])
def test_a_pattern_has_the_operations_of_its_group_and_no_others(group, net):
    turned = 23.7
    one = seen(pattern(net, group, turned), PIXEL, RADIUS)
    own = group_matrices(group)
    turn = np.radians(turned)
    present = 0
    for operation, whole, bright in zip(one.operations, one.whole, one.bright, strict=True):
        a = operation.angle_rad
        if operation.order:
            plane = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        else:
            c, s = np.cos(2 * (a - turn)), np.sin(2 * (a - turn))
            plane = np.array([[c, s], [s, -c]])
        if np.any(np.all(np.abs(own - plane) < 0.02, axis=(1, 2))):
            present += 1
            assert whole.both < 2e-3
            assert bright.fine < 0.025
        else:
            assert whole.both > 0.03
            # Six mirror lines differ from none by harmonics that the moments leave out.
            assert bright.fine > 0.04 or "6" in group
    # A rotation and its inverse are looked at once.
    rotations = {"3": 1, "3m": 1, "4": 2, "4mm": 2, "6": 3, "6mm": 3}
    lines = sum(np.linalg.det(one) < 0 for one in own)
    assert present == lines + rotations.get(group, int("2" in group))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("radius", [0.05, 0.09, 0.12])
def test_the_net_is_measured_also_where_discs_overlap(net, radius):
    found = net_of(pattern(net, "1", 11.0, radius), PIXEL, radius)
    lengths = np.sort(np.linalg.norm(NETS[net], axis=1))
    np.testing.assert_allclose(found.lengths_inv_A, lengths, rtol=0.01)
    assert found.area_inv_A2 == pytest.approx(abs(np.linalg.det(NETS[net])), rel=0.01)
    assert found.explained > 0.7


def test_features_do_not_know_turns_mirrors_scale_nor_the_order_of_zones():
    images = [pattern("square", "4", 5.0), pattern("oblique", "2"), pattern("hexagonal", "m")]
    stack = stack_of(images)
    plain = features(stack)
    assert plain.dtype == np.float32
    assert plain.shape == (len(FEATURE_NAMES),)
    assert np.isfinite(plain).all()
    small = plain < -2.3
    for changed in (
        [np.rot90(one) for one in images],
        [one[::-1] for one in images],
        [one * 731.0 for one in images],
        images[::-1],
    ):
        found = features(stack_of(changed))
        np.testing.assert_allclose(found[~small], plain[~small], atol=2e-3)
        # Logarithms of what is nearly nothing.
        assert np.all(found[small] < -2)
    with_turn = features(stack_of([pattern("square", "4", 22.0), *images[1:]]))
    columns = [i for i, name in enumerate(FEATURE_NAMES) if "whole pattern: 4, means" in name]
    np.testing.assert_allclose(with_turn[columns], plain[columns], atol=1.5)
    assert np.abs(features(stack_of([images[1]] * 3)) - plain).max() > 0.1


def test_features_do_not_look_at_what_the_file_says_of_the_crystal():
    stack = stack_of([pattern("square", "4mm"), pattern("rectangular", "2mm")])
    other = replace(
        stack,
        zones=stack.zones[:, ::-1] + 3,
        y_uvw=stack.y_uvw[:, ::-1],
        d_A=stack.d_A * 1.7,
        cell=stack.cell[::-1] * 0.7,
        space_group=17,
        material="quartz",
        formula="Si O2",
        thickness_A=77.0,
    )
    np.testing.assert_array_equal(features(other), features(stack))


def test_zones_without_discs_leave_the_others_their_features():
    square = pattern("square", "4mm")
    nothing = np.full_like(square, 1e-3)
    rng = np.random.default_rng(1)
    for blank in (nothing, rng.poisson(0.01, square.shape) + nothing):
        found = features(stack_of([square, blank, square]))
        assert np.isfinite(found).all()
    few = features(stack_of([square]))
    assert few[FEATURE_NAMES.index("exposure: zones seen")] == 1
    assert np.isfinite(few).all()


def test_counting_noise_alone_breaks_no_symmetry():
    clean = pattern("square", "4mm")
    rng = np.random.default_rng(3)
    for counts in (3e6, 3e5):
        noisy = rng.poisson(clean / clean.sum() * counts).astype(float)
        one = seen(noisy, PIXEL, RADIUS)
        assert len(one.operations) == 6
        broken = rng.poisson(pattern("square", "1") / clean.sum() * counts).astype(float)
        least = min(alike.both for alike in seen(broken, PIXEL, RADIUS).whole)
        assert max(alike.both for alike in one.whole) < min(0.4, least / 2)


@pytest.mark.parametrize(
    ("axes", "best"),
    [
        (np.diag([0.2, 0.2, 0.2]), "cubic"),
        (np.diag([0.2, 0.2, 0.13]), "tetragonal"),
        (np.array([[0.2, 0, 0], [0.1, 0.1 * np.sqrt(3), 0], [0, 0, 0.13]]), "hexagonal"),
        (np.array([[0.2, 0, 0], [0.03, 0.17, 0], [0.02, 0.041, 0.23]]), None),
    ],
)
def test_nets_of_several_zones_tell_the_lattice(axes, best):
    found = evidence(nets_of(axes, [(0, 0, 1), (1, 0, 0), (1, 1, 1)]))
    if best is None:
        assert max(found.values()) < 0.3
    else:
        # A cubic lattice is a tetragonal one, too, with a number more to choose.
        assert max(found, key=found.get) == best
        assert found[best] > 0.8
    assert set(evidence([]).values()) == {0.0}


def test_groups_divide_the_features():
    columns = [i for found in GROUPS.values() for i in found]
    assert sorted(columns) == list(range(len(FEATURE_NAMES)))
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert {"whole pattern", "bright field", "dark fields", "plus-minus", "net"} <= GROUPS.keys()


def test_all_ten_plane_point_groups_are_tried():
    assert set(ON) == set(PLANE_GROUPS)


def test_discs_off_the_net_are_seen_as_an_upper_zone():
    on = pattern("square", "4mm")
    shifted = np.roll(on, 11, axis=1)
    step = (np.arange(len(on)) - len(on) // 2) * PIXEL
    far = np.hypot(step[:, None], step[None, :])
    # A ring of discs half a mesh off along x, which is turned nowhere else.
    ring = np.where((far > 0.45) & (far < 0.65), shifted, 0.0)
    plain = seen(on, PIXEL, RADIUS).upper
    both = seen(np.maximum(on, 0.5 * ring), PIXEL, RADIUS).upper
    assert plain.off < 0.02
    assert both.off > plain.off + 0.03
    assert both.off_from_inv_A > 0.35
    assert min(both.fold[:2]) < -0.5
