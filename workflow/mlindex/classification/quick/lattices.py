"""How well a lattice of one to four free parameters explains lines.

Every lattice but triclinic ones is q² = A h² + B k² + C l² + D h l with b along the unique axis, a
hexagonal lattice too (A = C = D): one kernel weighs them all, x being (A, B, C, D).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive

#: Kinds. Of numpy: for each Python integer numba would compile the kernels once more.
CUBIC, TETRAGONAL, HEXAGONAL, ORTHORHOMBIC, MONOCLINIC = np.arange(5)
#: By the kind: orders of the holohedries, by which the number of lines of a lattice is estimated,
#: and the centrings that occur, with their number.
ORDERS = np.array([48, 16, 24, 8, 4])
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
_LOG_POINTS, _COMMON = np.log(_POINTS), np.log(_MOST_COVERED)
#: Trials that have less evidence after so many lines are given up, and those that explain fewer of
#: so many: four lines that were given indices say nothing.
_POOR, _EARLY = 5.0, 5
_FEW, _LATER = 5, 8
#: Square of the pairs h, k up to a line beyond which a lattice explains everything, and is not
#: looked at: lines that are orders of magnitude apart would take minutes.
_MOST_PAIRS = 1e6
#: b*² of a zone alone, so large that only h 0 l is near any line.
FAR = 1e6


@njit(cache=True)
def volume_of(x):
    """Volume of the reciprocal cell, 0 where there is none."""
    square = x[1] * (x[0] * x[2] - 0.25 * x[3] * x[3])
    return np.sqrt(square) if square > 0 and x[0] > 0 and x[1] > 0 and x[2] > 0 else 0.0


@njit(cache=True)
def indices(x, q2, tolerance, hkl, any_will_do):
    """Indices of the nearest reflection within the tolerance, or of any, written to ``hkl``;
    whether there is one."""
    found = False
    nearest = tolerance
    slope = 0.5 * x[3] / x[2]
    plane = x[0] - x[2] * slope * slope
    if not q2 * q2 < _MOST_PAIRS * x[1] * plane:
        return False
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
def explained(x, q2, tolerance):
    """Whether any reflection is within the tolerance, sooner than :func:`indices` says it: rows of
    reflections are followed along the longest axis. The two differ where reflections of a row are
    no farther apart than the tolerance (1 in 1,400 of random lattices and lines)."""
    if not q2 * q2 < _MOST_PAIRS * x[1] * (x[0] - 0.25 * x[3] * x[3] / x[2]):
        return False
    a, b, c = x[0], x[1], x[2]
    if a < c:
        a, c = c, a
    if x[3] == 0 and b < c:
        b, c = c, b
    slope, per_row = 0.5 * x[3] / c, 1 / c
    plane = a - c * slope * slope
    k, rest = 0.0, q2
    while rest >= -tolerance:
        h, beyond = 0.0, rest
        while beyond >= -tolerance:
            middle = -slope * h
            reach = np.sqrt(max(beyond, 0.0) * per_row)
            l = np.rint(middle + reach)
            if abs(c * (l - middle) ** 2 - beyond) < tolerance and (h > 0 or k > 0 or l != 0):
                return True
            if middle != 0:
                l = np.rint(middle - reach)
                if abs(c * (l - middle) ** 2 - beyond) < tolerance:
                    return True
            h += 1
            beyond = rest - plane * h * h
        k += 1
        rest = q2 - b * k * k
    return False


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
def evidences_of(x, kind, lines, share, best, out):
    """Log-likelihood over that of lines at random, of a lattice with each centring that its system
    has, written to ``out`` (7,); the greatest of them. ``share`` is of the tolerance."""
    q2, weight, tolerance = lines
    out[:] = -np.inf
    volume = volume_of(x)
    if volume <= 0:
        return -np.inf
    hkl = np.zeros(3, dtype=np.int64)
    allowed = _CENTRINGS[kind, : _HOW_MANY[kind]]
    for centring in allowed:
        out[centring] = 0.0
    density = 4 * np.pi * share / (volume * ORDERS[kind])
    for line in range(q2.size):
        every = density * tolerance[line] * np.sqrt(q2[line])
        rare = np.log(every)
        found = indices(x, q2[line], share * tolerance[line], hkl, True)
        for centring in allowed:
            if found and _suits(hkl, centring):
                rarity = min(rare - _LOG_POINTS[centring], _COMMON)
                out[centring] += weight[line] * (_SEEN - rarity)
            else:
                covered = min(_MOST_COVERED, every / _POINTS[centring])
                out[centring] += weight[line] * (_STRAY - _log_rest(covered))
        if line == _EARLY and out.max() < min(_POOR, best):
            return -np.inf
    return out.max()


@njit(cache=True)
def leaves_many(x, lines):
    """Whether a trial leaves so many of the first lines that it need not be weighed."""
    q2, _, tolerance = lines
    if q2.size <= _LATER or volume_of(x) <= 0:
        return False
    left = 0
    # The first lines made the trial, and say least.
    for line in range(_LATER - 1, -1, -1):
        left += not explained(x, q2[line], tolerance[line])
        if left > _LATER - _FEW:
            return True
    return False


@njit(cache=True)
def _log_rest(covered):
    """log(1 - covered), to six digits where it is small."""
    return -covered * (1 + 0.5 * covered) if covered < 0.01 else np.log(1 - covered)


@njit(cache=True)
def refined(x, free, q2, tolerance):
    """Least squares on the lines that a trial explains; ``free`` (4, p) makes x of p parameters."""
    p = free.shape[1]
    normal, right, row = np.zeros((p, p)), np.zeros(p), np.empty(p)
    hkl = np.zeros(3, dtype=np.int64)
    for line in range(q2.size):
        if not indices(x, q2[line], tolerance[line], hkl, False):
            continue
        h, k, l = hkl
        terms = (float(h * h), float(k * k), float(l * l), float(h * l))
        for i in range(p):
            row[i] = 0.0
            for t in range(4):
                row[i] += terms[t] * free[t, i]
        share = 1.0 / (tolerance[line] * tolerance[line])
        for i in range(p):
            right[i] += share * row[i] * q2[line]
            for j in range(p):
                normal[i, j] += share * row[i] * row[j]
    if not solve_positive(normal, right):
        return x
    # In loops: compiled products of matrices need scipy, which a light installation doesn't have.
    better = np.zeros(4)
    for t in range(4):
        for i in range(p):
            better[t] += free[t, i] * right[i]
    # What is no lattice has no end of indices.
    return better if volume_of(better) > 0 else x


@njit(cache=True)
def zone_evidence(a, c, d, lines):
    """As :func:`evidences_of`, of a zone a h² + c l² + d h l; lines that it leaves count little."""
    q2, weight, tolerance = lines
    area = np.sqrt(a * c - 0.25 * d * d)
    density = (np.pi / 4 if d == 0 else np.pi / 2) / area
    x = np.array([a, FAR, c, d])
    total = 0.0
    for line in range(q2.size):
        covered = min(_MOST_COVERED, 2 * tolerance[line] * density)
        if explained(x, q2[line], tolerance[line]):
            total += weight[line] * (_SEEN - np.log(covered))
        else:
            total += weight[line] * _log_rest(covered)
    return total
