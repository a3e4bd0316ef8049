"""Lattices whose crowded zone holds the unique axis, and right-angled ones with high indices."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import CENTRING_CODES, SYSTEMS, allowed_by_centring, quadratic_terms
from mlindex.indexing.search import boxes, monoclinic, rectangular_zones
from mlindex.indexing.search.kernels import Kind, explain
from mlindex.indexing.search.kinds import kind_of
from mlindex.indexing.search.lines import Lines, lines_of
from mlindex.indexing.search.pool import Pool, consider, determinant
from mlindex.indexing.search.walked import walk_of

LETTERS = {code: letter for letter, code in CENTRING_CODES.items()}
GRID = np.stack(np.meshgrid(*[np.arange(-14, 15)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
SYMBOLS = {"P": "mP", "A": "mC", "C": "mC", "I": "mC"}


def observed(cell: np.ndarray, letter: str, glide=None) -> tuple[Lines, np.ndarray]:
    """The first 20 lines of a lattice, but for what a glide plane hides."""
    hkl = GRID[allowed_by_centring(GRID, letter)]
    if glide is not None:
        hkl = hkl[~glide(*hkl.T)]
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    q2 = np.unique(np.round(q2[q2 > 1e-6], 12))[:20]
    return lines_of(q2, np.full(20, 5e-5)), q2


def found(pool: Pool, cell: np.ndarray, letter: str) -> bool:
    x6, _, codes = pool.best(20)
    trials = zip(cell_from_reciprocal(x6), codes, strict=True)
    return any(same_lattice(t, LETTERS[int(c)], cell, letter, 2e-3, 0.1) for t, c in trials)


def no_glide_n(h, k, l):
    """Absent by n at right angles to b."""
    return (k == 0) & ((h + l) % 2 == 1)


@pytest.mark.parametrize("letter", "PCAI")
def test_flat_cells_are_found_from_their_zones(letter: str) -> None:
    cell = np.array([5.1, 14.3, 19.2, 90.0, 95.1, 90.0])
    lines, _ = observed(cell, letter)
    pools = {SYMBOLS[letter]: Pool()}
    assert rectangular_zones.search(lines, SYSTEMS["monoclinic"], pools)
    assert found(pools[SYMBOLS[letter]], cell, letter)


def test_hidden_net_is_no_obstacle() -> None:
    cell = np.array([7.3, 29.6, 14.3, 90.0, 96.7, 90.0])
    lines, _ = observed(cell, "P", no_glide_n)
    pools = {"mP": Pool()}
    assert rectangular_zones.search(lines, SYSTEMS["monoclinic"], pools)
    assert found(pools["mP"], cell, "P")


def test_zones_explain_their_lines() -> None:
    cell = np.array([5.1, 14.3, 19.2, 90.0, 95.1, 90.0])
    lines, q2 = observed(cell, "P")
    x6 = reciprocal_from_cell(cell)
    best = rectangular_zones.best_rectangular_zones(lines, False, 50)
    true = np.sort(x6[1:3])
    place = np.flatnonzero(np.all(np.abs(best.forms / true - 1) < 1e-3, axis=1))[0]
    k, l = np.indices((15, 15)).reshape(2, -1)
    plane = x6[1] * k**2 + x6[2] * l**2
    inside = np.any(np.abs(plane[:, None] - q2) < 1e-8, axis=0)
    mask = int(best.masks[place])
    assert [bool(mask >> line & 1) for line in range(20)] == list(inside)


@pytest.mark.parametrize("letter", "PCIF")
def test_long_axes_are_voted_for(letter: str) -> None:
    cell = np.array([9.6, 17.9, 28.1, 90.0, 90.0, 90.0])
    lines, _ = observed(cell, letter)
    system, pool = SYSTEMS["orthorhombic"], Pool()
    kind = kind_of(lines, system, letter)
    boxes.search(lines, system, letter, kind, pool.arrays())
    assert found(pool, cell, letter)


def test_more_effort_leaves_out_less() -> None:
    cell = np.array([7.1, 9.7, 13.3, 90.0, 104.0, 90.0])
    _, q2 = observed(cell, "P")
    seen = []
    for effort in range(3):
        pools = {"mP": Pool(), "mC": Pool()}
        lines = lines_of(q2, np.full(20, 5e-5), effort)
        monoclinic.search(lines, SYSTEMS["monoclinic"], pools)
        seen.append(sum(int(pool.count[1]) for pool in pools.values()))
        assert found(pools["mP"], cell, "P")
    assert seen[0] < seen[1] < seen[2]


def test_sublattices_with_as_many_reflections_are_both_kept() -> None:
    lines, q2 = observed(np.array([6.0, 7.0, 9.0, 90.0, 90.0, 90.0]), "P")
    base = reciprocal_from_cell(np.array([6.0, 7.0, 9.0, 90.0, 90.0, 90.0]))
    kind = Kind(*walk_of(SYSTEMS["orthorhombic"]).domain, 0)
    pool = Pool()
    kept = {}
    for axis in range(3):
        x6 = base.copy()
        x6[axis] /= 4
        mask, number, _ = explain(x6, kind, lines.tables)
        assert mask == (1 << len(q2)) - 1
        consider(x6, determinant(x6), kind, lines.tables, pool.arrays())
        consider(x6 * (1 + 1e-9), determinant(x6), kind, lines.tables, pool.arrays())
        kept[axis] = number
    assert pool.count[0] == 3
