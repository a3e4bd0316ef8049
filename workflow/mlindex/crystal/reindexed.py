"""From the reindexed setting (a < b < c) to the standard one (unique axis b, a < c) and back.

The two differ only where a lattice system has a unique axis that sorting may have moved:
models see the reindexed cell, the engine the standard one.
"""

from __future__ import annotations

import numpy as np

from mlindex.crystal.lattice import AXES, LatticeSystem


def standard_order(system: LatticeSystem, unique_axis: str) -> tuple[int, int, int]:
    """Position in the reindexed cell of each axis of the standard cell.

    Args:
        system: the lattice system.
        unique_axis: unique axis of the reindexed cell, "a", "b" or "c"; "" where there is none.
    """
    if system.unique_axis is None or not unique_axis:
        return (0, 1, 2)
    order = [axis for axis in range(3) if axis != AXES.index(unique_axis)]
    order.insert(system.unique_axis, AXES.index(unique_axis))
    return tuple(order)


def cell_to_standard(cell: np.ndarray, system: LatticeSystem, unique_axis: str) -> np.ndarray:
    """Cells (..., 6) in the standard setting from reindexed ones."""
    order = list(standard_order(system, unique_axis))
    return np.asarray(cell, dtype=float)[..., order + [3 + axis for axis in order]]


def hkl_to_standard(hkl: np.ndarray, system: LatticeSystem, unique_axis: str) -> np.ndarray:
    """Miller indices (..., 3) in the standard setting from reindexed ones."""
    return np.asarray(hkl)[..., list(standard_order(system, unique_axis))]


def free_from_reindexed(cell: np.ndarray, system: LatticeSystem, unique_axis: str) -> np.ndarray:
    """Free parameters (..., n_free) of reindexed cells (..., 6): what regression models predict.

    They are the lengths in the reindexed order, then the free angles.
    """
    return np.asarray(cell, dtype=float)[..., list(free_positions(system, unique_axis))]


def reindexed_from_free(free: np.ndarray, system: LatticeSystem, unique_axis: str) -> np.ndarray:
    """Reindexed cells (..., 6) from their free parameters (..., n_free)."""
    free = np.asarray(free, dtype=float)
    if system.unique_axis is None or not unique_axis:
        return system.cell_from_free(free)
    cell = np.full((*free.shape[:-1], 6), 90.0)
    cell[..., list(free_positions(system, unique_axis))] = free
    return cell


def free_positions(system: LatticeSystem, unique_axis: str) -> tuple[int, ...]:
    """Positions of the free parameters in the six of a reindexed cell."""
    if system.unique_axis is None or not unique_axis:
        return system.free_positions
    return (0, 1, 2, 3 + AXES.index(unique_axis))
