"""How well lattices of one to four free parameters explain the first lines, tried in milliseconds.

Every lattice but triclinic ones is q² = A h² + B k² + C l² + D h l with b along the unique axis, a
hexagonal lattice too (A = C = D): one kernel weighs them all. A few lines are given low indices,
which fixes the parameters. Those with one or two are tried exhaustively; those with three and four
begin with the best zones of two or three, as lines of a zone explain one another. This is no
search for the cell: the four best trials of each kind are refined, and no more.

No number here was tuned; what a fit is worth is left to the classifier.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive

#: Lines that are looked at, and figures of each fit.
N_LINES, N_FIGURES = 20, 10
#: Lines may be off by this share of the tolerance where the list is a good one.
_NARROW = 1 / 3
CUBIC, TETRAGONAL, HEXAGONAL, ORTHORHOMBIC, MONOCLINIC = range(5)
#: By the kind: orders of the holohedries, by which the number of lines of a lattice is estimated,
#: and the centrings that occur, with their number.
_ORDERS = np.array([48, 16, 24, 8, 4])
_CENTRINGS = np.array(
    [
        [0, 1, 2, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 6, 0, 0, 0, 0],
        [0, 1, 2, 3, 4, 5],
        [0, 1, 3, 5, 0, 0],
    ]
)
_HOW_MANY = np.array([3, 2, 2, 6, 4])
#: Lattice points of a cell with the centrings P, I, F, A, B, C and R, from 0 to 6.
_POINTS = np.array([1.0, 2.0, 4.0, 2.0, 2.0, 2.0, 3.0])
#: A line of a lattice that is right is explained so often, any other so seldom.
_SEEN, _STRAY = np.log(0.97), np.log(0.03)
_MOST_COVERED = 0.9
#: Zones that are kept, and lines that they leave which are tried as the next one.
_ZONES, _NEXT = 16, 3
#: Trials of each kind that are refined.
_KEPT = 4
#: Evidence that is so far behind is as good as none.
_NEVER = 60.0
#: Trials that have less evidence after so many lines are given up.
_POOR, _EARLY = 5.0, 5
#: b*² of a zone alone, so large that only h 0 l is near any line.
_FAR = 1e6
_CUBIC_SUMS = np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 24.0])
#: Indices (h² + l² or h² + h l + l², and k²) of low reflections of tetragonal and hexagonal cells.
_SQUARE = np.array(
    [[1, 0], [0, 1], [1, 1], [2, 0], [0, 4], [2, 1], [1, 4], [4, 0], [2, 4], [4, 1]], dtype=float
)
_TRIANGULAR = np.array(
    [
        *([1, 0], [0, 1], [1, 1], [3, 0], [0, 4], [1, 4]),
        *([4, 0], [3, 1], [0, 9], [1, 25], [3, 9], [1, 16]),
    ],
    dtype=float,
)


@njit(cache=True)
def _volume(x):
    """Volume of the reciprocal cell, 0 where there is none."""
    square = x[1] * (x[0] * x[2] - 0.25 * x[3] * x[3])
    return np.sqrt(square) if square > 0 and x[0] > 0 and x[1] > 0 and x[2] > 0 else 0.0


@njit(cache=True)
def _indices(x, q2, tolerance, hkl, any_will_do):
    """Indices of the nearest reflection within the tolerance, or of any, written to ``hkl``;
    whether there is one."""
    found = False
    nearest = tolerance
    slope = 0.5 * x[3] / x[2]
    plane = x[0] - x[2] * slope * slope
    k = 0
    while True:
        rest = q2 - x[1] * k * k
        if rest < -tolerance:
            return found
        h = 0
        while plane * h * h <= rest + tolerance:
            beyond = rest - plane * h * h
            middle = -slope * h
            reach = np.sqrt(max(beyond, 0.0) / x[2])
            for side in range(1 if middle == 0 else 2):
                l = np.rint(middle + reach if side == 0 else middle - reach)
                off = abs(x[2] * (l - middle) ** 2 - beyond)
                if off < nearest and not (h == 0 and k == 0 and l == 0):
                    nearest = off
                    found = True
                    hkl[0], hkl[1], hkl[2] = h, k, int(l)
                    if any_will_do:
                        return True
            h += 1
        k += 1


@njit(cache=True)
def _suits(hkl, centring):
    """Whether a reflection is one of a centred lattice: P, I, F, A, B, C or R, from 0 to 6."""
    h, k, l = hkl
    if centring == 0:
        return True
    if centring == 1:
        return (h + k + l) % 2 == 0
    if centring == 2:
        return (h + k) % 2 == 0 and (k + l) % 2 == 0
    if centring == 3:
        return (k + l) % 2 == 0
    if centring == 4:
        return (h + l) % 2 == 0
    if centring == 5:
        return (h + k) % 2 == 0
    # In a powder pattern obverse and reverse are one.
    plane = (h * h + h * l + l * l) % 3
    return (plane == 0 and k % 3 == 0) or (plane == 1 and k % 3 != 0)


@njit(cache=True)
def _evidences(x, kind, lines, share, best, out):
    """Log-likelihood over that of lines at random, of a lattice with each centring that its system
    has, written to ``out`` (7,); the greatest of them. ``share`` is of the tolerance."""
    q2, weight, tolerance = lines
    out[:] = -np.inf
    volume = _volume(x)
    if volume <= 0:
        return -np.inf
    hkl = np.zeros(3, dtype=np.int64)
    allowed = _CENTRINGS[kind, : _HOW_MANY[kind]]
    for centring in allowed:
        out[centring] = 0.0
    density = 4 * np.pi * share / (volume * _ORDERS[kind])
    for line in range(q2.size):
        every = density * tolerance[line] * np.sqrt(q2[line])
        found = _indices(x, q2[line], share * tolerance[line], hkl, True)
        for centring in allowed:
            covered = min(_MOST_COVERED, every / _POINTS[centring])
            if found and _suits(hkl, centring):
                out[centring] += weight[line] * (_SEEN - np.log(covered))
            else:
                out[centring] += weight[line] * (_STRAY - np.log(1 - covered))
        if line == _EARLY and out.max() < min(_POOR, best):
            return -np.inf
    return out.max()


@njit(cache=True)
def _refined(x, free, q2, tolerance):
    """Least squares on the lines that a trial explains; ``free`` (4, p) makes x of p parameters."""
    p = free.shape[1]
    normal, right = np.zeros((p, p)), np.zeros(p)
    hkl = np.zeros(3, dtype=np.int64)
    for line in range(q2.size):
        if not _indices(x, q2[line], tolerance[line], hkl, False):
            continue
        h, k, l = hkl
        row = np.array([h * h, k * k, l * l, h * l], dtype=np.float64) @ free
        share = 1.0 / (tolerance[line] * tolerance[line])
        for i in range(p):
            right[i] += share * row[i] * q2[line]
            for j in range(p):
                normal[i, j] += share * row[i] * row[j]
    if not solve_positive(normal, right):
        return x
    return free @ right


@njit(cache=True)
def _offer(pool, evidences, x, evidence):
    """Put a trial into its place among the best (m, 4), if it is one."""
    place = evidences.size
    while place > 0 and evidence > evidences[place - 1]:
        place -= 1
    if place == evidences.size:
        return
    for lower in range(evidences.size - 1, place, -1):
        evidences[lower] = evidences[lower - 1]
        pool[lower] = pool[lower - 1]
    evidences[place] = evidence
    pool[place] = x


@njit(cache=True)
def _try(pool, evidences, x, kind, lines):
    """Weigh a trial and offer it."""
    evidence = _evidences(x, kind, lines, 1.0, evidences[0], np.empty(7))
    if evidence > evidences[-1]:
        _offer(pool, evidences, x, evidence)


@njit(cache=True)
def _cubic(pool, evidences, lines):
    for line in range(min(3, lines[0].size)):
        for sums in _CUBIC_SUMS:
            edge = lines[0][line] / sums
            _try(pool, evidences, np.array([edge, edge, edge, 0.0]), CUBIC, lines)


@njit(cache=True)
def _uniaxial(pool, evidences, lines, table, slant, kind):
    """Trials x = (a, c, a, slant a): two of the first lines are given indices of ``table``."""
    q2 = lines[0]
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
                        _try(pool, evidences, np.array([a, c, a, slant * a]), kind, lines)


@njit(cache=True)
def _zone_evidence(a, c, d, lines):
    """As :func:`_evidences`, of a zone a h² + c l² + d h l; lines that it leaves count little."""
    q2, weight, tolerance = lines
    area = np.sqrt(a * c - 0.25 * d * d)
    density = (np.pi / 4 if d == 0 else np.pi / 2) / area
    x = np.array([a, _FAR, c, d])
    hkl = np.zeros(3, dtype=np.int64)
    total = 0.0
    for line in range(q2.size):
        covered = min(_MOST_COVERED, 2 * tolerance[line] * density)
        if _indices(x, q2[line], tolerance[line], hkl, True):
            total += weight[line] * (_SEEN - np.log(covered))
        else:
            total += weight[line] * np.log(1 - covered)
    return total


@njit(cache=True)
def _zones(lines, rectangular, oblique):
    """The best zones (m, 4) with right angles, and with others, from pairs and triples of lines."""
    q2 = lines[0]
    first = min(8, q2.size)
    of_rectangular, of_oblique = np.full(_ZONES, -np.inf), np.full(_ZONES, -np.inf)
    for one in range(first):
        for other in range(one + 1, first):
            for way in range(4):
                a = q2[one] / (1 if way % 2 == 0 else 4)
                c = q2[other] / (1 if way // 2 == 0 else 4)
                zone = np.array([a, 0.0, c, 0.0])
                _offer(rectangular, of_rectangular, zone, _zone_evidence(a, c, 0.0, lines))
                for third in range(first):
                    d = q2[third] - a - c
                    if third in (one, other) or abs(d) > 1.01 * min(a, c):
                        continue
                    zone = np.array([a, 0.0, c, d])
                    _offer(oblique, of_oblique, zone, _zone_evidence(a, c, d, lines))


@njit(cache=True)
def _extended(pool, evidences, zones, kind, lines):
    """Trials of zones with b at right angles: a line that a zone leaves has k of 1 or 2.

    In a centred lattice the reflections h 0 l are every other one along an axis of the zone, so
    zones with half of a or of c are tried too.
    """
    q2, _, tolerance = lines
    hkl = np.zeros(3, dtype=np.int64)
    for zone in zones:
        if zone[0] <= 0:
            continue
        flat = np.array([zone[0], _FAR, zone[2], zone[3]])
        left = 0
        for line in range(q2.size):
            if left == _NEXT:
                break
            if _indices(flat, q2[line], tolerance[line], hkl, True):
                continue
            left += 1
            for half in range(3):
                a = zone[0] / (4 if half == 1 else 1)
                c = zone[2] / (4 if half == 2 else 1)
                d = zone[3] / (1 if half == 0 else 2)
                for part in (0.0, a, c, a + c + d, a + c - d):
                    for squared in (1.0, 4.0):
                        b = (q2[line] - part) / squared
                        if b > 0.02 * q2[0] and (half == 0 or part > 0):
                            _try(pool, evidences, np.array([a, b, c, d]), kind, lines)


@njit(cache=True)
def _described(pool, kind, free, lines, out):
    """The figures of the best trial, refined, as :func:`quick_fits` lists them."""
    q2, weight, tolerance = lines
    best, chosen = -np.inf, pool[0]
    each, here = np.empty(7), np.empty(7)
    for x in pool:
        if x[1] > 0:
            for _ in range(2):
                x = _refined(x, free, q2, tolerance)
            narrow = _evidences(x, kind, lines, _NARROW, -np.inf, here)
            out[9] = narrow if np.isnan(out[9]) else max(out[9], narrow)
            evidence = _evidences(x, kind, lines, 1.0, -np.inf, here)
            if evidence > best:
                best, chosen = evidence, x
                each[:] = here
    if best == -np.inf:
        return
    hkl = np.zeros(3, dtype=np.int64)
    explained, off = 0.0, 0.0
    for line in range(q2.size):
        if _indices(chosen, q2[line], tolerance[line], hkl, False):
            h, k, l = hkl
            explained += weight[line]
            predicted = chosen[0] * h * h + chosen[1] * k * k + chosen[2] * l * l
            predicted += chosen[3] * h * l
            off += weight[line] * ((predicted - q2[line]) / tolerance[line]) ** 2
    count = 4 * np.pi / 3 * q2[-1] ** 1.5 / (_volume(chosen) * _ORDERS[kind])
    centred = max(each[3:6].max(), -_NEVER)
    out[0] = best
    out[1] = explained / weight.sum()
    out[2] = np.log(q2.size / (count + 1))
    for place, centring in enumerate((0, 1, 2, 6)):
        out[3 + place] = max(each[centring] - best, -_NEVER)
    out[7] = max(centred - best, -_NEVER)
    out[8] = 0.5 * np.log(off / max(explained, 1e-9) + 1e-4)


@njit(cache=True)
def _all_fits(q2, weight, tolerance):
    """Figures (5, N_FIGURES) of each kind of lattice by :func:`_described`; NaN where none fits."""
    lines = (q2, weight, tolerance)
    out = np.full((5, N_FIGURES), np.nan)
    free = np.zeros((5, 4, 4))
    free[0, :3, 0] = 1
    free[1, 0, 0] = free[1, 2, 0] = free[1, 1, 1] = 1
    free[2] = free[1]
    free[2, 3, 0] = 1
    for kind in (3, 4):
        for i in range(4):
            free[kind, i, i] = 1
    rectangular, oblique = np.zeros((_ZONES, 4)), np.zeros((_ZONES, 4))
    if q2.size >= 3:
        _zones(lines, rectangular, oblique)
    for kind, parameters in enumerate((1, 2, 2, 3, 4)):
        if q2.size <= parameters:
            continue
        pool, evidences = np.zeros((_KEPT, 4)), np.full(_KEPT, -np.inf)
        if kind == CUBIC:
            _cubic(pool, evidences, lines)
        elif kind == TETRAGONAL:
            _uniaxial(pool, evidences, lines, _SQUARE, 0.0, kind)
        elif kind == HEXAGONAL:
            _uniaxial(pool, evidences, lines, _TRIANGULAR, 1.0, kind)
        elif kind == ORTHORHOMBIC:
            _extended(pool, evidences, rectangular, kind, lines)
        else:
            _extended(pool, evidences, oblique, kind, lines)
        _described(pool, kind, free[kind, :, :parameters].copy(), lines, out[kind])
    return out


def quick_fits(q2: np.ndarray, weight: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Figures (5, N_FIGURES) of cubic, tetragonal, hexagonal, orthorhombic, monoclinic lattices.

    Of each: evidence of the best fit; share of the lines that it explains; logarithm of lines over
    those expected; evidence with the centrings P, I, F, R and the best face, less the first figure;
    logarithm of the misfit over the tolerance; best evidence where lines may be off by a third.

    Args:
        q2: q² of the lines (n,), rising, in 1/A²; the first :data:`N_LINES` are looked at.
        weight: how much each counts (n,).
        tolerance: how far a line may be off (n,), in 1/A².
    """
    columns = (np.ascontiguousarray(v[:N_LINES], dtype=float) for v in (q2, weight, tolerance))
    return _all_fits(*columns)
