"""Diffraction groups against the published table, and against simulated patterns."""

import numpy as np
import pytest

from helpers.cbed_crystals import gallium_arsenide, general, silicon
from mlindex.cbed.diffraction_groups import (
    GROUPS,
    along_zone,
    closed,
    group_of,
    plane_symbol,
    point_group_of,
    point_groups,
    zones_of,
)
from mlindex.cbed.explaining import explained
from mlindex.cbed.potential import wavelength_A
from mlindex.cbed.reasoning import State, reasoning
from mlindex.cbed.seen import seen_in
from mlindex.cbed.settings import BeamChoice, Detector, Specimen
from mlindex.cbed.stack import Asked, simulated_stacks
from mlindex.cbed.zones import ZoneChoice, strongest_zones

#: Bright field, whole pattern and projection of each diffraction group: tables 1 and 2 of Buxton
#: et al. (1976), written off by hand.
PUBLISHED = """
1 1 1 1R; 1R 2 1 1R; 2 2 2 21R; 2R 1 1 21R; 21R 2 2 21R; mR m 1 m1R; m m m m1R; m1R 2mm m m1R;
2mRmR 2mm 2 2mm1R; 2mm 2mm 2mm 2mm1R; 2RmmR m m 2mm1R; 2mm1R 2mm 2mm 2mm1R; 4 4 4 41R; 4R 4 2 41R;
41R 4 4 41R; 4mRmR 4mm 4 4mm1R; 4mm 4mm 4mm 4mm1R; 4RmmR 4mm 2mm 4mm1R; 4mm1R 4mm 4mm 4mm1R;
3 3 3 31R; 31R 6 3 31R; 3mR 3m 3 3m1R; 3m 3m 3m 3m1R; 3m1R 6mm 3m 3m1R; 6 6 6 61R; 6R 3 3 61R;
61R 6 6 61R; 6mRmR 6mm 6 6mm1R; 6mm 6mm 6mm 6mm1R; 6RmmR 3m 3m 6mm1R; 6mm1R 6mm 6mm 6mm1R
"""


def test_the_31_groups_show_what_the_published_table_says():
    rows = {row.split()[0]: row.split()[1:] for row in PUBLISHED.split(";")}
    assert list(rows) == list(GROUPS)
    for symbol, (bright, whole, projection) in rows.items():
        group = GROUPS[symbol]
        assert plane_symbol(group.bright_field) == bright, symbol
        assert plane_symbol(group.whole_pattern) == whole, symbol
        assert group.projection.symbol == projection, symbol


def test_the_groups_are_closed_and_all_different():
    assert len({group_of(group.operations).symbol for group in GROUPS.values()}) == 31
    for symbol, group in GROUPS.items():
        assert closed(group.operations) == group.operations
        assert group_of(group.operations).symbol == symbol
    with pytest.raises(KeyError):
        group_of(closed(GROUPS["4"].operations | GROUPS["6"].operations))


@pytest.mark.parametrize(
    ("group", "zone", "symbol"),
    [
        # Table 3 of the same paper.
        ("m-3m", (1, 1, 1), "6RmmR"),
        ("m-3m", (0, 0, 1), "4mm1R"),
        ("m-3m", (1, 1, 0), "2mm1R"),
        ("-43m", (1, 1, 1), "3m"),
        ("-43m", (0, 0, 1), "4RmmR"),
        ("-43m", (1, 1, 0), "m1R"),
        ("432", (1, 1, 1), "3mR"),
        ("m-3", (1, 1, 1), "6R"),
        ("-6m2", (0, 0, 1), "3m1R"),
        ("6/m", (0, 0, 1), "61R"),
        ("-6", (0, 0, 1), "31R"),
        ("-4", (0, 0, 1), "4R"),
        ("32", (1, 0, 0), "2"),
        ("3m", (1, 0, 0), "m"),
        ("2/m", (0, 1, 0), "21R"),
        ("m", (0, 1, 0), "1R"),
        ("222", (0, 0, 1), "2mRmR"),
        ("mmm", (1, 2, 0), "2RmmR"),
        ("-1", (1, 2, 3), "2R"),
    ],
)
def test_point_groups_along_zones(group, zone, symbol):
    axes = np.diag([1.0, 1.0, 1.0])
    if group in ("-6m2", "6/m", "-6", "32", "3m"):
        axes = np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 1.4]])
    elif group not in ("m-3m", "-43m", "432", "m-3"):
        axes = np.diag([1.0, 1.0 if group == "-4" else 1.2, 1.4])
    found = along_zone(point_groups()[group], zone, axes)
    if group in ("3m", "32"):
        # The axis a is normal to a mirror in P3m1 and lies in one in P31m; of 321 and 312 alike.
        assert found.symbol in {"3m": ("m", "1R"), "32": ("2", "mR")}[group]
    else:
        assert found.symbol == symbol


def test_every_diffraction_group_is_shown_by_a_point_group():
    names = list(point_groups())
    assert len(names) == 32
    assert {point_group_of(number) for number in range(1, 231)} == set(names)
    shown = set().union(*(zones_of(name) for name in names))
    assert shown == set(GROUPS)
    for name in names:
        assert sum(zones_of(name).values()) == pytest.approx(1)


CHOICE = BeamChoice(q_max_inv_A=1.6, max_strong=60, max_beams=120, max_directions_across=21)
CELLS = {
    "monoclinic": [4.1, 4.9, 4.5, 90, 101, 90],
    "orthorhombic": [4.1, 4.9, 4.5, 90, 90, 90],
    "tetragonal": [4.6, 4.6, 4.2, 90, 90, 90],
    "cubic": [5.2, 5.2, 5.2, 90, 90, 90],
}


def simulated(atoms, zones, semi_angle_mrad=4.0):
    chosen = tuple(ZoneChoice(zone, 3.0, semi_angle_mrad) for zone in zones) or strongest_zones(
        atoms
    )
    detector = Detector(pixels=300, pixel_inv_A=0.01)
    made = simulated_stacks(
        atoms,
        Asked(chosen, (100.0,), (200.0,)),
        "",
        Specimen(),
        CHOICE,
        detector,
        np.random.default_rng(0),
    )
    return next(iter(made)).stack


@pytest.mark.parametrize(
    ("atoms", "zones", "diffraction", "unlikelier"),
    [
        (general("P 1 m 1", CELLS["monoclinic"]), [(1, 0, 0)], "m", ("-1", "4/mmm", "m-3m")),
        (general("P 1 2 1", CELLS["monoclinic"]), [(0, 1, 0)], "2", ("m-3m", "6mm")),
        (general("P m m 2", CELLS["orthorhombic"]), [(0, 0, 1)], "2mm", ("1", "-1", "m", "-4")),
        (general("P 4", CELLS["tetragonal"]), [(0, 0, 1), (1, 0, 0)], "4", ("1", "4/mmm", "-42m")),
        (gallium_arsenide(), [(1, 1, 0), (0, 0, 1)], "m1R", ("m-3m", "6/mmm", "mmm")),
        (silicon(), [(1, 1, 0), (0, 0, 1)], "2mm1R", ("m", "2", "-4", "-1")),
    ],
)
def test_point_groups_are_told_from_patterns_of_known_crystals(
    atoms, zones, diffraction, unlikelier
):
    found = reasoning(seen_in(simulated(atoms, zones)))
    assert diffraction in found.zones[0].diffraction_groups
    true = point_group_of(atoms.space_group)
    assert true in found.point_groups
    likelihood = dict(zip(point_groups(), found.log_likelihood, strict=True))
    assert likelihood[true] > 0.3 + max(likelihood[name] for name in unlikelier)


def test_patterns_without_a_net_say_nothing():
    found = reasoning([None, None])
    assert found.zones == (None, None)
    assert set(found.point_groups) == set(point_groups())
    assert State.SHOWN < State.BROKEN


@pytest.mark.parametrize(("symbol", "dark"), [("P 21 21 21", True), ("P 2 2 2", False)])
def test_screw_axes_make_dark_lines_and_are_named(symbol, dark):
    # Gjonnes & Moodie (1965): h00 and 0k0 with odd indices, along [001].
    stack = simulated(general(symbol, CELLS["orthorhombic"]), [(0, 0, 1)], 3.0)
    zones = seen_in(stack)
    lines = [row.line for row in zones[0].rows]
    assert len(lines) == 2
    assert all((line < 0.1) == dark for line in lines)
    words = " ".join(explained(zones, reasoning(zones), wavelength_A(100.0)))
    assert ("a screw axis" in words) == dark
    assert "rectangular net of 0.204 x 0.24" in words
