"""The reflections of a crystal: which exist, which are equivalent, which fall on one line.

gemmi lists reflections only for the settings of its table. The entries come in any setting, so
that the enumeration here works from the symmetry operations alone; the operations themselves
and the systematic absences are gemmi's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from mlindex.crystal.space_groups import Symmetry
from mlindex.crystal.tolerances import PATTERN_LINE_REL

_GROWTH_MIN, _GROWTH_MAX = 1.2, 8.0


@dataclass(frozen=True)
class Reflections:
    """Reflections that are not absent, one of each class of equivalents, by rising q².

    Reflections of equal q² share a line of the powder pattern: line i has those from
    ``line_starts[i]`` to the next line's start, and ``line_hkl[i]`` stands for them.
    """

    hkl: np.ndarray
    q2_inv_A2: np.ndarray
    multiplicity: np.ndarray
    line_starts: np.ndarray
    line_hkl: np.ndarray

    @property
    def n_lines(self) -> int:
        """Number of lines."""
        return len(self.line_starts)


def find_reflections(x_inv_A2: np.ndarray, symmetry: Symmetry, q2_max_inv_A2: float) -> Reflections:
    """Every reflection up to ``q2_max_inv_A2`` that symmetry does not extinguish.

    Args:
        x_inv_A2: the six reciprocal parameters, in 1/A².
        symmetry: the operations of the setting that the parameters are in.
        q2_max_inv_A2: greatest 1/d², in 1/A².

    Returns:
        Of equivalent reflections the one whose indices come last in alphabetical order, and
        likewise for a line; the multiplicity counts hkl and -h-k-l.
    """
    hkl, q2, multiplicity = _enumerate(x_inv_A2, symmetry.laue_rotations, q2_max_inv_A2)
    present = np.flatnonzero(~symmetry.absent(hkl))
    order = present[np.argsort(q2[present], kind="stable")]
    q2 = q2[order]
    starts = _line_starts(q2)
    # Rows come in alphabetical order of hkl, so that a line's greatest row is its last one.
    last = np.maximum.reduceat(order, starts) if len(starts) else order
    return Reflections(hkl[order], q2, multiplicity[order], starts, hkl[last])


def find_at_least(
    x_inv_A2: np.ndarray, symmetry: Symmetry, q2_max_inv_A2: float, n_lines: int
) -> Reflections:
    """Like :func:`find_reflections`, but beyond the limit until there are ``n_lines`` lines."""
    found = find_reflections(x_inv_A2, symmetry, q2_max_inv_A2)
    while found.n_lines < n_lines:
        growth = n_lines / max(found.n_lines, 1)
        q2_max_inv_A2 *= float(np.clip(1.1 * growth, _GROWTH_MIN, _GROWTH_MAX))
        found = find_reflections(x_inv_A2, symmetry, q2_max_inv_A2)
    return found


@numba.njit(cache=True)
def _line_starts(q2):
    """Positions in rising q² at which a new line begins."""
    starts = np.empty(len(q2), np.int64)
    n = 0
    for i in range(len(q2)):
        if i == 0 or q2[i] - q2[i - 1] > PATTERN_LINE_REL * q2[i]:
            starts[n] = i
            n += 1
    return starts[:n]


@numba.njit(cache=True)
def _enumerate(x, rotations, q2_max):
    """Canonical hkl of the half sphere: (n, 3), q² (n,) and multiplicity (n,)."""
    bounds = _index_bounds(x, q2_max)
    hkl = np.empty((64, 3), np.int32)
    q2 = np.empty(64)
    multiplicity = np.empty(64, np.int32)
    n = 0
    for h in range(bounds[0] + 1):
        for k in range(-bounds[1] if h > 0 else 0, bounds[1] + 1):
            # For given h and k the condition q² <= limit is a quadratic inequality in l.
            linear = x[3] * k + x[4] * h
            rest = x[0] * h * h + x[1] * k * k + x[5] * h * k
            discriminant = linear * linear - 4 * x[2] * (rest - q2_max)
            if discriminant < 0:
                continue
            root = np.sqrt(discriminant)
            low = int(np.ceil((-linear - root) / (2 * x[2])))
            high = int(np.floor((-linear + root) / (2 * x[2])))
            if h == 0 and k == 0:
                low = 1
            for l in range(low, high + 1):
                count = _class_size(h, k, l, rotations)
                if count == 0:
                    continue
                if n == len(q2):
                    hkl = np.concatenate((hkl, np.empty_like(hkl)))
                    q2 = np.concatenate((q2, np.empty_like(q2)))
                    multiplicity = np.concatenate((multiplicity, np.empty_like(multiplicity)))
                hkl[n, 0], hkl[n, 1], hkl[n, 2] = h, k, l
                q2[n] = rest + x[2] * l * l + x[3] * k * l + x[4] * h * l
                multiplicity[n] = count
                n += 1
    return hkl[:n], q2[:n], multiplicity[:n]


@numba.njit(cache=True)
def _index_bounds(x, q2_max):
    """Largest |h|, |k| of the ellipsoid q² <= limit: sqrt(limit · metric tensor diagonal)."""
    a, b, c = x[0], x[1], x[2]
    d, e, f = x[3] / 2, x[4] / 2, x[5] / 2
    determinant = a * (b * c - d * d) - f * (f * c - d * e) + e * (f * d - b * e)
    h = np.sqrt(q2_max * (b * c - d * d) / determinant)
    k = np.sqrt(q2_max * (a * c - e * e) / determinant)
    return int(h + 1e-9), int(k + 1e-9)


@numba.njit(cache=True)
def _class_size(h, k, l, rotations):
    """Number of reflections equivalent to hkl, or 0 where hkl is not the one that counts."""
    stabilizer = 0
    for rotation in rotations:
        h1 = h * rotation[0, 0] + k * rotation[1, 0] + l * rotation[2, 0]
        k1 = h * rotation[0, 1] + k * rotation[1, 1] + l * rotation[2, 1]
        l1 = h * rotation[0, 2] + k * rotation[1, 2] + l * rotation[2, 2]
        if h1 < 0 or (h1 == 0 and (k1 < 0 or (k1 == 0 and l1 < 0))):
            h1, k1, l1 = -h1, -k1, -l1
        if h1 > h or (h1 == h and (k1 > k or (k1 == k and l1 > l))):
            return 0
        if h1 == h and k1 == k and l1 == l:
            stabilizer += 1
    return 2 * len(rotations) // stabilizer
