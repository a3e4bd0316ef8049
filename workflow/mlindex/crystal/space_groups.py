"""Space groups: their Bravais lattices and operations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np

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


@dataclass(frozen=True)
class Operations:
    """Symmetry operations: rotations (m, 3, 3) and translations (m, 3), centring included."""

    rotations: np.ndarray
    translations: np.ndarray


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


@lru_cache(maxsize=1024)
def operations_of(hall: str) -> Operations:
    """The operations of a Hall symbol."""
    return operation_arrays(gemmi.symops_from_hall(hall))


def operation_arrays(operations: gemmi.GroupOps) -> Operations:
    """Operations of gemmi as arrays."""
    listed = list(operations)
    rotations = np.array([op.rot for op in listed], dtype=float) / gemmi.Op.DEN
    translations = np.array([op.tran for op in listed], dtype=float) / gemmi.Op.DEN
    return Operations(rotations, translations)
