"""Right-angled lattices with three free axes: a rectangular zone and a vote for the third axis.

Two lines of one coordinate plane give two axes, a zone of
:mod:`mlindex.indexing.search.rectangular_zones`; every line outside it votes for the third by
(q² - B k² - C l²) / h². Votes can use higher indices than solutions of three lines at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numba import njit

from mlindex.crystal.lattice import LatticeSystem, allowed_by_centring
from mlindex.crystal.walk import present
from mlindex.indexing.search.kernels import Kind, Tables, popcount
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.pool import Kept, consider
from mlindex.indexing.search.rectangular_zones import (
    RectangularZones,
    best_rectangular_zones,
    long_rows,
)
from mlindex.indexing.search.rising import rising
from mlindex.indexing.search.zones import MOST_ORDERS

#: Zones kept, primitive ones and centred ones each, by effort.
_KEPT = (1200, 2400, 5000)
#: Highest indices of the voters: h, k and l.
_HIGHEST_H, _HIGHEST = 3, 4
#: Zones with a long row, and the highest indices of their voters along the other axes.
_KEPT_LONG, _HIGHEST_BESIDE = 60, 2
#: Values of A tried for each zone, and the fewest votes that one needs.
_PEAKS = 3
_LEAST_VOTES = 2


def search(lines: Lines, system: LatticeSystem, letter: str, kind: Kind, pool: Kept) -> None:
    """Offer right-angled lattices of a centring letter to a pool."""
    for voted in range(3):
        centred, longer = _zone_of(letter, voted)
        axes = np.array([voted, *(axis for axis in range(3) if axis != voted)])
        window = float(lines.window.mean())
        for (forms, masks), highest in _zones(lines, centred):
            zones = RectangularZones(forms / np.square(longer), masks)
            _vote_all(zones, axes, highest, lines.q2, window, kind, lines.tables, pool)
        if letter in "PIF":
            break


def _zones(lines: Lines, centred: bool) -> Iterator[tuple[RectangularZones, np.ndarray]]:
    """Zones and the highest indices of their voters."""
    few = best_rectangular_zones(lines, centred, _KEPT[lines.effort])
    yield few, np.array([_HIGHEST_H, _HIGHEST, _HIGHEST])
    long = long_rows(lines, centred, _KEPT_LONG)
    if len(long.forms):
        yield long, np.array([_HIGHEST_BESIDE, MOST_ORDERS, _HIGHEST_BESIDE])
        other = RectangularZones(long.forms[:, ::-1], long.masks)
        yield other, np.array([_HIGHEST_BESIDE, _HIGHEST_BESIDE, MOST_ORDERS])


def _zone_of(letter: str, voted: int) -> tuple[bool, tuple[int, int]]:
    """Whether the zone at right angles to an axis is centred, and by what its rows are thinned."""
    hkl = np.insert(np.array(list(product(range(3), repeat=2))), voted, 0, axis=1)
    kept = hkl[allowed_by_centring(hkl, letter)]
    first, second = np.delete(kept, voted, axis=1).T
    centred = bool(np.any((first == 1) & (second == 1))) and not np.any(first + second == 1)
    if centred:
        return True, (1, 1)
    return False, (int(first[first > 0].min()), int(second[second > 0].min()))


@njit(cache=True, nogil=True)
def _vote_all(
    zones: RectangularZones,
    axes: np.ndarray,
    highest: np.ndarray,
    q2: np.ndarray,
    window: float,
    kind: Kind,
    tables: Tables,
    pool: Kept,
) -> None:
    """With every zone, offer the third axes for which most lines vote.

    The voters have indices up to ``highest``: along the third axis and along those of the zone.
    """
    n = q2.shape[0]
    size = n * highest[0] * (highest[1] + 1) * (highest[2] + 1)
    votes, bits = np.empty(size), np.empty(size, dtype=np.int64)
    x6 = np.zeros(6)
    for w in range(zones.forms.shape[0]):
        B, C = zones.forms[w, 0], zones.forms[w, 1]
        x6[axes[1]], x6[axes[2]] = B, C
        least, greatest = kind.det_low / (B * C), kind.det_high / (B * C)
        least = max(least, q2[n - 1] / MOST_ORDERS**2)
        count = _votes_of(
            B, C, axes, highest, q2, zones.masks[w], kind.centring, least, greatest, votes, bits
        )
        order = rising(votes[:count])
        _offer_peaks(x6, axes[0], votes, bits, order, window, kind, tables, pool)


@njit(cache=True, nogil=True)
def _votes_of(
    B: float,
    C: float,
    axes: np.ndarray,
    highest: np.ndarray,
    q2: np.ndarray,
    explained: int,
    centring: int,
    least: float,
    greatest: float,
    votes: np.ndarray,
    bits: np.ndarray,
) -> int:
    """Values of the third parameter from lines outside the zone, and their bits: how many."""
    count = 0
    hkl = np.zeros(3, dtype=np.int64)
    n = q2.shape[0]
    for h in range(1, highest[0] + 1):
        for k in range(highest[1] + 1):
            for l in range(highest[2] + 1):
                hkl[axes[0]], hkl[axes[1]], hkl[axes[2]] = h, k, l
                rest = B * k * k + C * l * l
                if rest >= q2[n - 1]:
                    break
                if not present(hkl[0], hkl[1], hkl[2], centring):
                    continue
                for m in range(n):
                    value = (q2[m] - rest) / (h * h)
                    if least <= value <= greatest and not explained >> m & 1:
                        votes[count] = value
                        bits[count] = np.int64(1) << m
                        count += 1
    return count


@njit(cache=True, nogil=True)
def _offer_peaks(
    x6: np.ndarray,
    axis: int,
    votes: np.ndarray,
    bits: np.ndarray,
    order: np.ndarray,
    window: float,
    kind: Kind,
    tables: Tables,
    pool: Kept,
) -> None:
    """Score the values with the most different lines within the window of one another."""
    n = order.shape[0]
    lines = np.zeros(n, dtype=np.int64)
    end = 0
    for i in range(n):
        end = max(end, i)
        while end < n and votes[order[end]] - votes[order[i]] <= window:
            end += 1
        if end - i >= _LEAST_VOTES:
            mask = np.int64(0)
            for j in range(i, end):
                mask |= bits[order[j]]
            lines[i] = popcount(mask)
    for _ in range(_PEAKS):
        best = np.argmax(lines) if n else 0
        if n == 0 or lines[best] < _LEAST_VOTES:
            return
        total, count = 0.0, 0
        for i in range(n):
            off = votes[order[i]] - votes[order[best]]
            if 0.0 <= off <= window:
                total += votes[order[i]]
                count += 1
            if abs(off) <= window:
                lines[i] = 0
        x6[axis] = total / count
        consider(x6, x6[0] * x6[1] * x6[2], kind, tables, pool)
