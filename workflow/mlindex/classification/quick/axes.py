"""Axes at right angles to the others, by differences of q² that are met again and again.

Where b is at right angles to a and c, q²(h k l) = q²(h 0 l) + B k², so that lines which differ in k
alone stand B, 3 B, 4 B, ... apart, whatever h and l are. A triclinic crystal has no such difference
but by chance. Below, the origin counts as a line, for it is one: q² of 0 0 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.classification.quick.lattices import MONOCLINIC, ORTHORHOMBIC, zone_evidence
from mlindex.classification.quick.trials import SAME, attempt, halved

#: Differences that are kept, as axes that may be.
AXES = 5
#: Lines of the plane at right angles to an axis that are looked at, and its zones that are tried.
_PLANE, _PLANES = 8, 4
#: Chance differences are counted within this share of a difference on both sides. Not tuned.
_AROUND = 0.2
#: What is left of a line below this share of the first is nothing: the line is one of the axis
#: alone. Not tuned.
_ORIGIN = 0.02


@njit(cache=True)
def _spread(q2, tolerance):
    """Differences of q² (m,), rising, with how far each may be off (m,); the lines themselves are
    those from the origin."""
    n = q2.size
    apart, off = np.empty(n * (n + 1) // 2), np.empty(n * (n + 1) // 2)
    place = 0
    for one in range(n):
        apart[place], off[place] = q2[one], tolerance[one]
        place += 1
        for other in range(one):
            apart[place] = q2[one] - q2[other]
            off[place] = np.hypot(tolerance[one], tolerance[other])
            place += 1
    order = np.argsort(apart)
    return apart[order], off[order]


@njit(cache=True)
def _near(apart, value, off):
    """How many differences are within ``off`` of a value."""
    return np.searchsorted(apart, value + off) - np.searchsorted(apart, value - off)


@njit(cache=True)
def axes_of(q2, tolerance, axes):
    """Differences that are met more often than chance would have them, written to ``axes`` (m,),
    and the logarithm of how improbable their number is (m,), greatest first; 0 where there is none.

    A difference stands for three and four times itself, too, and those for it no more.
    """
    apart, off = _spread(q2, tolerance)
    surprise = np.zeros(apart.size)
    for i in range(apart.size):
        value = apart[i]
        if value < 4 * off[i]:
            continue
        count, expected = 0.0, 0.0
        for step in (1.0, 3.0, 4.0):
            within = step * off[i]
            count += _near(apart, step * value, within)
            about = _AROUND * step * value
            expected += _near(apart, step * value, about) * within / about
        count -= 1
        if count > expected > 0:
            surprise[i] = count * np.log(count / expected) - count + expected
    found = np.zeros(axes.size)
    axes[:] = 0
    for place in range(axes.size):
        best = np.argmax(surprise)
        if surprise[best] <= 0:
            break
        axes[place], found[place] = apart[best], surprise[best]
        for i in range(apart.size):
            for step in (1.0, 3.0, 4.0, 1 / 3, 0.25):
                if abs(apart[i] - step * axes[place]) < max(step, 1.0) * 2 * off[best]:
                    surprise[i] = 0
    return found


@njit(cache=True)
def _plane(q2, tolerance, axis, plane, within):
    """Lines of the plane at right angles to an axis of q² ``axis``, those whose place is shown by
    two lines at least, written to ``plane`` (m,) with their tolerances; how many."""
    values, offs = np.empty(4 * q2.size), np.empty(4 * q2.size)
    count = 0
    for line in range(q2.size):
        for k in range(4):
            rest = q2[line] - axis * k * k
            if rest < _ORIGIN * q2[0]:
                break
            values[count], offs[count] = rest, tolerance[line]
            count += 1
    order = np.argsort(values[:count])
    kept, i = 0, 0
    while i < count and kept < plane.size:
        last = i
        while last + 1 < count and values[order[last + 1]] - values[order[i]] < 2 * offs[order[i]]:
            last += 1
        if last > i:
            plane[kept] = values[order[i : last + 1]].mean()
            within[kept] = offs[order[i]]
            kept += 1
        i = last + 1
    return kept


@njit(cache=True)
def _best_zones(plane, within, best, evidences):
    """The zones (m, 4) that explain most of the lines of a plane, with their evidence (m,)."""
    lines = (plane, np.ones(plane.size), within)
    evidences[:] = -np.inf
    first = min(6, plane.size)
    for one in range(first):
        for other in range(one + 1, first):
            for way in range(4):
                a = plane[one] / (1 if way % 2 == 0 else 4)
                c = plane[other] / (1 if way // 2 == 0 else 4)
                for third in range(-1, first):
                    d = 0.0 if third < 0 else plane[third] - a - c
                    if third in (one, other) or abs(d) > 1.01 * min(a, c):
                        continue
                    evidence = zone_evidence(a, c, d, lines)
                    worst = np.argmin(evidences)
                    if evidence > evidences[worst] and np.abs(evidences - evidence).min() > SAME:
                        evidences[worst] = evidence
                        best[worst, 0], best[worst, 2], best[worst, 3] = a, c, d


@njit(cache=True)
def by_axes(pools, evidences, axes, lines, q2, tolerance):
    """Trials of orthorhombic and monoclinic lattices from each axis and the zones beside it.

    An axis may be 2 b* of a centred lattice: then its zone is of every second row as well.
    """
    plane, within = np.empty(_PLANE), np.empty(_PLANE)
    trial = np.empty(4)
    zones, of_zones = np.zeros((_PLANES, 4)), np.empty(_PLANES)
    for axis in axes:
        if axis <= 0:
            continue
        kept = _plane(q2, tolerance, axis, plane, within)
        if kept < 2:
            continue
        _best_zones(plane[:kept], within[:kept], zones, of_zones)
        for place in range(_PLANES):
            if of_zones[place] == -np.inf:
                continue
            right = zones[place, 3] == 0
            for b in (axis, axis / 4):
                for half in range(4):
                    a, c, d = halved(zones[place], half)
                    trial[0], trial[1], trial[2], trial[3] = a, b, c, d
                    attempt(pools[MONOCLINIC], evidences[MONOCLINIC], trial, MONOCLINIC, lines)
                    if right:
                        kind = ORTHORHOMBIC
                        attempt(pools[kind], evidences[kind], trial, kind, lines)
