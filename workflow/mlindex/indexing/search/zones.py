"""Zones: planes of the reciprocal lattice through its origin, found one at a time.

A zone is a binary form A h² + B k² + X hk. Two lines and a third as the sum of their vectors
propose one (Ito 1949, Nature 164, 755; de Wolff 1958, Acta Cryst. 11, 664); the share of its
predicted lines that were observed tells true ones from chance.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive
from mlindex.crystal.reduction_kernels import reduce_form
from mlindex.indexing.search.kernels import Tables, popcount
from mlindex.indexing.search.lines import Lines

#: Rows (h, k) of a reduced zone that another may share, each with a vector that completes a basis.
ROWS = np.array(
    [
        (1, 0, 0, 1),
        (0, 1, 1, 0),
        (1, 1, 0, 1),
        (1, -1, 0, 1),
        (1, 2, 0, 1),
        (1, -2, 0, 1),
        (2, 1, 1, 1),
        (2, -1, 1, -1),
    ]
)
#: Zones with more lines up to the last one observed are too dense to tell anything.
MOST_ZONE_LINES = 60
#: Share of the predicted lines of a true zone that are observed.
_SEEN = 0.5
_HASH = 1 << 15
#: A row with orders between these is long; neighbours in it are so many orders apart at most.
FEWEST_ORDERS, MOST_ORDERS, _FARTHEST = 6, 25, 3
#: Zones with a long row that are added to the others.
_KEPT_LONG = 100


class Zones(NamedTuple):
    """Room for zones: forms (m, 3), scores (m,), bit masks of the lines explained (m,)."""

    forms: np.ndarray
    found: np.ndarray
    masks: np.ndarray


def zone_scores(lines: Lines) -> np.ndarray:
    """Log-likelihood ratio (n + 1, MOST_ZONE_LINES + 1) by lines explained and lines predicted."""
    n = len(lines)
    chance = min(2 * lines.window.sum() / lines.q2_max, 0.8 * _SEEN)
    explained = np.arange(n + 1)[:, None]
    missed = np.maximum(np.arange(MOST_ZONE_LINES + 1)[None] - explained, 0)
    return explained * np.log(_SEEN / chance) + missed * np.log((1 - _SEEN) / (1 - chance))


def best_zones(lines: Lines, n_axes: int, least_area: float, size: int) -> tuple:
    """The best zones of a pattern: forms (m, 3), scores (m,), masks of their lines (m,).

    Args:
        lines: the pattern.
        n_axes: the first lines that may be axes.
        least_area: zones with a smaller AB - X²/4, 1/A⁴, are left out.
        size: the number kept at most.
    """
    forms, found, masks = np.empty((2 * size, 3)), np.empty(2 * size), np.empty(2 * size, np.int64)
    tables = lines.tables._replace(most=MOST_ZONE_LINES, scores=zone_scores(lines))
    n = find_zones(
        lines.q2, min(n_axes, len(lines)), tables, least_area, Zones(forms, found, masks)
    )
    order = np.argsort(-found[:n], kind="stable")[:size]
    long = long_nets(lines, _KEPT_LONG)
    forms = np.concatenate([forms[order], long.forms])
    refine_zones(forms, lines.q2, lines.window, tables)
    return forms, np.append(found[order], long.found), np.append(masks[order], long.masks)


def long_nets(lines: Lines, most: int) -> Zones:
    """The best zones with a long row, at most so many, best first; none for searches of no effort.

    Of a crystal with an axis of 50 A the lines (1, 0, l) follow one another closely, and those that
    are seen may all be of high orders. Any three lines are taken for neighbours in such a row.
    """
    if not lines.effort:
        return Zones(np.empty((0, 3)), np.empty(0), np.empty(0, dtype=np.int64))
    nets = reduced_all(_rows_of_three(lines.q2))
    tables = lines.tables._replace(most=MOST_ZONE_LINES, scores=zone_scores(lines))
    found, masks, keys = _weigh_all(nets, tables)
    _, first = np.unique(keys, return_index=True)
    order = first[np.argsort(-found[first], kind="stable")[:most]]
    order = order[np.isfinite(found[order])]
    return Zones(nets[order], found[order], masks[order])


def _rows_of_three(q2: np.ndarray) -> np.ndarray:
    """Forms A h² + B k² + X hk (m, 3) whose row (h, 1) has three of the lines as neighbours."""
    first, second, third = np.array(list(combinations(range(len(q2)), 3))).T
    steps = [(s, s + t) for s, t in product(range(1, _FARTHEST + 1), repeat=2)]
    s, t = np.array(steps).T
    one = (q2[second] - q2[first])[:, None] / s
    A = ((q2[third] - q2[first])[:, None] / t - one) / (t - s)
    X, B = one - A * s, np.broadcast_to(q2[first][:, None], A.shape)
    long = (q2[-1] > A * FEWEST_ORDERS**2) & (q2[-1] < A * MOST_ORDERS**2)
    # The row is farther from the origin than its reflections are from one another.
    long &= 4 * A * B - X * X > 4 * A * A
    return np.stack([A[long], B[long], X[long]], axis=1)


@njit(cache=True, nogil=True)
def reduced_all(forms: np.ndarray) -> np.ndarray:
    """Reduced forms (m, 3); zeros where one isn't positive definite."""
    out = np.empty_like(forms)
    for i in range(forms.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = reduce_form(forms[i, 0], forms[i, 1], forms[i, 2])
    return out


@njit(cache=True, nogil=True)
def _weigh_all(forms: np.ndarray, tables: Tables) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, masks and numbers that tell them apart (m,) of reduced zones (m, 3)."""
    n = forms.shape[0]
    found, masks, keys = np.empty(n), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for z in range(n):
        masks[z], found[z], keys[z] = _weigh(forms[z, 0], forms[z, 1], forms[z, 2], tables)
    return found, masks, keys


@njit(cache=True, nogil=True, inline="always")
def _last_row(A: float, B: float, X: float, q2_max: float) -> int:
    """The greatest k of a positive definite form."""
    return int(np.sqrt(q2_max / (B - X * X / (4 * A))))


@njit(cache=True, nogil=True, inline="always")
def _row_range(A: float, B: float, X: float, k: int, q2_max: float) -> tuple[int, int]:
    """The least and the greatest h of that row, one of each pair of opposites."""
    middle = -X * k / (2 * A)
    rest = q2_max - (B - X * X / (4 * A)) * k * k
    half = np.sqrt(max(rest, 0.0) / A)
    low, high = int(np.ceil(middle - half)), int(np.floor(middle + half))
    return low if k > 0 else 1, high


@njit(cache=True, nogil=True)
def explain_zone(A: float, B: float, X: float, tables: Tables) -> tuple[int, int]:
    """Bit mask of the lines that a zone explains and the number of its lines up to q2_max.

    The walk is shortest with A <= B. More than ``most`` lines end it: the number is most + 1.
    """
    mask, count = 0, 0
    if not (A > 0.0 and B - X * X / (4 * A) > 0.0):
        return mask, tables.most + 1
    for k in range(_last_row(A, B, X, tables.q2_max) + 1):
        low, high = _row_range(A, B, X, k, tables.q2_max)
        for h in range(low, high + 1):
            count += 1
            mask |= tables.table[int((B * k * k + (X * k + A * h) * h) * tables.scale + 0.5)]
        if count > tables.most:
            return mask, tables.most + 1
    return mask, count


@njit(cache=True, nogil=True)
def _product(q2: np.ndarray, i: int, j: int, m: int, way: int) -> float:
    """2 a*·b* of axes i and j when line m is a + b, 2a + b or a + 2b."""
    if way == 0:
        return q2[m] - q2[i] - q2[j]
    if way == 1:
        return (q2[m] - 4 * q2[i] - q2[j]) / 2
    return (q2[m] - q2[i] - 4 * q2[j]) / 2


@njit(cache=True, nogil=True)
def _forget_half(zones: Zones) -> tuple[int, float]:
    """Keep the zones above the median: how many, and the median."""
    forms, found, masks = zones
    threshold = np.median(found)
    kept = 0
    for u in range(found.shape[0]):
        if found[u] > threshold:
            forms[kept] = forms[u]
            found[kept] = found[u]
            masks[kept] = masks[u]
            kept += 1
    return kept, threshold


@njit(cache=True, nogil=True)
def find_zones(q2: np.ndarray, n_axes: int, tables: Tables, least_area: float, zones: Zones) -> int:
    """Fill ``zones``, with the best where there are too many: how many.

    The rest as in :func:`best_zones`, with the scores of zones in the tables.
    """
    keys = np.zeros(_HASH, dtype=np.int64)
    n, threshold = 0, -np.inf
    for i in range(n_axes):
        for j in range(i, n_axes):
            for m in range(-1, q2.shape[0]):
                for way in range(1 if m < 0 else 3):
                    x = 0.0 if m < 0 else _product(q2, i, j, m, way)
                    A, B, X = reduce_form(q2[i], q2[j], x)
                    area = A * B - X * X / 4
                    if not area >= least_area:
                        continue
                    mask, score, key = _weigh(A, B, X, tables)
                    slot = (key ^ (key >> 20)) & (_HASH - 1)
                    if score <= threshold or keys[slot] == key:
                        continue
                    keys[slot] = key
                    if n == zones.found.shape[0]:
                        n, threshold = _forget_half(zones)
                        if score <= threshold or n == zones.found.shape[0]:
                            continue
                    zones.forms[n, 0], zones.forms[n, 1], zones.forms[n, 2] = A, B, X
                    zones.found[n] = score
                    zones.masks[n] = mask
                    n += 1
    return n


@njit(cache=True, nogil=True)
def _weigh(A: float, B: float, X: float, tables: Tables) -> tuple[int, float, int]:
    """Lines that a reduced zone explains, its score and a number that tells zones apart."""
    mask, number = explain_zone(A, B, X, tables)
    if number > tables.most:
        return mask, -np.inf, 0
    fold = np.int64(np.log(A * B - X * X / 4) * 50)
    key = (mask * 1000003 + number) * 998244353 + fold * 7919 + 1
    return mask, tables.scores[popcount(mask), number], key


@njit(cache=True, nogil=True)
def refine_zones(
    forms: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    tables: Tables,
) -> None:
    """One least-squares step of every zone on the lines that it explains, in place.

    A small pull towards the form as it was keeps what the lines leave open.
    """
    normal, right = np.empty((3, 3)), np.empty(3)
    for z in range(forms.shape[0]):
        normal[:] = 0.0
        right[:] = 0.0
        for t in range(3):
            normal[t, t] = 1e-2
        _add_normal(forms[z], q2, window, tables, normal, right)
        if solve_positive(normal, right):
            A, B, X = reduce_form(
                forms[z, 0] + right[0], forms[z, 1] + right[1], forms[z, 2] + right[2]
            )
            if A > 0.0:
                forms[z, 0], forms[z, 1], forms[z, 2] = A, B, X


@njit(cache=True, nogil=True)
def _add_normal(
    form: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    tables: Tables,
    normal: np.ndarray,
    right: np.ndarray,
) -> None:
    """Add the normal equations of a zone (3,) and the lines that it explains."""
    A, B, X = form[0], form[1], form[2]
    row = np.empty(3)
    for k in range(_last_row(A, B, X, tables.q2_max) + 1):
        low, high = _row_range(A, B, X, k, tables.q2_max)
        for h in range(low, high + 1):
            value = B * k * k + (X * k + A * h) * h
            mask = tables.table[int(value * tables.scale + 0.5)]
            line = 0
            while mask:
                if mask & 1:
                    row[0], row[1], row[2] = h * h, k * k, h * k
                    w = (window.min() / window[line]) ** 2
                    for s in range(3):
                        right[s] += w * row[s] * (q2[line] - value)
                        for t in range(3):
                            normal[s, t] += w * row[s] * row[t]
                mask >>= 1
                line += 1


@njit(cache=True, nogil=True)
def shared_rows(forms: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For every zone and row (m, r, 3): q² of the row, q² of the other vector, their product >= 0.

    The vector that completes the basis is the shortest, and its sign makes the product positive.
    """
    found = np.empty((forms.shape[0], rows.shape[0], 3))
    for z in range(forms.shape[0]):
        A, B, X = forms[z, 0], forms[z, 1], forms[z, 2]
        for r in range(rows.shape[0]):
            h, k, u, v = rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3]
            length = A * h * h + B * k * k + X * h * k
            other = A * u * u + B * v * v + X * u * v
            product = 2 * A * h * u + 2 * B * k * v + X * (h * v + k * u)
            n = np.round(product / (2 * length))
            found[z, r, 0] = length
            found[z, r, 1] = other - n * product + n * n * length
            found[z, r, 2] = abs(product - 2 * n * length)
    return found
