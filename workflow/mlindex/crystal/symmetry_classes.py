"""Classes of symmetry as a tree: crystal system, Bravais lattice, extinction symbol, space group.

A space group has one class at each level. Space groups of one extinction symbol and Laue class have
lines at the same places: no more than their intensities can tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np

from mlindex.crystal.extinction_classes import (
    SPACE_GROUP_COUNTS,
    ExtinctionClass,
    extinction_classes,
)
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.space_groups import bravais_symbol

#: From the top down.
LEVELS = ("crystal_system", "bravais", "extinction_symbol", "space_group")
N_GROUPS = len(SPACE_GROUP_COUNTS)
#: The lattice letter of rhombohedral lattices, whose classes are on rhombohedral axes.
_RHOMBOHEDRAL = "hR"


@dataclass(frozen=True)
class Classes:
    """Classes of one level: ``names`` (k,), and ``of_group`` (230,), the class of each group."""

    level: str
    names: tuple[str, ...]
    of_group: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """The class (n,) of space groups, by their numbers (n,) from 1 to 230."""
        return self.of_group[np.asarray(numbers, dtype=np.int64) - 1]


@cache
def classes_of(level: str) -> Classes:
    """The classes of a level or the point groups, in the order of their first space group.

    An extinction symbol follows its Bravais lattice, for many lattices have a "P - - -". It is that
    of the conventional setting: Pma2, Pmc21 and Pmma, which forbid the same reflections on other
    axes, have one class, named after the group that is met most often.

    Raises:
        KeyError: there is no such level.
    """
    of_each = {
        "crystal_system": lambda: [group.crystal_system_str() for group in _groups()],
        "bravais": lambda: [bravais_symbol(group) for group in _groups()],
        "extinction_symbol": _extinction_symbols,
        "point_group": lambda: [group.point_group_hm() for group in _groups()],
        "space_group": lambda: [group.hm for group in _groups()],
    }[level]()
    names = tuple(dict.fromkeys(of_each))
    return Classes(level, names, np.array([names.index(name) for name in of_each]))


def lattice_and_symbol(name: str) -> tuple[str, str]:
    """The Bravais lattice and the symbol of a class of extinction symbols: ``hP``, ``P 62 - -``."""
    lattice, _, symbol = name.partition(" ")
    return lattice, symbol


def prior_of_groups() -> np.ndarray:
    """Share of each space group (230,) among known structures."""
    counts = np.array(SPACE_GROUP_COUNTS, dtype=float)
    return counts / counts.sum()


@cache
def _groups() -> tuple[gemmi.SpaceGroup, ...]:
    return tuple(gemmi.find_spacegroup_by_number(number) for number in range(1, N_GROUPS + 1))


def _extinction_symbols() -> list[str]:
    names: dict[int, str] = {}
    for numbers, alike in _types().items():
        often = max(numbers, key=lambda number: SPACE_GROUP_COUNTS[number - 1])
        reference = _groups()[often - 1].hm
        named = next((c for c in alike if reference in c.space_groups), alike[0])
        symbol = named.symbol
        if named.bravais == _RHOMBOHEDRAL:
            symbol = f"R{symbol[1:]}"
        names.update(dict.fromkeys(numbers, f"{named.bravais} {symbol}"))
    return [names[number] for number in range(1, N_GROUPS + 1)]


@cache
def _types() -> dict[frozenset[int], list[ExtinctionClass]]:
    """Extinction classes by the space groups that have them in one setting or another."""
    number_of = {group.hm: group.number for group in gemmi.spacegroup_table()}
    types: dict[frozenset[int], list[ExtinctionClass]] = {}
    for lattice in BRAVAIS.values():
        for centring in lattice.centrings:
            for extinction in extinction_classes(lattice.symbol, centring):
                numbers = frozenset(number_of[name] for name in extinction.space_groups)
                types.setdefault(numbers, []).append(extinction)
    return types
