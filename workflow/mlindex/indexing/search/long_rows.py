"""Tetragonal, hexagonal and rhombohedral lattices with a long c, such as polytypes have.

A zone with a long row has both parameters, of whatever order the lines are that were seen.
"""

from __future__ import annotations

import numpy as np

from mlindex.crystal.lattice import LatticeSystem
from mlindex.indexing.search.kernels import Kind
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.pool import Pool, consider, determinant
from mlindex.indexing.search.rectangular_zones import long_rows
from mlindex.indexing.search.walked import walk_of

#: Rows tried for lattices of two parameters, in primitive zones and in centred ones each.
_KEPT = 100
#: Where a row may begin, in units of the shortest begin of a square or hexagonal net.
_BEGINS = (1, 2, 3, 4)


def search(lines: Lines, system: LatticeSystem, kind: Kind, pool: Pool) -> None:
    """Offer tetragonal, hexagonal or rhombohedral lattices with a long c to a pool."""
    forms = np.concatenate([long_rows(lines, centred, _KEPT).forms for centred in (False, True)])
    for B, C in forms:
        for begin in _BEGINS:
            x6 = np.array([C / begin, B]) @ walk_of(system).matrix
            consider(x6, determinant(x6), kind, lines.tables, pool.arrays())
