"""Monoclinic lattices: zones that hold b* first, or the net at right angles to b.

q² = A h² + C l² + D hl + B k². Two lines give a zone 0kl
(:mod:`mlindex.indexing.search.rectangular_zones`). Or three lines give the net h0l (Ito 1949: two
axes and their sum or difference), and every further line votes for B. Screw axes and glide planes
hide part of the net, so each net is also tried with its axes halved.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.crystal.lattice import LatticeSystem, bravais_of
from mlindex.crystal.walk import present
from mlindex.indexing.search import rectangular_zones
from mlindex.indexing.search.kernels import Kind, Tables
from mlindex.indexing.search.kinds import SHORTEST_AXIS_A, Deadline, kind_of
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.pool import Kept, Pool, consider
from mlindex.indexing.search.refit import refit
from mlindex.indexing.search.rising import rising
from mlindex.indexing.search.walked import walked_centrings
from mlindex.indexing.search.zones import MOST_ORDERS, long_nets, reduced_all

#: What may be missing from the net (u, v) that was seen: the true axes as halves of u and v, and
#: the letters to try there.
_VARIANTS = (
    ((2, 0), (0, 2), "PCAI"),
    ((1, 0), (0, 2), "PC"),
    ((2, 0), (0, 1), "PA"),
    ((1, 1), (1, -1), "PI"),
    ((1, 0), (0, 1), "CAI"),
)
#: The first lines that may be axes of the net, and values of B to try for each variant of a net.
_NET_AXES = (12, 16, 20)
_VOTED = 16
#: Nets with a long row that are tried, and the highest h of the voters elsewhere.
_LONG_NETS, _HIGHEST = 80, 2
#: Odd numbers of 64 bits: sums of small multiples, which overflow, are almost never equal.
_KEYS = np.array([0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB])
#: Nets tried between two looks at the clock.
_CHUNK = 200


def search(
    lines: Lines, system: LatticeSystem, pools: dict[str, Pool], deadline: Deadline | None = None
) -> bool:
    """Fill the pools of the monoclinic lattices; the contract is that of ``exhaustive.search``."""
    cases = list(_cases(lines, system, pools))
    nets = _unique(
        nets_of(lines.q2, min(_NET_AXES[lines.effort], len(lines))), float(lines.window[0])
    )
    long = long_nets(lines, _LONG_NETS).forms
    complete = rectangular_zones.search(lines, system, pools, deadline)
    complete = complete and _first_from_110(lines, system, nets, pools, deadline)
    complete = complete and _first_nets(lines, nets, _HIGHEST, cases, deadline)
    complete = complete and _first_nets(lines, long, MOST_ORDERS, cases, deadline)
    for pool in {id(case[-1]): case[-1] for case in cases}.values():
        refit(lines, system, pool)
    return complete


def _cases(lines: Lines, system: LatticeSystem, pools: dict[str, Pool]):
    """Halved axes (2, 2), kind of trial, pool of that lattice."""
    for first, second, letters in _VARIANTS:
        for bravais in bravais_of(system.name):
            for letter in letters:
                if bravais.symbol in pools and letter in walked_centrings(bravais):
                    halves = np.array([first, second], dtype=float) / 2
                    yield halves, kind_of(lines, system, letter), pools[bravais.symbol]


def nets_of(q2: np.ndarray, axes: int) -> np.ndarray:
    """Reduced forms (m, 3) of nets with two of the first lines as axes and any as their sum."""
    i, j = np.triu_indices(axes)
    product = np.abs(q2[None] - (q2[i] + q2[j])[:, None])
    keep = product <= 2 * q2[i][:, None]
    pair, _ = np.nonzero(keep)
    return _reduced(q2[i][pair], q2[j][pair], product[keep])


def _reduced(A: np.ndarray, B: np.ndarray, X: np.ndarray) -> np.ndarray:
    forms = reduced_all(np.stack([A, B, X], axis=1))
    return forms[forms[:, 0] > 0]


def _unique(nets: np.ndarray, tolerance: float) -> np.ndarray:
    """Nets (m, 3) that differ by more than about the tolerance, 1/A²: the first of each set."""
    keys = np.rint(nets / tolerance).astype(np.int64) @ _KEYS
    _, first = np.unique(keys, return_index=True)
    return nets[np.sort(first)]


def _first_nets(lines, nets, highest, cases, deadline) -> bool:
    for start in range(0, len(nets), _CHUNK):
        part = nets[start : start + _CHUNK]
        for halves, kind, pool in cases:
            if deadline is not None and deadline():
                return False
            _vote(
                part, halves, 0, highest, lines.q2, lines.window, kind, lines.tables, pool.arrays()
            )
    return True


def _first_from_110(lines, system, nets, pools, deadline) -> bool:
    """Nets of (1, 1, 0) and (0, 0, 1): A + B takes the place of A, and the lines vote for B."""
    a, b, x = nets.T
    forms = [(b, a, x), (a, b, x), (a, a + b + x, 2 * a + x), (a, a + b - x, 2 * a - x)]
    nets_110 = np.concatenate([np.stack(form, axis=1) for form in forms])
    kinds = [
        (kind_of(lines, system, letter), pools[bravais.symbol])
        for bravais in bravais_of(system.name)
        for letter in "PC"
        if bravais.symbol in pools and letter in walked_centrings(bravais)
    ]
    for start in range(0, len(nets_110), _CHUNK):
        part = nets_110[start : start + _CHUNK]
        for kind, pool in kinds:
            if deadline is not None and deadline():
                return False
            _vote(
                part,
                np.eye(2),
                1,
                _HIGHEST,
                lines.q2,
                lines.window,
                kind,
                lines.tables,
                pool.arrays(),
            )
    return True


@njit(cache=True, nogil=True)
def _halved(net: np.ndarray, halves: np.ndarray) -> tuple[float, float, float]:
    """The form (hh, ll, hl) on axes that are ``halves`` (2, 2) of those of the net."""
    p, q, r, s = halves[0, 0], halves[0, 1], halves[1, 0], halves[1, 1]
    A, C, D = net[0], net[1], net[2]
    return (
        A * p * p + C * q * q + D * p * q,
        A * r * r + C * s * s + D * r * s,
        2 * (A * p * r + C * q * s) + D * (p * s + q * r),
    )


@njit(cache=True, nogil=True)
def _score(x6: np.ndarray, kind: Kind, tables: Tables, pool: Kept) -> None:
    longest = 4.0 / (3.0 * SHORTEST_AXIS_A * SHORTEST_AXIS_A)
    if x6[0] > 0.0 and x6[1] > 0.0 and max(x6[0], x6[1], x6[2]) <= longest:
        consider(x6, x6[1] * (x6[0] * x6[2] - x6[4] * x6[4] / 4), kind, tables, pool)


@njit(cache=True, nogil=True)
def _vote(
    nets: np.ndarray,
    halves: np.ndarray,
    axis_k: int,
    highest: int,
    q2: np.ndarray,
    window: np.ndarray,
    kind: Kind,
    tables: Tables,
    pool: Kept,
) -> None:
    """For every net offer the values of B for which most lines vote.

    The first axis of the net is (1, s, 0) with s = ``axis_k``, and a line (h, k, l) with h up to
    ``highest`` votes for B = (q² - net) / (k² - s² h²).
    """
    n = q2.shape[0]
    x6 = np.zeros(6)
    votes = np.empty(n * 20 * (highest + 1))
    for m in range(nets.shape[0]):
        A, C, D = _halved(nets[m], halves)
        area = A * C - D * D / 4
        if not area > 0.0:
            continue
        least, greatest = kind.det_low / area, min(kind.det_high / area, tables.q2_max)
        if axis_k:
            greatest = area / (C * axis_k * axis_k)
        count = 0
        for h in range(highest + 1):
            for l in range(0 if h == 0 else -2 - axis_k, 3 + axis_k):
                net = A * h * h + C * l * l + D * h * l
                for k in range(0 if axis_k else 1, 3 + axis_k):
                    scale = k * k - axis_k * axis_k * h * h
                    if scale == 0 or not present(h, k, l, kind.centring):
                        continue
                    for line in range(n):
                        B = (q2[line] - net) / scale
                        if least <= B <= greatest:
                            votes[count] = B
                            count += 1
        x6[0], x6[2], x6[4] = A, C, D
        if count:
            near = window[n // 2]
            rise = votes[rising(votes[:count])]
            _offer_voted(rise, x6, axis_k, near, kind, tables, pool)


@njit(cache=True, nogil=True)
def _offer_voted(
    votes: np.ndarray,
    x6: np.ndarray,
    axis_k: int,
    near: float,
    kind: Kind,
    tables: Tables,
    pool: Kept,
) -> None:
    """Score B at the middles of the densest places of sorted votes (n,)."""
    A = x6[0]
    n = votes.shape[0]
    density = np.empty(n, dtype=np.int64)
    low = high = 0
    for i in range(n):
        while votes[i] - votes[low] > near:
            low += 1
        while high < n and votes[high] - votes[i] <= near:
            high += 1
        density[i] = high - low
    for _ in range(_VOTED):
        best = np.argmax(density)
        if density[best] < 2:
            return
        x6[0], x6[1] = A - axis_k * axis_k * votes[best], votes[best]
        _score(x6, kind, tables, pool)
        i = best
        while i >= 0 and votes[best] - votes[i] <= near:
            density[i] = 0
            i -= 1
        i = best + 1
        while i < n and votes[i] - votes[best] <= near:
            density[i] = 0
            i += 1
