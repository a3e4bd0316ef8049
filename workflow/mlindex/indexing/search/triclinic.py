"""Primitive lattices without any symmetry, from pairs of zones that share a row.

Two zones through one row of the reciprocal lattice leave a single parameter open, the product of
the two other vectors: every line that the zones do not explain votes for its values
(the step of Ito 1949 and de Wolff 1958 from zones to a lattice, with votes for the angle between
them). The best trials are fitted to the lines and their small super- and sublattices tried.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from mlindex.crystal.derivative import derivative_lattices
from mlindex.crystal.reduction_kernels import reduce_x6
from mlindex.indexing.search.kernels import Kind, Tables, explain, line_table, popcount
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.polish import fit
from mlindex.indexing.search.pool import Kept, Pool, determinant, key_of, offer
from mlindex.indexing.search.votes import Votes, cast, clear, open_lines, room_for, take_peak
from mlindex.indexing.search.zones import ROWS, best_zones, shared_rows

Deadline = Callable[[], bool]

#: First lines that may be axes of a zone, by effort, and zones kept.
N_AXES = (16, 18, 20)
N_ZONES = 1400
#: Pairs of zones tried, by effort, and how many between two looks at the clock. Of 280 lists, exact
#: ones and spoiled ones, three times as many find one more and two less.
MOST_PAIRS = (50_000, 100_000, 300_000)
_CHUNK = 8_000
#: Primitive volume, in units of that with one reflection for each line.
VOLUMES = (0.5, 7.0)
#: Values of the open product tried for each pair, and the fewest votes that one needs.
_PEAKS = 2
_LEAST_VOTES = 3
_BINS = 1024
#: Highest index along the shared row among the voters, by effort: the row of a long axis has many.
_ALONG = (2, 12, 12)
#: Best trials that are fitted.
_FITTED = 1500
#: Best fitted trials whose sub- and superlattices are tried.
_PARENTS = 200
#: Where the six parameters stand in the metric.
_PLACES = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
_DOMAIN = (1, 1, 0)
#: Triclinic lattices of any volume.
_ANY = Kind(*_DOMAIN, 0)


def search(lines: Lines, pool: Pool, deadline: Deadline | None = None) -> bool:
    """Fill a pool with primitive lattices; True unless the deadline cut the search off."""
    single = lines.volume_A3()
    bounds = 1 / (VOLUMES[1] * single) ** 2, 1 / (VOLUMES[0] * single) ** 2
    kind = Kind(*_DOMAIN, 0, *bounds)
    # A plane has fewer points than space: the area of a zone that would have too many lines.
    least_area = (np.pi * lines.q2_max / 2 / 45) ** 2
    forms, found, masks = best_zones(lines, N_AXES[lines.effort], least_area, N_ZONES)
    rows = shared_rows(forms, ROWS)
    pairs = matching_rows(rows, found, masks, lines)
    complete = True
    trials, votes = Pool(), room_for(_BINS)
    for first in range(0, len(pairs), _CHUNK):
        if deadline is not None and deadline():
            complete = False
            break
        part, window = pairs[first : first + _CHUNK], float(lines.window.mean())
        along = _ALONG[lines.effort]
        join(rows, masks, part, along, lines.q2, window, kind, lines.tables, votes, trials.arrays())
    polish(lines, trials, pool)
    return complete


def matching_rows(
    rows: np.ndarray, found: np.ndarray, masks: np.ndarray, lines: Lines
) -> np.ndarray:
    """Pairs of zones with a row of equal q²: (p, 4) zone and row, zone and row, best first."""
    length = rows[:, :, 0].ravel()
    order = np.argsort(length, kind="stable")
    tolerance = np.interp(length[order], lines.q2, lines.window)
    last = np.searchsorted(length[order], length[order] + tolerance, side="right")
    number = last - np.arange(len(order)) - 1
    one = np.repeat(np.arange(len(order)), number)
    two = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(number) - number, number)
    one, two = order[one], order[two]
    n_rows = rows.shape[1]
    keep = one // n_rows != two // n_rows
    one, two = one[keep], two[keep]
    score = found[one // n_rows] + found[two // n_rows]
    most = MOST_PAIRS[lines.effort]
    if len(score) > most:
        best = np.argpartition(-score, most)[:most]
        one, two, score = one[best], two[best], score[best]
    best = np.argsort(-score, kind="stable")
    one, two = one[best], two[best]
    return np.stack([one // n_rows, one % n_rows, two // n_rows, two % n_rows], axis=1)


@njit(cache=True, nogil=True)
def join(
    rows: np.ndarray,
    masks: np.ndarray,
    pairs: np.ndarray,
    along: int,
    q2: np.ndarray,
    window: float,
    kind: Kind,
    tables: Tables,
    votes: Votes,
    pool: Kept,
) -> None:
    """Vote for the open product of every pair of zones and try the values with most votes.

    Args:
        rows: from :func:`mlindex.indexing.search.zones.shared_rows`.
        masks: lines that each zone explains.
        pairs: from :func:`matching_rows`.
        along: highest index along the shared row among the voters, at least 2.
        votes: room for :data:`_BINS` bins.
    """
    base, x6 = np.empty(6), np.empty(6)
    for p in range(pairs.shape[0]):
        first = rows[pairs[p, 0], pairs[p, 1]]
        second = rows[pairs[p, 2], pairs[p, 3]]
        A = 0.5 * (first[0] + second[0])
        B, C, F, E = first[1], second[1], first[2], second[2]
        # The determinant is a parabola in the open D: its least value bounds D on both sides.
        middle = E * F / (2 * A)
        room = (A * B - F * F / 4) * (A * C - E * E / 4) - A * kind.det_low
        if room <= 0.0:
            continue
        half = 2 * np.sqrt(room) / A
        base[0], base[1], base[2], base[3], base[4], base[5] = A, B, C, middle - half, E, F
        width = max(2 * half / _BINS, window)
        bins = min(int(2 * half / width) + 1, _BINS)
        left, bits = open_lines(q2, masks[pairs[p, 0]] | masks[pairs[p, 2]])
        reach = min(max(int(np.sqrt(tables.q2_max / A)), 2), along)
        _vote(base, reach, left, bits, width, bins, votes)
        for _ in range(_PEAKS):
            place = take_peak(votes, bins, _LEAST_VOTES)
            if place < 0.0:
                break
            x6[:] = base
            x6[3] += place * width
            _try(x6, kind, tables, pool, False)


@njit(cache=True, nogil=True)
def _vote(
    x6: np.ndarray,
    reach: int,
    q2: np.ndarray,
    bits: np.ndarray,
    width: float,
    bins: int,
    votes: Votes,
) -> None:
    """Values of the open product from every line outside the zones; x6[3] is the least value."""
    A, B, C, low, E, F = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    clear(votes, bins)
    for k in range(1, 3):
        for l in range(-2, 3):
            if l == 0 or abs(k * l) > 2:
                continue
            per_bin = 1.0 / (k * l * width)
            for h in range(-reach, reach + 1):
                rest = A * h * h + B * k * k + C * l * l + E * h * l + F * h * k
                cast(votes, q2, bits, per_bin, -rest * per_bin - low / width, bins)


@njit(cache=True, nogil=True)
def _try(x6: np.ndarray, kind: Kind, tables: Tables, pool: Kept, fine: bool) -> None:
    """Reduce a trial, score it and offer it.

    Sublattices of one index often have as many reflections as one another: ``fine`` tells them
    apart by their shapes, which only fitted trials have in common when they are one lattice.
    """
    det = determinant(x6)
    if not (det > 0.0 and kind.det_low * 0.5 <= det <= kind.det_high):
        return
    if not reduce_x6(x6):
        return
    mask, number, total = explain(x6, kind, tables)
    pool.count[1] += 1
    if 0 < number <= tables.most:
        score = tables.scores[popcount(mask), number]
        if score > pool.threshold[0]:
            offer(pool, x6, score, 0, key_of(det, 0, mask, number, total if fine else 0))


def polish(lines: Lines, trials: Pool, pool: Pool) -> None:
    """Fit the best trials to the lines, then their derivative lattices, and offer all to a pool."""
    fitted = Pool()
    _fit_best(lines, trials, fitted, _FITTED)
    related = Pool()
    _try_all(derivatives(fitted.best(_PARENTS)[0]), _ANY, lines.tables, related.arrays())
    _fit_best(lines, fitted, pool, _FITTED)
    _fit_best(lines, related, pool, _FITTED)


def derivatives(x6: np.ndarray) -> np.ndarray:
    """Sub- and superlattices (m, 6) of small index of primitive lattices (n, 6).

    A zone with half of its rows missing, or with a row too many, gives one instead of the lattice.
    """
    metric = np.empty((len(x6), 3, 3))
    for place, (i, j) in enumerate(_PLACES):
        metric[:, i, j] = metric[:, j, i] = x6[:, place] * (1.0 if i == j else 0.5)
    known = derivative_lattices()
    small = np.maximum(known.up, known.down) <= 2
    small |= known.up * known.down == 3
    bases = known.bases[small]
    metrics = np.einsum("dij,njk,dlk->ndil", bases, metric, bases).reshape(-1, 3, 3)
    return np.stack([metrics[:, i, j] * (1.0 if i == j else 2.0) for i, j in _PLACES], axis=1)


def _fit_best(lines: Lines, trials: Pool, pool: Pool, most: int) -> None:
    """Offer the best trials of one pool, fitted, to another."""
    wide, _ = line_table(lines.q2, 2 * lines.window, lines.q2_max)
    chosen = trials.best(most)[0]
    _fit_all(chosen, lines.q2, lines.window, wide, _ANY, lines.tables, pool.arrays())


@njit(cache=True, nogil=True)
def _try_all(trials: np.ndarray, kind: Kind, tables: Tables, pool: Kept) -> None:
    """Score and offer trials (n, 6)."""
    for trial in range(trials.shape[0]):
        _try(trials[trial], kind, tables, pool, True)


@njit(cache=True, nogil=True)
def _fit_all(
    trials: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    wide: np.ndarray,
    kind: Kind,
    tables: Tables,
    pool: Kept,
) -> None:
    """Fit trials (n, 6) on the lines near them, first in a wide window, then in the true one."""
    hkl = np.zeros((q2.shape[0], 3), dtype=np.int64)
    far = np.empty(q2.shape[0])
    for trial in range(trials.shape[0]):
        x6 = trials[trial].copy()
        fit(x6, q2, window, wide, tables.scale, tables.q2_max, hkl, far)
        fit(x6, q2, window, tables.table, tables.scale, tables.q2_max, hkl, far)
        _try(x6, kind, tables, pool, True)
