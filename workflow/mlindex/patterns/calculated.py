"""The two peak lists of an entry (Moreau, ML-Index Methods, 2.1.1).

List 1 holds the first lines that are not systematically absent. List 2 holds the first that
would be seen: high enough, sharp enough, and not in the shade of a stronger neighbour. Height
and second derivative are those of the sum of Gaussians at the line's position, taken
analytically and not from the grid, which would be off by 5 % at a step of 0.02 degrees.
"""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.simulation import Progress, gaussian_sigma
from mlindex.patterns.tables import PEAKS

_INTEGER_TOLERANCE = 1e-6


def peak_lists(
    cells: pd.DataFrame,
    reflections: pd.DataFrame,
    patterns: pd.DataFrame,
    settings: Peaks,
    simulation: Simulation,
    progress: Progress = iter,
) -> pd.DataFrame:
    """Both peak lists of every entry, with Miller indices in the reindexed setting.

    Args:
        cells: rows of CELLS; ``entry_id`` and ``reindexed_operator`` are used.
        reflections: rows of REFLECTIONS.
        patterns: rows of PATTERNS; ``entry_id`` and ``scale`` are used.
        settings: what makes a peak observed.
        simulation: width of the peaks that the patterns were made with.
        progress: wraps the loop over the entries.

    Returns:
        Rows of PEAKS in the order of ``cells``, for the entries that have reflections.

    Raises:
        MlindexError: an operator turns Miller indices into fractions.
    """
    row_of = {entry_id: row for row, entry_id in enumerate(reflections["entry_id"])}
    scale_of = dict(zip(patterns["entry_id"], patterns["scale"], strict=True))
    names = ("h", "k", "l", "q2_inv_A2", "two_theta_deg", "intensity")
    columns = [reflections[name].tolist() for name in names]
    operators = zip(cells["entry_id"], cells["reindexed_operator"], strict=True)
    rows = []
    for entry_id, operator in progress(list(operators)):
        if entry_id not in row_of:
            continue
        h, k, l, q2, two_theta, intensity = (column[row_of[entry_id]] for column in columns)
        hkl = reindexed_hkl(np.stack([h, k, l], axis=-1), operator, entry_id)
        height = np.asarray(intensity) * scale_of[entry_id]
        seen, value = observed_lines(np.asarray(two_theta), height, settings, simulation.fwhm_deg)
        rows.append(_row(entry_id, hkl, np.asarray(q2), seen, value, settings.length))
    return pd.DataFrame(rows, columns=PEAKS.names) if rows else PEAKS.empty()


def reindexed_hkl(hkl: np.ndarray, operator: np.ndarray, entry_id: str = "") -> np.ndarray:
    """h' = h P as integers, shape (n, 3).

    Args:
        hkl: Miller indices, shape (n, 3).
        operator: P, nine numbers row by row or shape (3, 3).
        entry_id: named in the message of an error.

    Raises:
        MlindexError: the result is not integral: P does not belong to these reflections.
    """
    moved = hkl @ np.asarray(operator, dtype=float).reshape(3, 3)
    rounded = np.rint(moved)
    if np.abs(moved - rounded).max(initial=0.0) > _INTEGER_TOLERANCE:
        worst = int(np.argmax(np.abs(moved - rounded).max(axis=1)))
        raise MlindexError(
            f"{entry_id}: reflection {tuple(map(int, hkl[worst]))} becomes "
            f"{tuple(map(float, moved[worst]))} in the reindexed setting; the operator of the "
            "entry's cell and its centring contradict each other"
        )
    return rounded.astype(np.int16)


def observed_lines(
    two_theta_deg: np.ndarray, height: np.ndarray, settings: Peaks, fwhm_deg: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which lines would be seen, in rising order.

    Args:
        two_theta_deg: positions in rising order, shape (n,); NaN (last) beyond the pattern.
        height: height of each line alone in the pattern with sum(I²) = 1, shape (n,).
        settings: thresholds and greatest number of peaks.
        fwhm_deg: full width at half maximum of a line.

    Returns:
        Positions in the list, shape (m,), and the pattern there, shape (m,).
    """
    inside = np.isfinite(two_theta_deg)
    center, alone = two_theta_deg[inside], height[inside].astype(float)
    value, curvature = _value_and_curvature(center, alone, gaussian_sigma(fwhm_deg))
    visible = (value > settings.min_intensity) & (curvature < settings.max_curvature_inv_deg2)
    order = np.argsort(-alone, kind="stable")
    seen = _accept(center, visible, order, settings.min_separation_fwhm * fwhm_deg)
    first = np.flatnonzero(seen)[: settings.length]
    return first, value[first]


@numba.njit(cache=True)
def _value_and_curvature(center, height, sigma):
    """Pattern (n,) and its second derivative (n,), per degree², at each line's position."""
    n = len(center)
    value, curvature = np.zeros(n), np.zeros(n)
    reach = 8 * sigma
    first = 0
    for i in range(n):
        while center[i] - center[first] > reach:
            first += 1
        j = first
        while j < n and center[j] - center[i] <= reach:
            offset2 = ((center[i] - center[j]) / sigma) ** 2
            part = height[j] * np.exp(-0.5 * offset2)
            value[i] += part
            curvature[i] += part * (offset2 - 1) / sigma**2
            j += 1
    return value, curvature


@numba.njit(cache=True)
def _accept(center, visible, order, separation):
    """Visible lines, strongest first, that are no nearer than that to one already accepted."""
    n = len(center)
    accepted = np.zeros(n, np.bool_)
    for i in order:
        if not visible[i]:
            continue
        j = i
        while j > 0 and center[i] - center[j - 1] < separation:
            j -= 1
        free = True
        while j < n and center[j] - center[i] < separation:
            free = free and not accepted[j]
            j += 1
        accepted[i] = free
    return accepted


def _row(
    entry_id: str,
    hkl: np.ndarray,
    q2: np.ndarray,
    seen: np.ndarray,
    value: np.ndarray,
    length: int,
) -> tuple:
    present = slice(length)
    return (
        entry_id,
        len(q2[present]),
        q2[present],
        *hkl[present].T,
        len(seen),
        q2[seen],
        *hkl[seen].T,
        value,
    )
