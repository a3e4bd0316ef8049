"""The lines of a lattice, in rising q²."""

from __future__ import annotations

import numpy as np

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import CENTRING_CODES, quadratic_terms
from mlindex.crystal.tolerances import LATTICE_LINE_REL

#: Cells with more reflections than this below the last line are not worth a figure.
_MAX_REFLECTIONS = 200_000


def reflections(cell: np.ndarray, centring: str, q2_max_inv_A2: float) -> np.ndarray:
    """Miller indices (n, 3) up to q²_max, one of each Friedel pair, absences by centring left out.

    Args:
        cell: six cell parameters (A, degrees).
        centring: centring letter of the lattice in this setting.
        q2_max_inv_A2: upper end in 1/A².

    Raises:
        ValueError: if there would be too many to be of use.
    """
    cell = np.asarray(cell, dtype=float)
    # |h| = |a · s| can't exceed a |s|, whatever the angles.
    limits = np.floor(cell[:3] * np.sqrt(q2_max_inv_A2) + 1e-9).astype(int)
    count = float(np.prod(2.0 * limits + 1))
    if not count < _MAX_REFLECTIONS:
        raise ValueError(f"{count:.0f} reflections up to q² = {q2_max_inv_A2} /A²: cell too large")
    # numba takes half a second to import, and most users of this module don't come here.
    from mlindex.crystal.line_kernels import hkl_up_to

    x6 = reciprocal_from_cell(cell)
    # A little beyond, since rounding differs: the limit is kept below.
    hkl = hkl_up_to(x6, CENTRING_CODES[centring], q2_max_inv_A2 * (1 + 1e-9))
    q2 = quadratic_terms(hkl) @ x6
    keep = q2 <= q2_max_inv_A2
    return hkl[keep][np.argsort(q2[keep], kind="stable")]


def distinct(q2_sorted: np.ndarray) -> np.ndarray:
    """Positions of the first of each set of equal values in a rising array."""
    if not len(q2_sorted):
        return np.empty(0, dtype=int)
    step = np.diff(q2_sorted) > LATTICE_LINE_REL * q2_sorted[1:]
    return np.concatenate([[0], np.flatnonzero(step) + 1])


def nearest_index(values: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Position in ``rising`` (m > 0) of the entry nearest to each of ``values`` (n,)."""
    above = np.clip(np.searchsorted(rising, values), 0, len(rising) - 1)
    below = np.maximum(above - 1, 0)
    return np.where(np.abs(rising[below] - values) < np.abs(rising[above] - values), below, above)
