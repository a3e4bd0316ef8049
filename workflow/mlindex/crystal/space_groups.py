"""Space groups: their Bravais lattices, and operations as arrays.

A Hall symbol becomes arrays here and nowhere else, in one of three forms: :class:`Operations`, all
of them in fractions of the cell; :class:`Symmetry`, centring apart, with absences;
:class:`WholeOperations`, centring apart, in whole numbers for exact changes of basis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import BRAVAIS, FAMILY_OF_CRYSTAL_SYSTEM, SYSTEMS, LatticeSystem
from mlindex.crystal.reindexed import cell_to_standard

#: Conventional centring of the lattice that a centring makes in a crystal family, where the two
#: differ: C of tetragonal is P of the cell turned by 45 degrees, and so on.
_SAME_LATTICE = {
    **{f"a{centring}": "aP" for centring in "ABCIFR"},
    **{f"m{centring}": "mC" for centring in "ABIF"},
    **{f"o{centring}": "oC" for centring in "AB"},
    **{"tC": "tP", "tF": "tI", "hH": "hP"},
}


_RHOMBOHEDRAL_AXES = "R"
#: gemmi's unit of rotations and translations is one 24th.
_DEN = gemmi.Op.DEN


def bravais_symbol(group: gemmi.SpaceGroup) -> str:
    """Symbol of the Bravais lattice (key of ``lattice.BRAVAIS``) of a setting."""
    centring = "R" if group.ext == _RHOMBOHEDRAL_AXES else group.centring_type()
    symbol = FAMILY_OF_CRYSTAL_SYSTEM[group.crystal_system_str()] + centring
    return _SAME_LATTICE.get(symbol, symbol)


def unique_axis(group: gemmi.SpaceGroup) -> str:
    """Unique axis of a monoclinic setting, "" of any other."""
    return group.monoclinic_unique_axis().strip("\0")


def cell_system(group: gemmi.SpaceGroup) -> LatticeSystem:
    """The lattice system whose constraints a setting's cell obeys.

    It is not that of the lattice where a rhombohedral lattice is given on hexagonal axes.
    """
    lattice = BRAVAIS[bravais_symbol(group)]
    on_hexagonal_axes = group.centring_type() == "R"
    return SYSTEMS["hexagonal"] if on_hexagonal_axes else lattice.system


def cell_fits(
    cell: np.ndarray, group: gemmi.SpaceGroup, length_rel: float, angle_deg: float
) -> bool:
    """Whether a cell (6,) obeys the constraints of a setting within tolerances."""
    system = cell_system(group)
    standard = cell_to_standard(cell, system, unique_axis(group))
    return system.fits(standard, length_rel, angle_deg)


@dataclass(frozen=True)
class Operations:
    """Symmetry operations: rotations (m, 3, 3) and translations (m, 3), centring included.

    Coordinates change as x' = R x + t, in fractions of the cell; indices as rows, h' = h R.
    """

    rotations: np.ndarray
    translations: np.ndarray


@dataclass(frozen=True)
class WholeOperations:
    """Operations x' = R x + t of a space group in whole numbers, centring apart.

    Attributes:
        rotations: R, integers of shape (n, 3, 3).
        translations: t in 1/24, from 0 to 23, shape (n, 3).
        centring: lattice points in the cell in 1/24, sorted, shape (n_points, 3).
    """

    rotations: np.ndarray
    translations: np.ndarray
    centring: np.ndarray

    @property
    def n_points(self) -> int:
        """Lattice points in the cell."""
        return len(self.centring)


@dataclass(frozen=True)
class Symmetry:
    """A space group in one setting: operations and centring apart, and what they extinguish."""

    group: gemmi.GroupOps

    @cached_property
    def rotations(self) -> np.ndarray:
        """Rotations without centring, shape (n, 3, 3): x' = R x + t and h' = h R."""
        return _in_24ths(self.group.sym_ops)[0] / _DEN

    @cached_property
    def translations(self) -> np.ndarray:
        """Translations of :attr:`rotations`, shape (n, 3), in fractions of the cell."""
        return _in_24ths(self.group.sym_ops)[1] / _DEN

    @cached_property
    def centrings(self) -> np.ndarray:
        """Centring vectors with (0, 0, 0), shape (n, 3), in fractions of the cell."""
        return np.array(self.group.cen_ops, dtype=float) / _DEN

    @cached_property
    def laue_rotations(self) -> np.ndarray:
        """Distinct rotations of the Laue group, one of R and -R, shape (n, 3, 3), integers."""
        kept: dict[bytes, np.ndarray] = {}
        for rotation in np.rint(self.rotations).astype(np.int64):
            if (-rotation).tobytes() not in kept:
                kept[rotation.tobytes()] = rotation
        return np.array(list(kept.values()))

    def absent(self, hkl: np.ndarray) -> np.ndarray:
        """Which of the Miller indices (n, 3) are systematically absent, shape (n,)."""
        return self.group.systematic_absences(np.ascontiguousarray(hkl, dtype=np.int32))


@lru_cache(maxsize=4096)
def symmetry_of(hall_symbol: str) -> Symmetry:
    """The symmetry of a Hall symbol.

    Raises:
        MlindexError: it is no Hall symbol.
    """
    return Symmetry(_read(hall_symbol))


@lru_cache(maxsize=1024)
def operations_of(hall_symbol: str) -> Operations:
    """The operations of a Hall symbol, centring included.

    Raises:
        MlindexError: it is no Hall symbol.
    """
    return operation_arrays(_read(hall_symbol))


def operation_arrays(group: gemmi.GroupOps) -> Operations:
    """Operations of gemmi as arrays, centring included."""
    rotations, translations = _in_24ths(group)
    return Operations(rotations / _DEN, translations / _DEN)


@cache
def whole_operations_of(hall_symbol: str) -> WholeOperations:
    """The operations of a Hall symbol in whole numbers.

    Raises:
        MlindexError: it is no Hall symbol.
    """
    return whole_operations(_read(hall_symbol))


def whole_operations(group: gemmi.GroupOps) -> WholeOperations:
    """Operations of gemmi in whole numbers, centring apart."""
    rotations, translations = _in_24ths(group.sym_ops)
    centring = np.unique(np.array(group.cen_ops) % _DEN, axis=0)
    return WholeOperations(rotations // _DEN, translations % _DEN, centring)


def group_of(hall_symbol: str) -> gemmi.SpaceGroup | None:
    """gemmi's tabulated setting with the operations of a Hall symbol, None if there is none.

    Raises:
        MlindexError: it is no Hall symbol.
    """
    return gemmi.find_spacegroup_by_ops(_read(hall_symbol))


def _read(hall_symbol: str) -> gemmi.GroupOps:
    try:
        return gemmi.symops_from_hall(hall_symbol)
    except (ValueError, RuntimeError) as error:
        raise MlindexError(f"{hall_symbol!r} is no Hall symbol ({error})") from error


def _in_24ths(operations: Iterable[gemmi.Op]) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (m, 3, 3) and translations (m, 3), integers in 24ths."""
    listed = list(operations)
    return np.array([op.rot for op in listed]), np.array([op.tran for op in listed])
