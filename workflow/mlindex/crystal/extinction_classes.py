"""Extinction symbols of the Bravais lattices, derived from gemmi's space-group settings.

A class holds the settings of one Bravais lattice and centring letter, in the standard setting of
this package, that forbid the same reflections. Its symbol follows International Tables A, 1.6.4:
the lattice letter, then for each symmetry direction what forbids reflections there: the glide
plane; the screw axis where glide planes and centring leave something for it to forbid; both as
in 21/c; or a dash. Letters that share their conditions stand in brackets, e.g. (ab), or as e
where gemmi's table has an e glide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import gemmi
import numpy as np

from mlindex.crystal.lattice import AXES, BRAVAIS
from mlindex.crystal.space_groups import bravais_symbol, cell_system, operations_of, unique_axis

#: Known structures of each space group, 1 to 230: resources/spacegroup_frequencies.csv summed.
SPACE_GROUP_COUNTS = (
    *(6521, 164987, 120, 23498, 5969, 47, 2866, 450, 8182, 161, 4435, 6375, 4875, 29342, 29512),
    *(26, 65, 2681, 24328, 1745, 76, 47, 241, 68, 31, 196, 28, 25, 4796, 116, 663, 162, 8798, 82),
    *(30, 1595, 123, 97, 76, 252, 1066, 93, 2911, 133, 593, 167, 128, 71, 19, 101, 144, 900, 158),
    *(389, 629, 2508, 949, 917, 484, 6073, 21378, 10091, 1896, 1321, 353, 168, 115, 416, 176, 836),
    *(486, 473, 278, 474, 64, 873, 115, 812, 281, 225, 213, 1317, 43, 106, 881, 1314, 737, 3287),
    *(7, 105, 78, 1849, 6, 205, 90, 1741, 103, 192, 14, 20, 7, 27, 39, 122, 2, 107, 32, 44, 45),
    *(327, 6, 35, 231, 1187, 10, 41, 60, 176, 37, 95, 197, 631, 261, 85, 51, 239, 75, 170, 228),
    *(485, 143, 24, 48, 58, 111, 223, 138, 129, 459, 186, 240, 377, 274, 691, 689, 1297, 1218),
    *(5567, 20, 197, 39, 911, 16, 699, 430, 56, 551, 102, 402, 404, 800, 112, 459, 645, 676, 1489),
    *(1653, 28, 586, 552, 72, 54, 914, 115, 77, 1461, 19, 230, 202, 101, 54, 174, 6, 15, 96, 488),
    *(114, 41, 343, 244, 817, 120, 277, 1708, 27, 88, 202, 733, 100, 71, 106, 68, 130, 255, 942),
    *(128, 34, 9, 43, 43, 57, 80, 90, 26, 142, 386, 403, 226, 78, 440, 1183, 150, 315, 57, 1975),
    *(109, 1034, 26, 389, 222),
)
#: Indices to this size tell all conditions apart: the longest repeat is 6 (61), 4 in a plane (d).
_PROBE = 6
_TWENTY_FOURTHS = 24
_GLIDES = "abcdn"
_SCREW = re.compile(r"^([2346])([1-5])")
_DASH = "-"


@dataclass(frozen=True)
class ExtinctionClass:
    """Settings with the same conditions.

    A reflection h (row) is forbidden where for one of the ``m`` operations h R = h and h · t is
    no whole number; centring is among them. ``structures`` is how many known structures the
    class stands for, each space group's shared evenly by its settings. Of ``space_groups`` the
    one met most often comes first; ``numbers`` are theirs.
    """

    bravais: str
    centring: str
    symbol: str
    space_groups: tuple[str, ...]
    numbers: tuple[int, ...]
    structures: float
    #: (m, 3, 3) whole numbers, and (m, 3) in 24ths of the axes.
    rotations: np.ndarray
    translations_24: np.ndarray


def allowed_mask(hkl: np.ndarray, extinction: ExtinctionClass) -> np.ndarray:
    """Whether a class allows reflections (..., 3): bool (...)."""
    hkl = np.asarray(hkl, dtype=np.int64)
    forbidden = np.zeros(hkl.shape[:-1], dtype=bool)
    for rotation, shift in zip(extinction.rotations, extinction.translations_24, strict=True):
        forbidden |= (hkl @ shift % _TWENTY_FOURTHS != 0) & np.all(hkl @ rotation == hkl, axis=-1)
    return ~forbidden


@lru_cache(maxsize=64)
def extinction_classes(bravais: str, centring: str) -> tuple[ExtinctionClass, ...]:
    """All extinction classes of a Bravais lattice in a setting with that centring letter.

    They are in the order of gemmi's table, the one with the fewest conditions first. hR is on
    rhombohedral axes, its letter P.

    Raises:
        ValueError: if the lattice has no such letter.
    """
    lattice = BRAVAIS[bravais]
    if centring not in lattice.centrings:
        raise ValueError(f"{bravais} can't have centring {centring!r}, only {lattice.centrings}")
    groups = _settings()[bravais, centring]
    n_settings: dict[int, int] = {}
    alike: dict[bytes, list[gemmi.SpaceGroup]] = {}
    for group in groups:
        n_settings[group.number] = n_settings.get(group.number, 0) + 1
        alike.setdefault(_probed(group.hall).any(axis=0).tobytes(), []).append(group)
    order = sorted(alike, key=lambda key: np.frombuffer(key, dtype=bool).sum())
    width = max(len(_fields(group)) for group in groups)
    return tuple(_class_of(bravais, centring, alike[key], n_settings, width) for key in order)


def class_of_symbol(bravais: str, centring: str, symbol: str) -> ExtinctionClass:
    """The class with that extinction symbol.

    Raises:
        ValueError: if there is none.
    """
    for extinction in extinction_classes(bravais, centring):
        if extinction.symbol == symbol:
            return extinction
    raise ValueError(f"{bravais} {centring} has no extinction symbol {symbol!r}")


@cache
def _settings() -> dict[tuple[str, str], list[gemmi.SpaceGroup]]:
    """gemmi's settings of each Bravais lattice and centring letter, in the standard setting."""
    found: dict[tuple[str, str], list[gemmi.SpaceGroup]] = {}
    for group in gemmi.spacegroup_table():
        symbol, axis = bravais_symbol(group), unique_axis(group)
        system = BRAVAIS[symbol].system
        if (
            cell_system(group) is system
            and (not axis or AXES.index(axis) == system.unique_axis)
            # gemmi's table ends with origins that have no symbol of their own, as P 21212(a).
            and "(" not in group.hm
        ):
            letter = "P" if group.ext == "R" else group.centring_type()
            found.setdefault((symbol, letter), []).append(group)
    return found


def _class_of(
    bravais: str,
    centring: str,
    groups: list[gemmi.SpaceGroup],
    n_settings: dict[int, int],
    width: int,
) -> ExtinctionClass:
    rotations, shifts = _fewest(groups[0].hall)
    often_first = sorted(groups, key=lambda g: -SPACE_GROUP_COUNTS[g.number - 1])
    number_of = {group.hm: group.number for group in often_first}
    return ExtinctionClass(
        bravais,
        centring,
        _symbol(groups, width),
        tuple(number_of),
        tuple(number_of.values()),
        sum(SPACE_GROUP_COUNTS[g.number - 1] / n_settings[g.number] for g in groups),
        rotations,
        shifts,
    )


def _fields(group: gemmi.SpaceGroup) -> list[str]:
    return group.hm.split()[1:]


@lru_cache(maxsize=1)
def _probe() -> np.ndarray:
    h = np.arange(-_PROBE, _PROBE + 1)
    # h and -h are forbidden together.
    return np.stack(np.meshgrid(h[_PROBE:], h, h, indexing="ij"), axis=-1).reshape(-1, 3)


@lru_cache(maxsize=1024)
def _forbidding(hall: str) -> tuple[np.ndarray, np.ndarray]:
    """Operations that can forbid something: rotations (m, 3, 3), translations (m, 3) in 24ths."""
    operations = operations_of(hall)
    rotations = np.rint(operations.rotations).astype(np.int64)
    shifts = np.rint(operations.translations * _TWENTY_FOURTHS).astype(np.int64) % _TWENTY_FOURTHS
    # An inversion or a rotary one leaves no reflection as it is.
    keep = shifts.any(axis=1) & (np.abs(np.linalg.det(rotations - np.eye(3))) < 0.5)
    return rotations[keep], shifts[keep]


@lru_cache(maxsize=1024)
def _probed(hall: str) -> np.ndarray:
    """Which reflections of the probe (n, 3) each of the operations of :func:`_forbidding` forbids:
    bool (m, n); one row if m is 0."""
    rotations, shifts = _forbidding(hall)
    # Small whole numbers, which floating-point numbers hold exactly and multiply faster.
    hkl = _probe().astype(float)
    if not len(rotations):
        return np.zeros((1, len(hkl)), dtype=bool)
    fixed = np.all(hkl @ rotations == hkl, axis=-1)
    turns = shifts @ hkl.T / _TWENTY_FOURTHS
    return fixed & (turns != np.rint(turns))


def _fewest(hall: str) -> tuple[np.ndarray, np.ndarray]:
    """As few of the operations as forbid the same reflections, greedily."""
    rotations, shifts = _forbidding(hall)
    each = _probed(hall)
    left = each.any(axis=0)
    chosen: list[int] = []
    while left.any():
        chosen.append(int(np.argmax((each & left).sum(axis=1))))
        left = left & ~each[chosen[-1]]
    return rotations[chosen], shifts[chosen]


def _symbol(groups: list[gemmi.SpaceGroup], width: int) -> str:
    """The extinction symbol of groups with the same conditions, with ``width`` directions."""
    # Some groups name fewer directions than others of their lattice.
    fields = [f + [_DASH] * (width - len(f)) for f in map(_fields, groups)]
    has_screws = _screws_count(groups[0])
    screws = [_screw([f[i] for f in fields]) if has_screws else "" for i in range(width)]
    glides = [_glides([f[i] for f in fields]) for i in range(width)]
    one_axis = bool(unique_axis(groups[0]))
    if one_axis or sum(len(letters) > 1 for letters in glides) > 1:
        glides = [_glides([f]) if glides[i] else [] for i, f in enumerate(fields[0])]
    parts = []
    for i, letters in enumerate(glides):
        glide = letters[0] if len(letters) == 1 else f"({''.join(letters)})" if letters else ""
        bare = one_axis and all(f[i] == "1" for f in fields)
        parts.append("1" if bare else "/".join(filter(None, (screws[i], glide))) or _DASH)
    return " ".join([groups[0].hm.split()[0], *parts])


def _screw(elements: list[str]) -> str:
    """The screw axis of one direction, "" unless every group has one."""
    screws = [_SCREW.match(element) for element in elements]
    if not all(screws):
        return ""
    # 21 and 42, or 31 and 62, forbid alike, and so do the two hands: the higher axis and the
    # smaller screw stand for all.
    return min((m[0] for m in screws if m), key=lambda s: (-int(s[0]), int(s[1])))


def _glides(elements: list[str]) -> list[str]:
    """Letters of the glide planes of one direction, none unless every group has one."""
    letters = [element[-1] for element in elements if element[-1] in _GLIDES]
    return sorted(set(letters)) if len(letters) == len(elements) else []


def _screws_count(group: gemmi.SpaceGroup) -> bool:
    """Whether screw axes forbid something that mirror-like operations and centring do not."""
    rotations, each = _forbidding(group.hall)[0], _probed(group.hall)
    if not len(rotations):
        return False
    is_axis = (np.rint(np.linalg.det(rotations)) > 0) & (np.trace(rotations, axis1=1, axis2=2) < 3)
    return bool((each.any(axis=0) & ~each[~is_axis].any(axis=0)).any())
