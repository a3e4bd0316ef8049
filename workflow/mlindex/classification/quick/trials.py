"""Trial lattices from a few lines that are given low indices."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.classification.quick.lattices import (
    CUBIC,
    FAR,
    evidences_of,
    explained,
    leaves_many,
    zone_evidence,
)

#: Zones that are kept, and lines that they leave which are tried as the next one.
ZONES, _NEXT = 8, 3
#: Trials whose evidence is so near are the same lattice.
SAME = 1e-6
_CUBIC_SUMS = np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 24.0])
#: Indices (h² + l² or h² + h l + l², and k²) of low reflections of tetragonal and hexagonal cells.
SQUARE = np.array(
    [[1, 0], [0, 1], [1, 1], [2, 0], [0, 4], [2, 1], [1, 4], [4, 0], [2, 4], [4, 1]], dtype=float
)
TRIANGULAR = np.array(
    [
        *([1, 0], [0, 1], [1, 1], [3, 0], [0, 4], [1, 4]),
        *([4, 0], [3, 1], [0, 9], [1, 25], [3, 9], [1, 16]),
    ],
    dtype=float,
)


@njit(cache=True)
def offer(pool, evidences, x, evidence):
    """Put a trial into its place among the best (m, 4), if it is one."""
    place = evidences.size
    while place > 0 and evidence > evidences[place - 1]:
        place -= 1
    if place == evidences.size:
        return
    for other in evidences:
        # The same lattice on other axes: equal in volume and in what it explains.
        if abs(other - evidence) < SAME:
            return
    for lower in range(evidences.size - 1, place, -1):
        evidences[lower] = evidences[lower - 1]
        copy_to(pool[lower], pool[lower - 1])
    evidences[place] = evidence
    copy_to(pool[place], x)


@njit(cache=True)
def copy_to(row, values):
    """Write values over a row; for ``row[:] = values`` numba compiles seconds of messages."""
    for i in range(row.size):
        row[i] = values[i]


@njit(cache=True)
def attempt(pool, evidences, x, kind, lines):
    """Weigh a trial and offer it."""
    if evidences[0] > -np.inf and leaves_many(x, lines):
        return
    evidence = evidences_of(x, kind, lines, 1.0, evidences[0], np.empty(7))
    if evidence > evidences[-1]:
        offer(pool, evidences, x, evidence)


@njit(cache=True)
def cubic(pool, evidences, lines):
    x = np.zeros(4)
    for line in range(min(3, lines[0].size)):
        for sums in _CUBIC_SUMS:
            edge = lines[0][line] / sums
            x[0] = x[1] = x[2] = edge
            attempt(pool, evidences, x, CUBIC, lines)


@njit(cache=True)
def uniaxial(pool, evidences, lines, table, slant, kind):
    """Trials x = (a, c, a, slant a): two of the first lines are given indices of ``table``."""
    q2 = lines[0]
    x = np.empty(4)
    first = min(5, q2.size)
    for one in range(first):
        for other in range(one + 1, first):
            for i in range(len(table)):
                for j in range(len(table)):
                    m, n = table[i], table[j]
                    determinant = m[0] * n[1] - m[1] * n[0]
                    if determinant == 0:
                        continue
                    a = (q2[one] * n[1] - q2[other] * m[1]) / determinant
                    c = (m[0] * q2[other] - n[0] * q2[one]) / determinant
                    if a > 0.1 * q2[0] and c > 0.05 * q2[0]:
                        x[0], x[1], x[2], x[3] = a, c, a, slant * a
                        attempt(pool, evidences, x, kind, lines)


@njit(cache=True)
def zones_of(lines, rectangular, oblique):
    """The best zones (m, 4) with right angles, and with others, from pairs and triples of lines."""
    q2 = lines[0]
    first = min(8, q2.size)
    zone = np.zeros(4)
    of_rectangular, of_oblique = np.full(ZONES, -np.inf), np.full(ZONES, -np.inf)
    for one in range(first):
        for other in range(one + 1, first):
            for way in range(4):
                a = q2[one] / (1 if way % 2 == 0 else 4)
                c = q2[other] / (1 if way // 2 == 0 else 4)
                zone[0], zone[2], zone[3] = a, c, 0.0
                offer(rectangular, of_rectangular, zone, zone_evidence(a, c, 0.0, lines))
                for third in range(first):
                    d = q2[third] - a - c
                    if third in (one, other) or abs(d) > 1.01 * min(a, c):
                        continue
                    zone[0], zone[2], zone[3] = a, c, d
                    offer(oblique, of_oblique, zone, zone_evidence(a, c, d, lines))


@njit(cache=True)
def halved(zone, half):
    """a*², c*² and 2 a* c* of a zone (4,), or of one with all its points and others: with half of
    a*, of c*, of their sum or, where they are at right angles, of both."""
    a, _, c, d = zone
    if half == 3 and d == 0:
        return a / 4, c / 4, 0.0
    if half == 1:
        return a / 4, c, d / 2
    if half == 2:
        return a, c / 4, d / 2
    if half == 3:
        return (a + c + d) / 4, c, d / 2 + c
    return a, c, d


@njit(cache=True)
def extended(pool, evidences, zones, kind, lines):
    """Trials of zones with b at right angles: a line that a zone leaves has k of 1 or 2.

    In a centred lattice the reflections h 0 l are every other one along an axis of the zone, so
    zones with half of a or of c are tried too.
    """
    q2, _, tolerance = lines
    x, flat = np.empty(4), np.empty(4)
    for zone in zones:
        if zone[0] <= 0:
            continue
        flat[0], flat[1], flat[2], flat[3] = zone[0], FAR, zone[2], zone[3]
        left = 0
        for line in range(q2.size):
            if left == _NEXT:
                break
            if explained(flat, q2[line], tolerance[line]):
                continue
            left += 1
            for half in range(4):
                a, c, d = halved(zone, half)
                parts = (0.0, a, c, a + c + d, a + c - d)
                # At right angles the last two are one.
                for place in range(4 if d == 0 else 5):
                    part = parts[place]
                    for squared in (1.0, 4.0):
                        b = (q2[line] - part) / squared
                        if b > 0.02 * q2[0] and (half == 0 or part > 0):
                            x[0], x[1], x[2], x[3] = a, b, c, d
                            attempt(pool, evidences, x, kind, lines)
