"""Zones: planes of the reciprocal lattice through its origin, and pairs of them that share a row.

A zone is a binary form A h² + B k² + X hk. Two lines and a third as the sum of their vectors
propose one (Ito 1949, Nature 164, 755; de Wolff 1958); the share of its predicted lines that were
observed tells true ones from chance. Two zones that share a row leave one parameter of the
lattice open, which every other line votes for.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.search.kernels import explain, popcount
from mlindex.search.pool import determinant, offer

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
_BINS = 1024
_HASH = 1 << 14


@njit(cache=True, nogil=True)
def reduce_form(A: float, B: float, X: float) -> tuple[float, float, float]:
    """Gauss-reduced form: 0 <= X <= A <= B. (0, 0, 0) where it is not positive definite."""
    for _ in range(50):
        if A > B:
            A, B = B, A
        if not A > 0.0:
            return 0.0, 0.0, 0.0
        n = np.round(X / (2 * A))
        if n == 0.0:
            return A, B, abs(X)
        B = B - n * X + n * n * A
        X = X - 2 * n * A
    return 0.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def explain_zone(
    A: float, B: float, X: float, table: np.ndarray, scale: float, q2_max: float, most: int
) -> tuple[int, int]:
    """Bit mask of the lines that a zone explains and the number of its lines up to q2_max."""
    a = A - X * X / (4 * B)
    mask, count = 0, 0
    if not (a > 0.0 and B > 0.0):
        return 0, most + 1
    for h in range(int(np.sqrt(q2_max / a)) + 1):
        rest = q2_max - a * h * h
        if rest < 0.0:
            break
        middle = -X * h / (2 * B)
        half = np.sqrt(rest / B)
        low = int(np.ceil(middle - half))
        high = int(np.floor(middle + half))
        if h == 0:
            low = 1
        for k in range(low, high + 1):
            count += 1
            mask |= table[int((A * h * h + (X * h + B * k) * k) * scale + 0.5)]
        if count > most:
            return mask, most + 1
    return mask, count


@njit(cache=True, nogil=True)
def find_zones(
    q2: np.ndarray,
    n_axes: int,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    least_area: float,
    tolerance: float,
    scores: np.ndarray,
    zones: np.ndarray,
    zone_scores: np.ndarray,
) -> tuple[int, int]:
    """Fill ``zones`` (m, 3) with the best forms and ``zone_scores`` (m,); how many, and trials.

    Args:
        q2: rising q² of the lines (n,).
        n_axes: the first lines that may be axes.
        least_area: zones with a smaller AB - X²/4 are left out: too many lines.
        tolerance: products closer than this are one.
        scores: (lines + 1, most + 2) of a zone by lines explained and lines predicted.
    """
    most = scores.shape[1] - 2
    keys = np.zeros(_HASH, dtype=np.int64)
    size = zones.shape[0]
    n, trials, bar = 0, 0, 0.0
    for i in range(n_axes):
        for j in range(i, n_axes):
            for m in range(q2.shape[0]):
                for way in range(3):
                    if way == 0:
                        x = q2[m] - q2[i] - q2[j]
                    elif way == 1:
                        x = (q2[m] - 4 * q2[i] - q2[j]) / 2
                    else:
                        x = (q2[m] - q2[i] - 4 * q2[j]) / 2
                    if abs(x) < tolerance:
                        x = 0.0
                    A, B, X = reduce_form(q2[i], q2[j], x)
                    if A * B - X * X / 4 < least_area:
                        continue
                    mask, number = explain_zone(A, B, X, table, scale, q2_max, most)
                    trials += 1
                    if number > most:
                        continue
                    score = scores[popcount(mask), number]
                    if score <= bar:
                        continue
                    area = np.int64(np.log(A * B - X * X / 4) * 100)
                    key = (mask * 1000003 + number) * 998244353 + area + 1
                    slot = key & (_HASH - 1)
                    if keys[slot] == key:
                        continue
                    keys[slot] = key
                    if n == size:
                        bar = np.median(zone_scores)
                        kept = 0
                        for u in range(n):
                            if zone_scores[u] > bar:
                                zones[kept] = zones[u]
                                zone_scores[kept] = zone_scores[u]
                                kept += 1
                        n = kept
                        if score <= bar or n == size:
                            continue
                    zones[n, 0], zones[n, 1], zones[n, 2] = A, B, X
                    zone_scores[n] = score
                    n += 1
    return n, trials


@njit(cache=True, nogil=True)
def refine_zones(
    zones: np.ndarray, q2: np.ndarray, window: np.ndarray, q2_max: float, steps: int
) -> None:
    """Least squares of every zone on the lines that it explains, in place."""
    normal = np.empty((3, 3))
    right = np.empty(3)
    row = np.empty(3)
    for z in range(zones.shape[0]):
        for _ in range(steps):
            A, B, X = zones[z]
            normal[:] = 0.0
            right[:] = 0.0
            a = A - X * X / (4 * B)
            used = 0
            for h in range(int(np.sqrt(q2_max / a)) + 1):
                for sign in range(2):
                    if sign == 1 and h == 0:
                        continue
                    k = 0 if h > 0 and sign == 0 else 1
                    while True:
                        kk = k if sign == 0 else -k
                        value = A * h * h + (X * h + B * kk) * kk
                        if value > q2_max and B * k * 2 > X * h:
                            break
                        line = np.searchsorted(q2, value)
                        best = -1
                        for near in range(line - 1, line + 1):
                            if 0 <= near < q2.shape[0]:
                                far = abs(q2[near] - value)
                                if far <= window[near] and (
                                    best < 0 or far < abs(q2[best] - value)
                                ):
                                    best = near
                        if best >= 0:
                            used += 1
                            row[0], row[1], row[2] = h * h, kk * kk, h * kk
                            w = 1.0 / (window[best] * window[best])
                            for s in range(3):
                                right[s] += w * row[s] * q2[best]
                                for t in range(3):
                                    normal[s, t] += w * row[s] * row[t]
                        k += 1
            if used < 4:
                break
            det = (
                normal[0, 0] * (normal[1, 1] * normal[2, 2] - normal[1, 2] ** 2)
                - normal[0, 1] * (normal[0, 1] * normal[2, 2] - normal[1, 2] * normal[0, 2])
                + normal[0, 2] * (normal[0, 1] * normal[1, 2] - normal[1, 1] * normal[0, 2])
            )
            if not abs(det) > 1e-9 * normal[0, 0] * normal[1, 1] * normal[2, 2]:
                break
            solved = np.linalg.solve(normal, right)
            A, B, X = reduce_form(solved[0], solved[1], solved[2])
            if not A > 0.0:
                break
            zones[z, 0], zones[z, 1], zones[z, 2] = A, B, X


@njit(cache=True, nogil=True)
def shared_rows(zones: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For every zone and row (m, r, 3): q² of the row, q² of the other vector, their product."""
    found = np.empty((zones.shape[0], rows.shape[0], 3))
    for z in range(zones.shape[0]):
        A, B, X = zones[z]
        for r in range(rows.shape[0]):
            h, k, u, v = rows[r]
            found[z, r, 0] = A * h * h + B * k * k + X * h * k
            other = A * u * u + B * v * v + X * u * v
            product = 2 * A * h * u + 2 * B * k * v + X * (h * v + k * u)
            # The completing vector may be shifted along the row: take the shortest.
            n = np.round(product / (2 * found[z, r, 0]))
            found[z, r, 1] = other - n * product + n * n * found[z, r, 0]
            found[z, r, 2] = product - 2 * n * found[z, r, 0]
    return found


@njit(cache=True, nogil=True)
def join(
    zones: np.ndarray,
    rows: np.ndarray,
    pairs: np.ndarray,
    q2: np.ndarray,
    window: np.ndarray,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    most: int,
    det_low: float,
    det_high: float,
    scores: np.ndarray,
    peaks: int,
    pool: tuple,
) -> None:
    """Vote for the open parameter of every pair of zones and try the values with most votes.

    Args:
        rows: from :func:`shared_rows`.
        pairs: (p, 4) zone and row, zone and row, of equal q².
        peaks: values to try of each pair.
    """
    n = q2.shape[0]
    votes = np.zeros(_BINS + 2, dtype=np.int64)
    domain = np.array([1, 1, 0])
    x6 = np.empty(6)
    for p in range(pairs.shape[0]):
        first = rows[pairs[p, 0], pairs[p, 1]]
        second = rows[pairs[p, 2], pairs[p, 3]]
        A = 0.5 * (first[0] + second[0])
        B, C, F, E = first[1], second[1], first[2], second[2]
        x6[0], x6[1], x6[2], x6[4], x6[5] = A, B, C, E, F
        # det = A (bc - D²/4) + ... is a parabola in D: det_low bounds D on both sides.
        middle = E * F / (2 * A)
        room = (A * B - F * F / 4) * (A * C - E * E / 4) - A * det_low
        if room <= 0.0:
            continue
        half = 2 * np.sqrt(room) / A
        low = middle - half
        width = max(2 * half / _BINS, 1e-12)
        votes[:] = 0
        for k in range(1, 3):
            for l in range(-2, 3):
                if l == 0 or (k == 2 and (l == 2 or l == -2)):
                    continue
                kl = k * l
                for h in range(-2, 3):
                    rest = A * h * h + B * k * k + C * l * l + E * h * l + F * h * k
                    # Only lines that D in its range can reach.
                    for m in range(n):
                        value = (q2[m] - rest) / kl
                        place = (value - low) / width
                        if 0.0 <= place < _BINS:
                            votes[int(place) + 1] |= np.int64(1) << m
        _try_best(
            votes,
            low,
            width,
            peaks,
            x6,
            domain,
            q2,
            table,
            scale,
            q2_max,
            most,
            det_high,
            scores,
            pool,
        )


@njit(cache=True, nogil=True)
def _try_best(
    votes, low, width, peaks, x6, domain, q2, table, scale, q2_max, most, det_high, scores, pool
):
    last_best = 1 << 30
    for _ in range(peaks):
        best, where = 0, -1
        for b in range(1, _BINS + 1):
            if votes[b] == 0:
                continue
            c = popcount(votes[b] | votes[b + 1])
            if c > best:
                best, where = c, b
        if where < 0 or best < 2:
            return
        votes[where] = 0
        votes[where + 1] = 0
        for part in range(3):
            x6[3] = low + (where - 0.5 + 0.5 * part) * width
            if determinant(x6) > det_high:
                continue
            mask, number = explain(x6, domain, 0, table, scale, q2_max, most)
            pool[4][1] += 1
            if number <= most:
                score = scores[popcount(mask), number]
                if score > pool[5][0]:
                    offer(pool, x6, score, 0, mask, number)
