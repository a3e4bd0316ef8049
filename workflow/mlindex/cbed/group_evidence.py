"""How well each of the 230 space groups agrees with what a stack shows.

The nets say which lattice they are sections of, and so which direction of it each zone is. A space
group on that lattice then says what each pattern must show: its diffraction group; how much
coarser its net is than the lattice's section, where a glide plane across the beam extinguishes
discs and no path of allowed ones leads to them; and which rows alternate with dark lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import gemmi
import numpy as np

from mlindex.cbed.dark_lines import Row
from mlindex.cbed.diffraction_groups import GROUPS, along_zone, generic_axes
from mlindex.cbed.joint_lattice import Joint, joint_lattices
from mlindex.cbed.reasoning import ZoneReasoning
from mlindex.cbed.seen import Seen
from mlindex.crystal.holohedries import reciprocal_metric
from mlindex.crystal.lattice import BRAVAIS, CENTRING_TRANSLATIONS
from mlindex.crystal.recognition import Recognized, nearest_of_each
from mlindex.crystal.space_groups import bravais_symbol, symmetry_of
from mlindex.crystal.symmetry_classes import N_GROUPS

#: Relative change of q² that makes a lattice symmetric, at most, and what measuring makes of it.
_TOLERANCE, _ERROR = 0.012, 0.003
#: Lattices that groups are laid on: so many, the likeliest, less likely than the best by at most
#: this (nat); larger indices of zones are of wrong lattices.
_LATTICES, _WITHIN, _LARGEST_ZONE = 12, 14.0, 8
#: What counts how much. A parameter of the lattice that symmetry fixes; each unit of the nets'
#: misfit to the lattice, and of the lattice's to its symmetry; the logarithm of the volume; each
#: doubling of the points that the nets span; what the patterns say of operations; what nets and
#: rows say. Fitted by the log-loss of the true group on 220 simulated stacks of crystals of all
#: groups, and as good on 219 others. Flat: changing one by a quarter to a half of itself lost
#: 0.01 nat, leaving out nets or rows 0.1.
_PER_PARAMETER, _PER_MISFIT, _PER_DISTANCE = 4.0, -0.5, -0.1
_PER_VOLUME, _PER_DOUBLING, _PER_PATTERN, _PER_NET, _PER_ROW = -1.0, -0.8, 0.8, 0.8, 1.0
_MOST_MISFIT, _LEAST_OF_ZONE = 40.0, -20.0
#: Logarithm of the likelihood of a net so many times as coarse as a group makes it: weak discs are
#: missed, and what is forbidden is excited by way of upper Laue zones. Of 2,700 simulated patterns
#: 8 % had nets twice too coarse, 5 % too fine.
_NETS, _WRONG_NET = {1.0: 0.0, 2.0: -2.3, 0.5: -2.0}, -4.5
#: Logarithm of how much likelier a row is if its odd discs are forbidden, by the overlap of discs
#: (up to this), the ratio of odd to even discs and that of the line to what lies beside it (of
#: ``Row``, up to these): counted on 3,688 rows of 1,100 simulated patterns.
_ODD, _LINE = (0.3, 0.5, 0.7, 0.9, 1.1), (0.1, 0.7)
_FORBIDDEN = {
    1.0: (
        *((5.9, 4.9, 2.5), (5.3, 3.8, 2.8), (5.1, 2.3, 0.6)),
        *((2.6, 0.4, -0.4), (4.2, 3.2, -1.0), (3.9, 0.5, -1.8)),
    ),
    1.5: (
        *((3.3, 3.3, 2.3), (3.7, 4.0, 1.7), (4.4, 0.0, 1.5)),
        *((3.0, 0.0, 0.5), (2.2, 0.0, 0.0), (3.0, 0.0, -1.0)),
    ),
}
#: Logarithms below this are this, and that of a group on none of the lattices.
LEAST = -40.0
#: Allowed reflections up to this index make a net.
_REACH = 4


@dataclass(frozen=True)
class Laid:
    """A lattice of the nets, taken for one of a Bravais type.

    ``zones`` (n, 3): directions of the beams in the conventional axes; ``rows``: of each zone the
    indices (k, 3) of its rows' first discs; ``index`` (n,) as of :class:`.joint_lattice.Joint`;
    ``log_likelihood``: of the lattice, but for a constant.
    """

    bravais: str
    centring: str
    zones: np.ndarray
    rows: tuple[np.ndarray, ...]
    index: np.ndarray
    log_likelihood: float


def laid_lattices(zones: Sequence[Seen]) -> list[Laid]:
    """Lattices of which the nets of three zones may be sections, the likeliest first."""
    found = []
    steps = [_row_steps(one) for one in zones]
    for joint in joint_lattices([one.discs.net for one in zones]):
        for lattice in nearest_of_each(joint.x6, _TOLERANCE):
            one = _laid(joint, lattice, steps)
            if one is not None:
                found.append(one)
    found.sort(key=lambda one: -one.log_likelihood)
    return [
        one for one in found[:_LATTICES] if one.log_likelihood >= found[0].log_likelihood - _WITHIN
    ]


def _laid(joint: Joint, lattice: Recognized, steps: Sequence[np.ndarray]) -> Laid | None:
    operator = lattice.operator.astype(float)
    other = BRAVAIS[lattice.bravais].other_setting
    if other is not None:
        operator = operator @ np.transpose(other.basis)
    uvw = [_whole(zone) for zone in joint.zones @ np.linalg.inv(operator).T]
    if np.abs(uvw).max() > _LARGEST_ZONE:
        return None
    rows = tuple(
        np.rint(step @ at @ operator).astype(int)
        for step, at in zip(steps, joint.rows, strict=True)
    )
    total = (
        _PER_PARAMETER * (6 - BRAVAIS[lattice.bravais].system.n_free)
        + _PER_MISFIT * min(joint.misfit, _MOST_MISFIT)
        + _PER_DISTANCE * min((lattice.distance / _ERROR) ** 2, _MOST_MISFIT)
        + _PER_VOLUME * np.log(1 / np.sqrt(np.linalg.det(reciprocal_metric(joint.x6))))
        + _PER_DOUBLING * np.log2(joint.points)
    )
    return Laid(lattice.bravais, lattice.centring, np.array(uvw), rows, joint.index, float(total))


def _whole(direction: np.ndarray) -> np.ndarray:
    """The smallest whole numbers in a ratio that is that of whole numbers over at most 6."""
    for times in range(1, 7):
        found = np.rint(direction * times)
        if np.abs(found - direction * times).max() < 1e-6:
            found = found.astype(int)
            return found // max(int(np.gcd.reduce(found)), 1)
    return np.full(3, 99)


def _row_steps(one: Seen) -> np.ndarray:
    """Places (k, 2) of the first discs of the rows, in the net's basis."""
    at, basis = one.discs.at, one.discs.net.basis_inv_A
    steps = []
    for operation in one.operations:
        if operation.order == 0:
            along = at[np.all(at @ operation.matrix == at, axis=1)]
            if len(along) > 1:
                steps.append(along[1])
    found = []
    for row in one.rows:
        far = [abs(np.linalg.norm(step @ basis) - row.spacing_inv_A) for step in steps]
        found.append(steps.pop(int(np.argmin(far))))
    return np.array(found, dtype=int).reshape(-1, 2)


def group_evidence(
    zones: Sequence[Seen | None], reasons: Sequence[ZoneReasoning | None]
) -> np.ndarray:
    """Logarithm (230,) of how well each space group agrees, the best one 0.

    Args:
        zones: what was seen; all groups agree alike if it isn't of three zones.
        reasons: what follows from each pattern.
    """
    seen = [one for one in zones if one is not None]
    told = [np.maximum(one.log_likelihood, _LEAST_OF_ZONE) for one in reasons if one is not None]
    if len(seen) != 3 or len(told) != 3:
        return np.zeros(N_GROUPS)
    found = np.full(N_GROUPS, -np.inf)
    for lattice in laid_lattices(seen):
        dark = [[_PER_ROW * _of_row(row, one.overlap) for row in one.rows] for one in seen]
        for number in _groups_on(lattice.bravais):
            for setting in _settings_on(number, lattice.centring):
                value = lattice.log_likelihood + _agreement(number, setting, lattice, told, dark)
                found[number - 1] = max(found[number - 1], value)
    if not np.isfinite(found).any():
        return np.zeros(N_GROUPS)
    return np.maximum(found - found.max(), LEAST)


def _agreement(
    number: int,
    setting: tuple[np.ndarray, np.ndarray],
    lattice: Laid,
    told: Sequence[np.ndarray],
    dark: Sequence[Sequence[float]],
) -> float:
    """Logarithm of how likely what the patterns show is, of a group in a setting on a lattice.

    Args:
        number, setting: the group, and how its axes lie, of :func:`_settings_on`.
        lattice: the lattice.
        told: of each zone the logarithm (31,) of each diffraction group.
        dark: of each zone and row what it is worth if its odd discs are forbidden.
    """
    change, back = setting
    total = 0.0
    zones = [_up(zone) for zone in (lattice.zones @ change.T).tolist()]
    for zone, of_groups, index in zip(zones, told, lattice.index.tolist(), strict=True):
        total += _PER_PATTERN * of_groups[_diffraction_group(_point_hall(number), zone)]
        total += _PER_NET * _NETS.get(index / net_index(number, zone), _WRONG_NET)
    for rows, worth in zip(lattice.rows, dark, strict=True):
        for hkl, value in zip((rows @ back).tolist(), worth, strict=True):
            if value and _forbidden(number, tuple(hkl)):
                total += value
    return total


def _up(zone: list[int]) -> tuple[int, int, int]:
    """A zone or its opposite, which shows the same."""
    return max(tuple(zone), tuple(-i for i in zone))


def _of_row(row: Row, overlap: float) -> float:
    """Logarithm of how much likelier a row is if its odd discs are forbidden."""
    for most, table in _FORBIDDEN.items():
        if overlap < most:
            return table[np.searchsorted(_ODD, row.odd)][np.searchsorted(_LINE, row.line)]
    return 0.0


@cache
def _forbidden(number: int, hkl: tuple[int, int, int]) -> bool:
    """Whether a reflection is systematically absent."""
    return bool(symmetry_of(_hall(number)).absent(np.array([hkl]))[0])


@cache
def _diffraction_group(hall: str, zone: tuple[int, int, int]) -> int:
    """The place in ``GROUPS`` of what a point group shows along a zone."""
    basis = generic_axes(gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(hall)))
    return list(GROUPS).index(along_zone(hall, zone, basis).symbol)


@cache
def _point_hall(number: int) -> str:
    """Hall symbol of the symmorphic group on primitive axes with the same rotations."""
    group = gemmi.find_spacegroup_by_number(number)
    return gemmi.find_spacegroup_by_ops(group.operations().derive_symmorphic()).hall


@cache
def net_index(number: int, zone: tuple[int, int, int]) -> int:
    """How many times as large as the lattice's the mesh of a group's allowed reflections is.

    Args:
        number: of the group, on its reference axes.
        zone: direction [uvw] of the beam, without common divisor.
    """
    group = gemmi.find_spacegroup_by_number(number)
    at = np.array(list(product(range(-_REACH, _REACH + 1), repeat=2)))
    hkl = np.ascontiguousarray(at @ _section(zone), dtype=np.int32)
    points = gemmi.GroupOps([gemmi.Op()])
    points.cen_ops = group.operations().cen_ops
    lattice, allowed = (
        _mesh(at[~operations.systematic_absences(hkl)])
        for operations in (points, group.operations())
    )
    return max(allowed // max(lattice, 1), 1)


def _section(zone: tuple[int, int, int]) -> np.ndarray:
    """A basis (2, 3) of all indices hkl in a zone [uvw] without common divisor."""
    u, v, w = zone
    divisor, s, t = _bezout(u, v)
    if divisor == 0:
        return np.array([[1, 0, 0], [0, 1, 0]])
    return np.array([[v // divisor, -u // divisor, 0], [-s * w, -t * w, divisor]])


def _bezout(a: int, b: int) -> tuple[int, int, int]:
    """The greatest common divisor d, and s, t with s a + t b = d."""
    if b == 0:
        return (abs(a), -1 if a < 0 else 1, 0)
    d, s, t = _bezout(b, a % b)
    return d, t, s - (a // b) * t


def _mesh(at: np.ndarray) -> int:
    """Area of the mesh of the net that places (n, 2) make; 0 if it is none."""
    minors = at[:, None, 0] * at[None, :, 1] - at[:, None, 1] * at[None, :, 0]
    return int(np.gcd.reduce(minors, axis=None))


@cache
def _groups_on(bravais: str) -> tuple[int, ...]:
    """Numbers of the space groups on a Bravais lattice."""
    groups = ((n, gemmi.find_spacegroup_by_number(n)) for n in range(1, N_GROUPS + 1))
    return tuple(n for n, group in groups if bravais_symbol(group) == bravais)


#: Bases of the plane across a monoclinic axis that differ by more than whole lattice vectors twice.
_IN_PLANE = (
    *(((1, 0), (0, 1)), ((0, 1), (1, 0)), ((1, 1), (0, 1))),
    *(((1, 0), (1, 1)), ((0, 1), (1, 1)), ((1, 1), (1, 0))),
)


def _changes(system: str) -> list[np.ndarray]:
    """Ways (3, 3) to lay the axes of a group on those of a lattice, x' = change x."""
    one = np.eye(3, dtype=int)
    if system == "monoclinic":
        found = []
        for block in _IN_PLANE:
            change = one.copy()
            change[np.ix_((0, 2), (0, 2))] = block
            found.append(change)
        return found
    if system == "orthorhombic":
        return [one[list(order)] for order in permutations(range(3))]
    return [one, one[[1, 0, 2]]] if system == "cubic" else [one]


@cache
def _settings_on(number: int, centring: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Those ways in which the centrings agree, each with its inverse."""
    group = gemmi.find_spacegroup_by_number(number)
    own = {tuple(vector) for vector in group.operations().cen_ops}
    found = []
    for change in _changes(group.crystal_system_str()):
        of_lattice = {(0, 0, 0)}
        for vector in CENTRING_TRANSLATIONS.get(centring, ()):
            moved = change @ np.array(vector) * (gemmi.Op.DEN // 2) % gemmi.Op.DEN
            of_lattice.add(tuple(moved.tolist()))
        if centring == "R" or len(own) == 3 or own == of_lattice:
            found.append((change, np.rint(np.linalg.inv(change)).astype(int)))
    return tuple(found)


@cache
def _hall(number: int) -> str:
    return gemmi.find_spacegroup_by_number(number).hall
