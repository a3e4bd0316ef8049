"""Lattices with a long axis, of whose rows only high orders are seen."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import SYSTEMS, quadratic_terms
from mlindex.indexing.search import boxes, exhaustive, monoclinic
from mlindex.indexing.search.kinds import kind_of
from mlindex.indexing.search.lines import Lines, lines_of
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.zones import long_nets

#: A polytype of CdI2 (4.3, 50.9 A) and what is seen of it.
POLYTYPE = np.array([4.288, 4.288, 50.934, 90.0, 90.0, 120.0])
POLYTYPE_HKL = [(0, 0, 7), (0, 0, 14), *((0, 1, l) for l in range(4, 20)), (1, 1, 0)]
#: SrAu, and what is seen of it.
OBLIQUE = np.array([6.204, 4.689, 40.736, 90.0, 94.239, 90.0])
OBLIQUE_HKL = [
    *((1, 0, l) for l in (1, -3, 3, 4, -6, -7, 7, -13, 13)),
    *((1, 1, l) for l in (0, -1, 1, -3, -6, -7, 7, -9, -10)),
    *((0, 0, 10), (0, 1, 10), (2, 0, 4)),
]
RIGHT_ANGLED = np.array([4.13, 5.79, 47.3, 90.0, 90.0, 90.0])
RIGHT_ANGLED_HKL = [
    *((0, 1, l) for l in (5, 6, 7, 9, 10, 11, 12, 14)),
    *((1, 0, l) for l in (4, 5, 7, 8, 11, 13)),
    *((1, 1, l) for l in (3, 8, 9, 13)),
    (0, 0, 12),
]


def seen(cell: np.ndarray, hkl: list[tuple[int, int, int]], effort: int) -> Lines:
    q2 = np.sort(quadratic_terms(np.array(hkl)) @ reciprocal_from_cell(cell))
    return lines_of(q2, np.full(len(q2), 1e-5), effort)


def first(pool: Pool, cell: np.ndarray) -> bool:
    x6, _, _ = pool.best(1)
    return len(x6) == 1 and same_lattice(cell_from_reciprocal(x6[0]), "P", cell, "P", 1e-3, 0.1)


@pytest.mark.parametrize("effort", [0, 1])
def test_polytypes_are_found_with_some_effort(effort):
    pool = Pool()
    lines = seen(POLYTYPE, POLYTYPE_HKL, effort)
    assert exhaustive.search(lines, SYSTEMS["hexagonal"], {"hP": pool})
    assert first(pool, POLYTYPE) == bool(effort)


def test_long_rows_at_right_angles_to_short_axes_are_found():
    lines, system, pool = seen(RIGHT_ANGLED, RIGHT_ANGLED_HKL, 1), SYSTEMS["orthorhombic"], Pool()
    boxes.search(lines, system, "P", kind_of(lines, system, "P"), pool.arrays())
    assert first(pool, RIGHT_ANGLED)


def test_oblique_long_rows_are_found():
    lines, pool = seen(OBLIQUE, OBLIQUE_HKL, 1), Pool()
    assert monoclinic.search(lines, SYSTEMS["monoclinic"], {"mP": pool})
    assert first(pool, OBLIQUE)


def test_the_true_net_is_among_the_best():
    x = reciprocal_from_cell(OBLIQUE)
    nets = long_nets(seen(OBLIQUE, OBLIQUE_HKL, 1), 5)
    # h0l: the long axis first, reduced by one of its own vectors.
    assert np.isclose(nets.forms, [x[2], x[0], abs(x[4])], rtol=1e-3).all(axis=1).any()
    assert not len(long_nets(seen(OBLIQUE, OBLIQUE_HKL, 0), 5).forms)
