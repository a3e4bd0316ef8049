"""Lattices with one to three free parameters: every few lines with every low indices.

q² = H·x is solved for x from as many lines as x has components, with all combinations of
low-index rows of H (the dichotomy of Louer & Louer 1972 searches the same space by halving it;
Taupin 1973 tries indices for lines as is done here). With so few parameters the list of trials is
short enough to be complete for the rows it has.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, permutations, product

import numpy as np
from numba import njit

from mlindex.crystal.lattice import (
    CENTRING_TRANSLATIONS,
    LatticeSystem,
    allowed_by_centring,
    bravais_of,
    quadratic_terms,
)
from mlindex.indexing.search import boxes, long_rows
from mlindex.indexing.search.kernels import Kind, Tables
from mlindex.indexing.search.kinds import SHORTEST_AXIS_A, Deadline, kind_of
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.pool import Kept, Pool, consider, determinant
from mlindex.indexing.search.refit import refit
from mlindex.indexing.search.walked import walk_of, walked_centrings

#: Indices up to this one make rows.
_HIGHEST_INDEX = 6
#: Numbers of free parameters for which rectangular zones, or rows of high orders, are searched
#: first.
_BOXES, _LONG = (3,), (2,)
#: By the number of free parameters: rows of H, first lines of which all combinations are tried,
#: and first lines of which all but one of a combination come when the last is any other.
_ROWS = {1: 40, 2: 36, 3: 30}
_FIRST = {1: (20,) * 3, 2: (12, 14, 16), 3: (6, 8, 10)}
_ZONE = {1: (0,) * 3, 2: (8, 8, 8), 3: (4, 6, 8)}
#: Trials between two looks at the clock: below a tenth of a second.
_CHUNK = 60_000


def search(
    lines: Lines, system: LatticeSystem, pools: dict[str, Pool], deadline: Deadline | None = None
) -> bool:
    """Fill the pools of the Bravais lattices of a system with up to three free parameters.

    Args:
        lines: the lines to explain.
        system: the lattice system.
        pools: where the best trials go, by Bravais symbol; lattices without a pool are left out.
        deadline: asked between chunks of work whether to stop.

    Returns:
        True if all trials were made, False if the deadline cut them off.
    """
    for bravais in bravais_of(system.name):
        if bravais.symbol not in pools:
            continue
        pool = pools[bravais.symbol]
        for letter in walked_centrings(bravais):
            kind = kind_of(lines, system, letter)
            if system.n_free in _BOXES:
                boxes.search(lines, system, letter, kind, pool.arrays())
            if system.n_free in _LONG:
                long_rows.search(lines, system, kind, pool)
            for combos, inverses in _trials(lines, system, letter):
                if not _run(lines, system, letter, combos, inverses, pool, deadline):
                    return False
        refit(lines, system, pool)
    return True


def _trials(lines: Lines, system: LatticeSystem, letter: str):
    """Pairs of line combinations (m, f) and inverses (t, f, f), see :func:`row_inverses`."""
    f, n = system.n_free, len(lines)
    first = min(_FIRST[f][lines.effort], n)
    yield _array(combinations(range(first), f), f), row_inverses(system, letter, False)
    zone = min(_ZONE[f][lines.effort], n)
    if zone:
        pairs = combinations(range(zone), f - 1)
        far = [(*pair, last) for pair in pairs for last in range(first, n)]
        yield _array(far, f), row_inverses(system, letter, True)


def _array(combos, f: int) -> np.ndarray:
    return np.array(list(combos), dtype=np.int64).reshape(-1, f)


def _run(lines, system, letter, combos, inverses, pool, deadline) -> bool:
    kind = kind_of(lines, system, letter)
    step = max(1, _CHUNK // max(1, len(inverses)))
    for start in range(0, len(combos), step):
        if deadline is not None and deadline():
            return False
        part = combos[start : start + step]
        _solve(lines.q2, part, inverses, walk_of(system).matrix, kind, lines.tables, pool.arrays())
    return True


@cache
def index_rows(system: LatticeSystem, letter: str, most: int) -> np.ndarray:
    """The lowest rows of H (n <= most, f) that the centring allows, each once."""
    hkl = np.array(list(product(range(_HIGHEST_INDEX + 1), repeat=3))[1:])
    if letter == "R":
        # Obverse or reverse: the line is the same.
        allowed = (hkl[:, 0] - hkl[:, 1] + hkl[:, 2]) % 3 == 0
        allowed |= (hkl[:, 1] - hkl[:, 0] + hkl[:, 2]) % 3 == 0
        hkl = hkl[allowed]
    else:
        hkl = hkl[allowed_by_centring(hkl, letter)]
    order = np.argsort((hkl**2).sum(axis=1) ** 0.5 + hkl.sum(axis=1), kind="stable")
    rows = quadratic_terms(hkl[order]) @ walk_of(system).matrix.T
    return np.array(list(dict.fromkeys(map(tuple, rows)))[:most])


@cache
def row_inverses(system: LatticeSystem, letter: str, zone: bool) -> np.ndarray:
    """Inverses (t, f, f) of combinations of rows of H, equivalent ones once.

    Args:
        zone: only those whose rows but the last lie in a zone, a coordinate plane, that the last
            leaves.
    """
    f = system.n_free
    rows = index_rows(system, letter, _ROWS[f])
    places = np.indices((len(rows),) * f).reshape(f, -1)
    # A number for each tuple and each order of its columns: that of equivalent ones is the same.
    digits = np.stack(
        [rows[:, order] @ 64 ** np.arange(f) for order in _column_orders(system, letter)]
    )
    code = sum(digits[:, place] * 64 ** (f * p) for p, place in enumerate(places))
    kept = places[:, code[0] == code.min(axis=0)]
    if zone:
        zero = rows == 0
        planar = np.all(zero[kept[:-1]], axis=0) & ~zero[kept[-1]]
        kept = kept[:, planar.any(axis=1)]
    tuples = rows[kept.T]
    return np.linalg.inv(tuples[np.abs(np.linalg.det(tuples)) > 0.5])


def _column_orders(system: LatticeSystem, letter: str) -> list[tuple[int, ...]]:
    """Orders of the free parameters that permuted axes of the same lattice give."""
    basis = walk_of(system).matrix
    orders = []
    for axes in permutations(range(3)):
        terms = [*axes, *(3 + axis for axis in axes)]
        moved = [tuple(row) for row in basis[:, terms]]
        own = [tuple(row) for row in basis]
        shifts = set(CENTRING_TRANSLATIONS.get(letter, ()))
        kept = shifts == {tuple(shift[axis] for axis in axes) for shift in shifts}
        if kept and sorted(moved) == sorted(own):
            orders.append(tuple(own.index(row) for row in moved))
    return list(dict.fromkeys(orders))


@njit(cache=True, nogil=True)
def _solve(
    q2: np.ndarray,
    combos: np.ndarray,
    inverses: np.ndarray,
    basis: np.ndarray,
    kind: Kind,
    tables: Tables,
    pool: Kept,
) -> None:
    """Offer x = inverse @ q2[combo] for all combinations and inverses."""
    f = combos.shape[1]
    longest = 4.0 / (3.0 * SHORTEST_AXIS_A * SHORTEST_AXIS_A)
    x6 = np.empty(6)
    for c in range(combos.shape[0]):
        for t in range(inverses.shape[0]):
            x6[:] = 0.0
            good = True
            for p in range(f):
                x = 0.0
                for s in range(f):
                    x += inverses[t, p, s] * q2[combos[c, s]]
                if x <= 0.0:
                    good = False
                    break
                for u in range(6):
                    x6[u] += x * basis[p, u]
            if good and max(x6[0], x6[1], x6[2]) <= longest:
                consider(x6, determinant(x6), kind, tables, pool)
