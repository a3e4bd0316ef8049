"""Monoclinic lattices: the net at right angles to b first, or b first.

q² = A h² + C l² + D hl + B k². Either three lines give the net of h0l (Ito 1949: two axes and
their sum or difference) and every further line votes for B, or one line is 0k0 and three others
less their share of B give the net. Screw axes and glide planes leave only part of the net to be
seen, so each is tried with its axes halved as well.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.lattice import CENTRING_CODES, LatticeSystem, bravais_of
from mlindex.search.exhaustive import SHORTEST_AXIS_A, Deadline, determinant_bounds
from mlindex.search.kernels import explain, popcount
from mlindex.search.lines import Lines
from mlindex.search.pool import Pool, offer
from mlindex.search.refit import refit
from mlindex.search.zones import reduce_form

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
_NET_AXES = 12
_VOTED = 16
#: With b first: lines that may be 0k0 and the highest k there; the lowest rests that may be axes
#: of the net, and the lowest that may be their sum; the highest k in these.
_B_LINES = 6
_B_ORDER = 4
_REST_AXES = 16
_RESTS = 45
_REST_K = 2
#: Nets tried between two looks at the clock.
_CHUNK = 200


def search(
    lines: Lines, system: LatticeSystem, pools: dict[str, Pool], deadline: Deadline | None = None
) -> bool:
    """Fill the pools of the monoclinic lattices; the contract is that of ``exhaustive.search``."""
    cases = list(_cases(lines, system, pools))
    nets = _unique(nets_of(lines.q2, min(_NET_AXES, len(lines))), float(lines.window[0]))
    complete = _first_nets(lines, system, nets, cases, deadline)
    complete = complete and _first_b(lines, system, cases, deadline)
    for pool in {id(case[-1]): case[-1] for case in cases}.values():
        refit(lines, system, pool)
    return complete


def _cases(lines: Lines, system: LatticeSystem, pools: dict[str, Pool]):
    """Halved axes (2, 2), code of the letter, least and greatest 1/V², pool of that lattice."""
    for first, second, letters in _VARIANTS:
        for bravais in bravais_of(system.name):
            for letter in letters:
                if bravais.symbol in pools and letter in bravais.walked_centrings:
                    low, high = determinant_bounds(lines, system, letter)
                    halves = np.array([first, second], dtype=float) / 2
                    yield halves, CENTRING_CODES[letter], low, high, pools[bravais.symbol]


def nets_of(q2: np.ndarray, axes: int) -> np.ndarray:
    """Reduced forms (m, 3) of nets with two of the first lines as axes and any as their sum."""
    i, j = np.triu_indices(axes)
    product = np.abs(q2[None] - (q2[i] + q2[j])[:, None])
    keep = product <= 2 * q2[i][:, None]
    pair, _ = np.nonzero(keep)
    return _reduced(q2[i][pair], q2[j][pair], product[keep])


def _reduced(A: np.ndarray, B: np.ndarray, X: np.ndarray) -> np.ndarray:
    forms = _reduce_all(np.stack([A, B, X], axis=1))
    return forms[forms[:, 0] > 0]


@njit(cache=True, nogil=True)
def _reduce_all(forms: np.ndarray) -> np.ndarray:
    out = np.empty_like(forms)
    for i in range(forms.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = reduce_form(forms[i, 0], forms[i, 1], forms[i, 2])
    return out


def _unique(nets: np.ndarray, tolerance: float) -> np.ndarray:
    """Nets, or nets with B (m, 4), that differ by more than about the tolerance, in 1/A²."""
    _, first = np.unique(np.rint(nets / tolerance), axis=0, return_index=True)
    return nets[np.sort(first)]


def _first_nets(lines, system, nets, cases, deadline) -> bool:
    for start in range(0, len(nets), _CHUNK):
        for halves, code, low, high, pool in cases:
            if deadline is not None and deadline():
                return False
            _vote(
                nets[start : start + _CHUNK],
                halves,
                lines.q2,
                lines.window,
                np.array(system.domain),
                code,
                lines.table,
                lines.scale,
                lines.q2_max,
                lines.most,
                low,
                high,
                lines.scores,
                pool.arrays(),
            )
    return True


def _first_b(lines, system, cases, deadline) -> bool:
    window = float(lines.window[0])
    for line in range(min(_B_LINES, len(lines))):
        for order in range(1, _B_ORDER + 1):
            B = lines.q2[line] / order**2
            nets = _unique(nets_beside(lines.q2, B, float(lines.window[line])), window)
            bases = np.column_stack([nets, np.full(len(nets), B)])
            for start in range(0, len(bases), 20 * _CHUNK):
                for halves, code, low, high, pool in cases:
                    if deadline is not None and deadline():
                        return False
                    _try(
                        bases[start : start + 20 * _CHUNK],
                        halves,
                        np.array(system.domain),
                        code,
                        lines.table,
                        lines.scale,
                        lines.q2_max,
                        lines.most,
                        low,
                        high,
                        lines.scores,
                        pool.arrays(),
                    )
    return True


def nets_beside(q2: np.ndarray, B: float, window: float) -> np.ndarray:
    """Reduced forms (m, 3) of nets from lines less B k², for small k."""
    rests = np.sort((q2[:, None] - B * np.arange(_REST_K + 1) ** 2).ravel())
    rests = rests[rests > 2 * window][:_RESTS]
    if not len(rests):
        return np.empty((0, 3))
    return nets_of(rests, min(_REST_AXES, len(rests)))


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
def _score(x6, domain, code, table, scale, q2_max, most, det_low, det_high, scores, pool) -> None:
    longest = 4.0 / (3.0 * SHORTEST_AXIS_A * SHORTEST_AXIS_A)
    if x6[1] <= 0.0 or max(x6[0], x6[1], x6[2]) > longest:
        return
    det = x6[1] * (x6[0] * x6[2] - x6[4] * x6[4] / 4)
    if det < det_low or det > det_high:
        return
    mask, number = explain(x6, domain, code, table, scale, q2_max, most)
    pool[4][1] += 1
    if number > most:
        return
    score = scores[popcount(mask), number]
    if score > pool[5][0]:
        offer(pool, x6, score, code, mask, number)


@njit(cache=True, nogil=True)
def _try(
    bases: np.ndarray,
    halves: np.ndarray,
    domain: np.ndarray,
    code: int,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    most: int,
    det_low: float,
    det_high: float,
    scores: np.ndarray,
    pool: tuple,
) -> None:
    """Offer every net with its B (m, 4)."""
    x6 = np.zeros(6)
    for m in range(bases.shape[0]):
        x6[0], x6[2], x6[4] = _halved(bases[m], halves)
        x6[1] = bases[m, 3]
        _score(x6, domain, code, table, scale, q2_max, most, det_low, det_high, scores, pool)


@njit(cache=True, nogil=True)
def _allowed(h: int, k: int, l: int, code: int) -> bool:
    if code == 1:
        return (k + l) % 2 == 0
    if code == 3:
        return (h + k) % 2 == 0
    if code == 4:
        return (h + k + l) % 2 == 0
    return True


@njit(cache=True, nogil=True)
def _vote(
    nets: np.ndarray,
    halves: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    domain: np.ndarray,
    code: int,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    most: int,
    det_low: float,
    det_high: float,
    scores: np.ndarray,
    pool: tuple,
) -> None:
    """For every net offer the values of B for which most lines vote, by (q² - net) / k²."""
    n = q2.shape[0]
    x6 = np.zeros(6)
    votes = np.empty(n * 30)
    for m in range(nets.shape[0]):
        A, C, D = _halved(nets[m], halves)
        area = A * C - D * D / 4
        if not area > 0.0:
            continue
        least, greatest = det_low / area, min(det_high / area, q2_max)
        count = 0
        for h in range(3):
            for l in range(0 if h == 0 else -2, 3):
                net = A * h * h + C * l * l + D * h * l
                for k in range(1, 3):
                    if not _allowed(h, k, l, code):
                        continue
                    for line in range(n):
                        B = (q2[line] - net) / (k * k)
                        if least <= B <= greatest:
                            votes[count] = B
                            count += 1
        x6[0], x6[2], x6[4] = A, C, D
        if count:
            _offer_voted(
                np.sort(votes[:count]), x6, window[n // 2], domain, code, table, scale, q2_max,
                most, det_low, det_high, scores, pool,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def _offer_voted(
    votes, x6, near, domain, code, table, scale, q2_max, most, det_low, det_high, scores, pool
) -> None:
    """Score B at the middles of the densest places of sorted votes (n,)."""
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
        x6[1] = votes[best]
        _score(x6, domain, code, table, scale, q2_max, most, det_low, det_high, scores, pool)
        i = best
        while i >= 0 and votes[best] - votes[i] <= near:
            density[i] = 0
            i -= 1
        i = best + 1
        while i < n and votes[i] - votes[best] <= near:
            density[i] = 0
            i += 1
