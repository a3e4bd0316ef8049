"""Monoclinic lattices from zones that hold b*, which are rectangular whatever the angle beta.

Few lines of the net h0l are seen where a zone 0kl has many lines, as in flat cells. Such a zone is
rectangular or centred rectangular and has two parameters, B and C. A line (1, k, 0) then gives A,
and every other line votes for D in q² = A h² + B k² + C l² + D hl. With the shortest A, D would lie
in 0..C, but glide planes may hide its lines; with the next A, D lies in 0..2C.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.crystal.lattice import LatticeSystem, bravais_of
from mlindex.crystal.walk import present
from mlindex.indexing.search.kernels import Kind, Tables, popcount
from mlindex.indexing.search.kinds import SHORTEST_AXIS_A, Deadline, kind_of
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.pool import Kept, Pool, consider
from mlindex.indexing.search.votes import Votes, cast, clear, open_lines, room_for, take_peak
from mlindex.indexing.search.walked import walked_centrings
from mlindex.indexing.search.zones import FEWEST_ORDERS, MOST_ORDERS, MOST_ZONE_LINES, zone_scores

#: First lines of which two give a zone, and highest indices that they may have in it.
_AXES = (14, 18, 20)
_HIGHEST = 4
#: Neighbours in a long row are so many orders apart at most.
_FARTHEST = 3
#: Zones kept, primitive ones and centred ones each, by effort; and those with a long row.
_KEPT = (480, 960, 1440)
_KEPT_LONG = 60
#: Centring letters that a zone may belong to, and its b* in units of the lattice's: C leaves even
#: k only.
_LETTERS = {False: (("P", 1.0), ("C", 2.0)), True: (("A", 1.0), ("I", 1.0))}
#: First lines that may be (1, k, 0), highest k there and among the voters.
_A_LINES = (16, 20, 20)
_HIGHEST_K = 3
#: Values of D tried, and the fewest votes that one needs.
_PEAKS = 2
_LEAST_VOTES = 3
_BINS = 512
#: Zones tried between two looks at the clock.
_CHUNK = 20


def search(
    lines: Lines, system: LatticeSystem, pools: dict[str, Pool], deadline: Deadline | None = None
) -> bool:
    """Offer trials to the pools of the monoclinic lattices; False if the deadline came first."""
    votes = room_for(_BINS)
    for centred, letters in _LETTERS.items():
        zones = with_either_axis(best_rectangular_zones(lines, centred, _KEPT[lines.effort]))
        long = long_rows(lines, centred, _KEPT_LONG)
        cases = [
            (kind_of(lines, system, letter), pools[bravais.symbol], longer)
            for letter, longer in letters
            for bravais in bravais_of(system.name)
            if bravais.symbol in pools and letter in walked_centrings(bravais)
        ]
        for part, highest_k in ((zones, _HIGHEST_K), (long, MOST_ORDERS)):
            if not _search(lines, part, highest_k, cases, votes, deadline):
                return False
    return True


def _search(
    lines: Lines,
    zones: RectangularZones,
    highest_k: int,
    cases: list[tuple[Kind, Pool, float]],
    votes: Votes,
    deadline: Deadline | None,
) -> bool:
    """Offer trials with zones, for kinds of trials with their pools and the lengths of b*."""
    for start, (kind, pool, longer) in product(range(0, len(zones.forms), _CHUNK), cases):
        if deadline is not None and deadline():
            return False
        forms = zones.forms[start : start + _CHUNK] / [longer**2, 1]
        part = RectangularZones(forms, zones.masks[start:])
        n_a, window = _A_LINES[lines.effort], float(lines.window.mean())
        _join(part, highest_k, lines.q2, n_a, window, kind, lines.tables, votes, pool.arrays())
    return True


class RectangularZones(NamedTuple):
    """B and C (m, 2) of zones and bit masks of the lines that they explain (m,)."""

    forms: np.ndarray
    masks: np.ndarray


def with_either_axis(zones: RectangularZones) -> RectangularZones:
    """The zones, and the same zones with their axes exchanged."""
    both = np.stack([zones.forms, zones.forms[:, ::-1]], axis=1).reshape(-1, 2)
    return RectangularZones(both, np.repeat(zones.masks, 2))


def best_rectangular_zones(lines: Lines, centred: bool, most: int) -> RectangularZones:
    """The best zones, B <= C, at most so many, best first."""
    return weighed(_zones_of(lines.q2[: _AXES[lines.effort]], centred), lines, centred, most)


def weighed(forms: np.ndarray, lines: Lines, centred: bool, most: int) -> RectangularZones:
    """The best of zones (m, 2), at most so many, best first, each once."""
    tables = lines.tables._replace(most=MOST_ZONE_LINES, scores=zone_scores(lines))
    found, masks = _weigh(forms, centred, tables)
    order = np.argsort(-found, kind="stable")
    order = order[np.isfinite(found[order])]
    # Zones with the same lines and about the same area are one.
    sizes = np.rint(np.log(forms[order].prod(axis=1)) * 50).astype(np.int64)
    keys = masks[order] * 1000003 + sizes
    _, first = np.unique(keys, return_index=True)
    order = order[np.sort(first)[:most]]
    return RectangularZones(forms[order], masks[order])


def _zones_of(q2: np.ndarray, centred: bool) -> np.ndarray:
    """All zones (m, 2), B <= C, in which two of the lines have low indices."""
    rows = [
        (k * k, l * l)
        for k, l in product(range(_HIGHEST + 1), repeat=2)
        if k + l > 0 and (not centred or (k + l) % 2 == 0)
    ]
    pairs = np.array([p for p in product(rows, rows) if p[0][0] * p[1][1] > p[0][1] * p[1][0]])
    lines = np.array([*combinations(q2, 2), *(c[::-1] for c in combinations(q2, 2))])
    forms = np.einsum("tij,mj->mti", np.linalg.inv(pairs), lines).reshape(-1, 2)
    # The difference of two nearly equal lines gives no axis.
    forms = np.sort(forms[np.all(forms > q2[-1] / MOST_ORDERS**2, axis=1)], axis=1)
    return forms[forms[:, 1] <= 4 / (3 * SHORTEST_AXIS_A**2)]


@njit(cache=True, nogil=True)
def _weigh(forms: np.ndarray, centred: bool, tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Scores, -inf for zones with too many lines, and masks of zones (m, 2)."""
    found, masks = np.full(forms.shape[0], -np.inf), np.zeros(forms.shape[0], dtype=np.int64)
    for w in range(forms.shape[0]):
        B, C = forms[w, 0], forms[w, 1]
        mask, number = 0, 0
        for l in range(int(np.sqrt(tables.q2_max / C)) + 1):
            k = l & 1 if centred else 0
            if l == 0 and k == 0:
                k = 2 if centred else 1
            last = int(np.sqrt(max(tables.q2_max - C * l * l, 0.0) / B))
            for k_ in range(k, last + 1, 2 if centred else 1):
                number += 1
                mask |= tables.table[int((B * k_ * k_ + C * l * l) * tables.scale + 0.5)]
            if number > tables.most:
                break
        if number <= tables.most:
            found[w] = tables.scores[popcount(mask), number]
            masks[w] = mask
    return found, masks


@njit(cache=True, nogil=True)
def _join(
    zones: RectangularZones,
    highest_k: int,
    q2: np.ndarray,
    n_a: int,
    window: float,
    kind: Kind,
    tables: Tables,
    votes: Votes,
    pool: Kept,
) -> None:
    """With every zone and every line as (1, k, 0), offer the D for which most lines vote."""
    longest = 4.0 / (3.0 * SHORTEST_AXIS_A * SHORTEST_AXIS_A)
    x6 = np.zeros(6)
    for w in range(zones.forms.shape[0]):
        B, C = zones.forms[w, 0], zones.forms[w, 1]
        left, bits = open_lines(q2, zones.masks[w])
        x6[1], x6[2] = B, C
        width = max(2 * C / _BINS, window)
        bins = min(int(2 * C / width) + 1, _BINS)
        for line in range(min(q2.shape[0], n_a)):
            for k in range(highest_k + 1):
                A = q2[line] - B * k * k
                if A <= C / 4:
                    break
                if not present(1, k, 0, kind.centring) or longest < A:
                    continue
                if kind.det_low > B * A * C or kind.det_high < B * C * (A - C / 4):
                    continue
                x6[0] = A
                _vote(x6, highest_k, left, bits, kind.centring, width, bins, votes)
                for _ in range(_PEAKS):
                    place = take_peak(votes, bins, _LEAST_VOTES)
                    if place < 0.0:
                        break
                    x6[4] = place * width
                    det = x6[1] * (x6[0] * x6[2] - x6[4] * x6[4] / 4)
                    consider(x6, det, kind, tables, pool)


@njit(cache=True, nogil=True)
def _vote(
    x6: np.ndarray,
    highest_k: int,
    q2: np.ndarray,
    bits: np.ndarray,
    centring: int,
    width: float,
    bins: int,
    votes: Votes,
) -> None:
    """Values of D in 0..2C, in bins, from every line as (h, k, l) with low h and l."""
    A, B, C = x6[0], x6[1], x6[2]
    clear(votes, bins)
    for h in range(1, 3):
        for l in range(-4, 4):
            if l == 0 or (h == 2 and l & 1 == 0):
                continue
            per_bin = 1.0 / (h * l * width)
            for k in range(highest_k + 1):
                if not present(h, k, l, centring):
                    continue
                start = -(A * h * h + B * k * k + C * l * l) * per_bin
                cast(votes, q2, bits, per_bin, start, bins)


def long_rows(lines: Lines, centred: bool, most: int) -> RectangularZones:
    """The best zones with a long row, B < C, at most so many; none for searches of no effort.

    Of a polytype with an axis of 50 A the lines (0, 1, l) follow one another closely, and those
    that are seen may all be of high orders: (0, 1, 4) to (0, 1, 20). Two neighbours in such a row
    are B (m² - l²) apart and tell where it begins: q² = C + B l².
    """
    if not lines.effort:
        return RectangularZones(np.empty((0, 2)), np.empty(0, dtype=np.int64))
    q2 = lines.q2
    low, high = np.triu_indices(len(q2), 1)
    order, step = (v.ravel() for v in np.mgrid[:MOST_ORDERS, 1 : _FARTHEST + 1])
    B = (q2[high] - q2[low])[:, None] / ((order + step) ** 2 - order**2)
    C = q2[low][:, None] - B * order**2
    long = (q2[-1] / MOST_ORDERS**2 < B) & (q2[-1] / FEWEST_ORDERS**2 > B) & (B < C)
    return weighed(np.stack([B[long], C[long]], axis=1), lines, centred, most)
