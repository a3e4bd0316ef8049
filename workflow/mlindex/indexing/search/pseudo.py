"""Pseudo-centring: reflections that a smaller cell does not have, and that are mostly weak.

Heavy atoms often repeat by a translation that the whole structure does not have: half an axis, or
a centring. The reflections that break the repeat are then seen seldom. A lattice with such
reflections, counted like all others, looks as if it had many reflections that are not there, and
the smaller cell that leaves the few seen unexplained looks better. So they are given their own
account: of the lines, a small share lies on them.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, product

import gemmi
import numpy as np
from numba import njit

from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES
from mlindex.crystal.line_kernels import distances, forbidden
from mlindex.crystal.space_groups import whole_operations
from mlindex.crystal.tolerances import LATTICE_LINE_REL
from mlindex.indexing.search.evidence import AT_ONCE, normal_density

#: Share of the lines on reflections that break the repeat; alike probable.
WEAK_SHARES = np.array([0.05, 0.1, 0.2])
_TWENTY_FOURTHS = 24


@cache
def repeats(bravais: str, centring: str) -> tuple[np.ndarray, np.ndarray]:
    """Sets of translations that a lattice does not have and that keep its symmetry.

    Each makes a lattice of 2, 3 or 4 times as many points.

    Args:
        bravais: symbol of the Bravais lattice.
        centring: its letter, in a setting with the constraints of the one table.

    Returns:
        The first translation of each set (s + 1,) and translations (t, 3) in 24ths of the axes.
    """
    cell = gemmi.UnitCell(*BRAVAIS[bravais].system.generic_cell())
    found = gemmi.find_lattice_symmetry(cell, centring, 1e-3)
    rotations = whole_operations(found).rotations
    own = _group(_centring_translations(centring))
    sets: dict[tuple[int, ...], np.ndarray] = {}
    for added in _candidates():
        whole = _group(np.concatenate([added, _centring_translations(centring)]))
        images = np.einsum("rij,tj->rti", rotations, added).reshape(-1, 3)
        if len(whole) > len(own) and set(_keys(images)) <= set(whole):
            sets.setdefault(tuple(whole), added)
    starts = np.cumsum([0] + [len(added) for added in sets.values()])
    return starts, np.concatenate([np.zeros((0, 3), dtype=np.int64), *sets.values()])


def _candidates() -> list[np.ndarray]:
    """Generators of groups of 2, 3 and 4 translations by halves or by thirds, in 24ths."""
    halves = [np.array(t) * 12 for t in product((0, 1), repeat=3) if any(t)]
    # A third and its double are one group: the first number that is not 0 is 1.
    thirds = [np.array(t) * 8 for t in product((0, 1, 2), repeat=3) if any(t)]
    thirds = [t for t in thirds if t[np.nonzero(t)[0][0]] == 8]
    single = [np.array([t]) for t in (*halves, *thirds)]
    return single + [np.array(pair) for pair in combinations(halves, 2)]


def _centring_translations(centring: str) -> np.ndarray:
    return np.array(PRIMITIVE_HALVES[centring]) * (_TWENTY_FOURTHS // 2)


def _group(generators: np.ndarray) -> list[int]:
    """Keys of all sums of translations, rising."""
    moves = generators.tolist()
    found = new = {(0, 0, 0)}
    while new:
        sums = (((x + a), (y + b), (z + c)) for x, y, z in new for a, b, c in moves)
        new = {tuple(v % _TWENTY_FOURTHS for v in total) for total in sums} - found
        found = found | new
    return sorted(_keys(np.array(list(found))))


def _keys(translations: np.ndarray) -> list[int]:
    place = np.array([_TWENTY_FOURTHS**2, _TWENTY_FOURTHS, 1])
    return (translations % _TWENTY_FOURTHS @ place).tolist()


@njit(cache=True, nogil=True)
def pseudo_centred(
    hkl: np.ndarray,
    calculated: np.ndarray,
    q2: np.ndarray,
    sigma: np.ndarray,
    errors: np.ndarray,
    stray: np.ndarray,
    rotations: np.ndarray,
    shifts: np.ndarray,
    starts: np.ndarray,
    repeats: np.ndarray,
    weak_shares: np.ndarray,
) -> np.ndarray:
    """ln likelihood (s,) of the lines with each set of repeats, over weak shares the mean.

    Args:
        hkl: reflections (r, 3) with rising q² ``calculated`` (r,).
        q2, sigma: lines (n,) and their expected errors.
        errors: at every scale that is tried (s, n); the best one counts.
        stray: how probable it is that each line is a stray (n,).
        rotations, shifts: operations of the extinction class that they obey.
        starts, repeats: of :func:`repeats`.
        weak_shares: of the lines on reflections that break the repeat.
    """
    n_sets = len(starts) - 1
    values = np.empty(n_sets)
    end = q2[-1] + 2 * sigma[-1]
    difference, kinds = np.empty((2, len(q2))), np.empty((2, len(hkl)))
    allowed = [
        r
        for r in range(len(hkl))
        if not forbidden(hkl[r, 0], hkl[r, 1], hkl[r, 2], rotations, shifts)
    ]
    for s in range(n_sets):
        own = repeats[starts[s] : starts[s + 1]]
        count, number = np.zeros(2, dtype=np.int64), np.zeros(2)
        for r in allowed:
            weak = int(_breaks(hkl[r, 0], hkl[r, 1], hkl[r, 2], own))
            value, before = calculated[r], count[weak]
            last = kinds[weak, before - 1] if before else -1.0
            if value <= end and value - last > LATTICE_LINE_REL * value:
                number[weak] += 1
            kinds[weak, before] = value
            count[weak] += 1
        for weak in range(2):
            distances(q2, kinds[weak, : count[weak]], difference[weak])
        values[s] = _mixed(difference, np.maximum(number, 1.0), errors, stray, q2[-1], weak_shares)
    return values


@njit(cache=True, nogil=True)
def _breaks(h: int, k: int, l: int, translations: np.ndarray) -> bool:
    broken = False
    for t in translations:
        broken |= (h * t[0] + k * t[1] + l * t[2]) % _TWENTY_FOURTHS != 0
    return broken


@njit(cache=True, nogil=True)
def _mixed(
    difference: np.ndarray,
    number: np.ndarray,
    errors: np.ndarray,
    stray: np.ndarray,
    q2_last: float,
    weak_shares: np.ndarray,
) -> float:
    """ln of the mean likelihood over weak shares, each with its best scale of the errors."""
    best = np.full(len(weak_shares), -np.inf)
    for scaled in errors:
        total, product = np.zeros(len(weak_shares)), np.ones(len(weak_shares))
        for i in range(len(scaled)):
            main = normal_density(difference[0, i], scaled[i]) / number[0]
            weak = normal_density(difference[1, i], scaled[i]) / number[1]
            for f in range(len(weak_shares)):
                density = (1 - weak_shares[f]) * main + weak_shares[f] * weak
                product[f] *= (1 - stray[i]) * q2_last * density + stray[i]
            if (i + 1) % AT_ONCE == 0:
                total += np.log(product)
                product[:] = 1.0
        best = np.maximum(best, total + np.log(product))
    top = best.max()
    return top + np.log(np.mean(np.exp(best - top)))
