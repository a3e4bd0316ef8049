"""How each lattice is searched: the axes whose reflections are walked, and the strategy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlindex.crystal.lattice import SYSTEMS, BravaisLattice, LatticeSystem


@dataclass(frozen=True)
class WalkedSystem:
    """What searches of one lattice system walk.

    Attributes:
        basis: rows of ``LatticeSystem.basis`` for the axes that searches walk.
        domain: the part of reciprocal space that holds each line once on these axes: may k be
            negative, may l, and the order asked for (0 none, 1 h >= k, 2 h >= k >= l). h is never
            negative.
        strategy: how the search is done, see :mod:`mlindex.indexing.search.plan`.
    """

    basis: tuple[tuple[int, ...], ...]
    domain: tuple[int, int, int]
    strategy: str = "exhaustive"

    @cached_property
    def matrix(self) -> np.ndarray:
        """``basis`` as an array of shape (n_free, 6)."""
        return np.array(self.basis, dtype=float)


#: By name of the lattice system. Rhombohedral lattices are walked on hexagonal axes.
WALKED: dict[str, WalkedSystem] = {
    "cubic": WalkedSystem(SYSTEMS["cubic"].basis, (0, 0, 2)),
    "tetragonal": WalkedSystem(SYSTEMS["tetragonal"].basis, (0, 0, 1)),
    "hexagonal": WalkedSystem(SYSTEMS["hexagonal"].basis, (0, 0, 1)),
    "rhombohedral": WalkedSystem(SYSTEMS["hexagonal"].basis, (0, 1, 1)),
    "orthorhombic": WalkedSystem(SYSTEMS["orthorhombic"].basis, (0, 0, 0)),
    "monoclinic": WalkedSystem(SYSTEMS["monoclinic"].basis, (0, 1, 0), "zones and unique axis"),
    "triclinic": WalkedSystem(SYSTEMS["triclinic"].basis, (1, 1, 0), "zones"),
}


def walk_of(system: LatticeSystem) -> WalkedSystem:
    """What searches of a lattice system walk."""
    return WALKED[system.name]


def walked_centrings(lattice: BravaisLattice) -> str:
    """Centring letters to try on the axes that searches walk."""
    if lattice.other_setting is not None:
        return "R"
    # Searches try all orders of axes where the table sorts them, so one letter is enough.
    return lattice.centring if lattice.system.unique_axis is None else "".join(lattice.centrings)
