"""The 31 diffraction groups, and which one a point group shows along a zone axis.

Buxton, Eades, Steeds & Rackham, Phil. Trans. R. Soc. A281 (1976) 171. An operation of a diffraction
group is one of the plane, with R (reciprocity) if the crystal's operation turns the beam round.
What patterns show follows from the operations: the whole pattern has those without R; the bright
field also those with R, each followed by half a turn, as reciprocity turns the disc.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import gemmi
import numpy as np

from mlindex.crystal.space_groups import operations_of

#: Rotations are whole multiples of 30 degrees, mirror lines lie at whole multiples of 15 degrees.
_STEPS = 12
_HALF_TURN = 6


@dataclass(frozen=True, order=True)
class PlaneOperation:
    """A rotation by ``step`` times 30 degrees, or a mirror line at ``step`` times 15 degrees.

    ``reversed``: with R, it belongs to an operation that turns the beam round.
    """

    mirror: bool
    step: int
    reversed: bool = False

    def __matmul__(self, other: PlaneOperation) -> PlaneOperation:
        """This one after the other."""
        step = self.step - other.step if self.mirror else self.step + other.step
        return PlaneOperation(
            self.mirror != other.mirror, step % _STEPS, self.reversed != other.reversed
        )


Operations = frozenset[PlaneOperation]
_ONE = PlaneOperation(False, 0)
_TURNED = PlaneOperation(False, _HALF_TURN)
_WORDS = {
    "1_R": PlaneOperation(False, 0, True),
    "m": PlaneOperation(True, 0),
    "m_R": PlaneOperation(True, 0, True),
    **{
        f"{order}{flag}": PlaneOperation(False, _STEPS // order, bool(flag))
        for order in (2, 3, 4, 6)
        for flag in ("", "_R")
    },
}
#: Symbols and generators, in the order of Buxton et al.; R stands for their subscript.
_GENERATORS = {
    "1": "",
    "1R": "1_R",
    "2": "2",
    "2R": "2_R",
    "21R": "2 1_R",
    "mR": "m_R",
    "m": "m",
    "m1R": "m 1_R",
    "2mRmR": "2 m_R",
    "2mm": "2 m",
    "2RmmR": "2_R m",
    "2mm1R": "2 m 1_R",
    "4": "4",
    "4R": "4_R",
    "41R": "4 1_R",
    "4mRmR": "4 m_R",
    "4mm": "4 m",
    "4RmmR": "4_R m",
    "4mm1R": "4 m 1_R",
    "3": "3",
    "31R": "3 1_R",
    "3mR": "3 m_R",
    "3m": "3 m",
    "3m1R": "3 m 1_R",
    "6": "6",
    "6R": "6_R",
    "61R": "6 1_R",
    "6mRmR": "6 m_R",
    "6mm": "6 m",
    "6RmmR": "6_R m",
    "6mm1R": "6 m 1_R",
}


def closed(generators: Operations) -> Operations:
    """All products of some operations, the identity among them."""
    found = {_ONE, *generators}
    while True:
        more = {one @ other for one in found for other in found} - found
        if not more:
            return frozenset(found)
        found |= more


@dataclass(frozen=True)
class DiffractionGroup:
    """A diffraction group: its symbol, and its operations with a mirror line along x if any."""

    symbol: str
    operations: Operations

    @cached_property
    def whole_pattern(self) -> Operations:
        """What the whole pattern shows."""
        return frozenset(one for one in self.operations if not one.reversed)

    @cached_property
    def bright_field(self) -> Operations:
        """What the disc of the direct beam shows."""
        plain = {one for one in self.operations if not one.reversed}
        for one in self.operations - plain:
            turned = _TURNED @ one
            plain.add(PlaneOperation(turned.mirror, turned.step))
        return frozenset(plain)

    @cached_property
    def projection(self) -> DiffractionGroup:
        """The group without upper Laue zones: that of the structure projected along the beam."""
        return group_of(closed(self.operations | {PlaneOperation(False, 0, True)}))


GROUPS: dict[str, DiffractionGroup] = {
    symbol: DiffractionGroup(symbol, closed(frozenset(_WORDS[word] for word in words.split())))
    for symbol, words in _GENERATORS.items()
}


def plane_symbol(operations: Operations) -> str:
    """The plane point group of operations without R, such as ``2mm``."""
    turns = sum(not one.mirror for one in operations)
    if turns == len(operations):
        return str(turns)
    return {1: "m", 3: "3m"}.get(turns, f"{turns}mm")


def group_of(operations: Operations) -> DiffractionGroup:
    """The diffraction group of some operations, wherever their mirror lines are.

    Raises:
        KeyError: they are none of the 31.
    """
    return _by_class()[_class_of(operations)]


@cache
def _class_of(operations: Operations) -> tuple[PlaneOperation, ...]:
    """Operations with their mirror lines turned together, in a way that only the group decides."""
    return min(
        tuple(
            sorted(
                PlaneOperation(one.mirror, (one.step + one.mirror * shift) % _STEPS, one.reversed)
                for one in operations
            )
        )
        for shift in range(_STEPS)
    )


@cache
def _by_class() -> dict[tuple[PlaneOperation, ...], DiffractionGroup]:
    return {_class_of(group.operations): group for group in GROUPS.values()}


#: Axes of a cell of each crystal system with no more symmetry than it has, as rows.
_AXES = {
    "triclinic": ((1, 0, 0), (-0.13, 1.21, 0), (-0.21, -0.17, 1.43)),
    "monoclinic": ((1, 0, 0), (0, 1.21, 0), (-0.23, 0, 1.43)),
    "orthorhombic": ((1, 0, 0), (0, 1.21, 0), (0, 0, 1.43)),
    "tetragonal": ((1, 0, 0), (0, 1, 0), (0, 0, 1.43)),
    "trigonal": ((1, 0, 0), (-0.5, np.sqrt(0.75), 0), (0, 0, 1.43)),
    "hexagonal": ((1, 0, 0), (-0.5, np.sqrt(0.75), 0), (0, 0, 1.43)),
    "cubic": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
#: Largest index of the zone axes that stand for all.
LARGEST_INDEX = 2


def generic_axes(group: gemmi.SpaceGroup) -> np.ndarray:
    """Axes of a cell as rows (3, 3), with no more symmetry than a group's crystal system has.

    Monoclinic groups have their unique axis b, trigonal ones hexagonal axes.
    """
    return np.array(_AXES[group.crystal_system_str()], dtype=float)


@cache
def point_groups() -> dict[str, str]:
    """The 32 point groups with the Hall symbol of a space group of each, in order."""
    found: dict[str, str] = {}
    for group in gemmi.spacegroup_table():
        on_hexagonal_axes = group.ext != "R"
        if group.is_reference_setting() and on_hexagonal_axes:
            found.setdefault(point_group_of(group.number), group.hall)
    return found


@cache
def point_group_of(number: int) -> str:
    """The point group of a space group, by its number: ``-42m``, whatever the axes."""
    symbol = gemmi.find_spacegroup_by_number(number).point_group_hm()
    return {"-4m2": "-42m", "-62m": "-6m2", "m-3m": "m-3m"}.get(symbol, symbol)


def along_zone(
    hall_symbol: str, zone: tuple[int, int, int], basis_A: np.ndarray
) -> DiffractionGroup:
    """The diffraction group of a space group along a zone axis.

    Args:
        hall_symbol: the setting.
        zone: direction [uvw].
        basis_A: its axes as rows, shape (3, 3), in any unit.
    """
    axis = np.array(zone)
    z = axis @ basis_A / np.linalg.norm(axis @ basis_A)
    x = np.linalg.svd(z[None])[2][1]
    return group_of(
        _steps(plane_operations(hall_symbol, zone, basis_A, np.array([x, np.cross(z, x)])))
    )


def plane_operations(
    hall_symbol: str, zone: tuple[int, int, int], basis_A: np.ndarray, frame: np.ndarray
) -> list[tuple[np.ndarray, bool]]:
    """Operations along a zone axis as matrices (2, 2), and whether they turn the beam round.

    Args:
        hall_symbol, zone, basis_A: as for :func:`along_zone`.
        frame: axes x and y of the pattern as rows (2, 3), in the axes of ``basis_A``.
    """
    rotations = _rotations(hall_symbol)
    axis = np.array(zone)
    images = rotations @ axis
    kept, turned = (images == axis).all(axis=1), (images == -axis).all(axis=1)
    own = rotations[kept | turned]
    planes = frame @ (basis_A.T @ own @ np.linalg.inv(basis_A.T)) @ frame.T
    return list(zip(planes, turned[kept | turned].tolist(), strict=True))


@cache
def _rotations(hall_symbol: str) -> np.ndarray:
    return np.unique(np.rint(operations_of(hall_symbol).rotations).astype(int), axis=0)


def _steps(planes: list[tuple[np.ndarray, bool]]) -> Operations:
    """Operations of matrices (2, 2) in the plane, with the mirror lines counted from the first."""
    lines = [0.5 * np.arctan2(p[1, 0], p[0, 0]) for p, _ in planes if np.linalg.det(p) < 0]
    found = set()
    for plane, flag in planes:
        angle = np.arctan2(plane[1, 0], plane[0, 0])
        if np.linalg.det(plane) < 0:
            step = (angle / 2 - lines[0]) / np.radians(15)
            found.add(PlaneOperation(True, round(step) % _STEPS, flag))
        else:
            found.add(PlaneOperation(False, round(angle / np.radians(30)) % _STEPS, flag))
    return frozenset(found)


@cache
def zones_of(point_group: str) -> dict[str, float]:
    """Diffraction groups that a point group shows, each with its share of the zone axes.

    Axes with indices up to ``LARGEST_INDEX`` count as 1/(u² + v² + w²): those of few indices are
    looked along more often.
    """
    hall = point_groups()[point_group]
    basis = generic_axes(gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(hall)))
    shares: dict[str, float] = {}
    for zone in product(range(-LARGEST_INDEX, LARGEST_INDEX + 1), repeat=3):
        if zone > (0, 0, 0) and np.gcd.reduce(zone) == 1:
            symbol = along_zone(hall, zone, basis).symbol
            shares[symbol] = shares.get(symbol, 0.0) + 1 / sum(i * i for i in zone)
    total = sum(shares.values())
    return {symbol: share / total for symbol, share in sorted(shares.items())}
