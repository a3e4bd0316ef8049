"""Cells that no position of a line tells apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.crystal.bragg import q2_per_radian, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.indexing.next.places import APART_SIGMAS
from mlindex.indexing.next.rivals import Rival


def groups_of(
    rivals: Sequence[Rival],
    wavelengths_A: Sequence[float],
    error_deg: float,
    q2_ends_inv_A2: tuple[float, float],
) -> np.ndarray:
    """Number (r,) of the group of each cell: those of one group have all lines in common, as
    accurately as they can be measured.

    Args:
        rivals: the cells.
        wavelengths_A: on offer.
        error_deg: of the position of a line.
        q2_ends_inv_A2: first and last q² that can be reached.
    """
    lines = [_lines(one, *q2_ends_inv_A2) for one in rivals]
    groups = np.arange(len(rivals))
    for i in range(len(rivals)):
        for j in range(i):
            if groups[i] != groups[j] and _alike(lines[i], lines[j], wavelengths_A, error_deg):
                groups[groups == groups[i]] = groups[j]
    return np.unique(groups, return_inverse=True)[1]


def _lines(rival: Rival, q2_min: float, q2_max: float) -> tuple[np.ndarray, np.ndarray]:
    """q² of the different lines of a lattice and their errors; none of a cell with too many."""
    try:
        hkl = reflections(rival.cell, rival.centring, q2_max)
    except ValueError:
        return np.empty(0), np.empty(0)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(rival.cell)
    first = distinct(q2)
    first = first[q2[first] >= q2_min]
    return q2[first], rival.q2_error(hkl[first])


def _alike(
    one: tuple[np.ndarray, np.ndarray],
    other: tuple[np.ndarray, np.ndarray],
    wavelengths_A: Sequence[float],
    error_deg: float,
) -> bool:
    if not len(one[0]) or not len(other[0]):
        return not len(one[0]) and not len(other[0])
    # At the end of the range a line may have its like beyond it.
    end = min(one[0][-1], other[0][-1])
    return not any(
        np.any(_apart(a, b, wavelengths_A, error_deg)[a[0] <= end])
        for a, b in ((one, other), (other, one))
    )


def _apart(
    a: tuple[np.ndarray, np.ndarray],
    b: tuple[np.ndarray, np.ndarray],
    wavelengths_A: Sequence[float],
    error_deg: float,
) -> np.ndarray:
    """Which lines of a lattice the other has none near to, bool (n,)."""
    nearest = nearest_index(a[0], b[0])
    spread = np.maximum(a[1], b[1][nearest])
    error = np.hypot(spread, _best_error(a[0], wavelengths_A, error_deg))
    return np.abs(a[0] - b[0][nearest]) > APART_SIGMAS * error


def _best_error(q2: np.ndarray, wavelengths_A: Sequence[float], error_deg: float) -> np.ndarray:
    """Least error (n,) of q² by that of 2theta, of the wavelengths that reach it."""
    best = np.full(len(q2), np.inf)
    for wavelength in wavelengths_A:
        angle = np.radians(two_theta_from_q2(q2, wavelength))
        slope = q2_per_radian(angle, wavelength) * np.radians(error_deg)
        best = np.fmin(best, np.where(np.isfinite(slope), slope, np.inf))
    return best
