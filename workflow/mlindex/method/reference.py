"""The reference list of Miller indices of a lattice system, and labels (Moreau 2.3.1).

Two reflections have the same position in every crystal of a lattice system exactly where their
rows of the design matrix H of q² = H · x are equal; one of them stands for all.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem, quadratic_terms
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.learning.rows import training_entries
from mlindex.method.lattices import defaults_of
from mlindex.method.tables import REFERENCE

#: Columns of DATASET that :func:`reference_list` needs.
COLUMNS = ("unique_axis", "side", "usable", *cell_names(""))
_GROWTH = 1.25
_BLOCK_VALUES = 4_000_000


def reference_list(
    dataset: pd.DataFrame | Iterable[pd.DataFrame], system: LatticeSystem
) -> pd.DataFrame:
    """The table REFERENCE: the reflections with the smallest 1/d on average.

    The average of 1/d is over the cells, in the standard setting, of the usable training
    entries; equal averages are in the order of the weights ``reference_order``. The
    last of the ``n_reference`` rows is (0, 0, 0), none of the others. Without training
    entries a cell with axes of 1 A (and no oblique angle) takes their place.

    Args:
        dataset: DATASET, at least :data:`COLUMNS`, whole or in blocks.
        system: its lattice system.
    """
    blocks = [dataset] if isinstance(dataset, pd.DataFrame) else dataset
    parts = [standard_cells(training_entries(block), system) for block in blocks]
    cells = np.concatenate(parts or [np.empty((0, 6))])
    if not len(cells):
        angles = [90.0 if isinstance(p, str) else p for p in system.template[3:]]
        cells = np.array([[1.0, 1.0, 1.0, *angles]])
    hkl, mean_q = _lowest(cells, system, defaults_of(system).n_reference - 1)
    hkl = np.concatenate([hkl, np.zeros((1, 3), dtype=int)])
    columns = {name: hkl[:, i].astype(np.int16) for i, name in enumerate("hkl")}
    return pd.DataFrame({**columns, "mean_q_inv_A": np.append(mean_q, 0.0)})[REFERENCE.names]


def standard_cells(frame: pd.DataFrame, system: LatticeSystem) -> np.ndarray:
    """Cells (n, 6) in the standard setting of DATASET rows."""
    cells = frame[cell_names("")].to_numpy(dtype=float, copy=True)
    axes = frame["unique_axis"].to_numpy().astype(str)
    for axis in np.unique(axes):
        cells[axes == axis] = cell_to_standard(cells[axes == axis], system, axis)
    return cells


def unique_reflections(hkl: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """One of each set of reflections that always coincide, without (0, 0, 0).

    Returns:
        Miller indices (n, 3) in the order of ``reference_order``; of a set, the first
        in falling order of h, then k, then l.
    """
    hkl = np.asarray(hkl, dtype=int)
    hkl = hkl[np.any(hkl != 0, axis=1)]
    hkl = hkl[np.lexsort((-hkl[:, 2], -hkl[:, 1], -hkl[:, 0]))]
    _, first = np.unique(_keys(hkl, system), axis=0, return_index=True)
    hkl = hkl[np.sort(first)]
    # Rounding makes equal weights equal where thirds were added in another order.
    weight = np.round(quadratic_terms(hkl) @ np.array(defaults_of(system).reference_order), 6)
    return hkl[np.argsort(weight, kind="stable")]


def labels(
    hkl_standard: np.ndarray, reference_hkl: np.ndarray, system: LatticeSystem
) -> np.ndarray:
    """The row of the reference list that stands for each reflection.

    Args:
        hkl_standard: Miller indices in the standard setting, shape (..., 3).
        reference_hkl: the reference list (n, 3), its last row (0, 0, 0).
        system: the lattice system.

    Returns:
        Row numbers, shape (...); n - 1 where the list has no such reflection.
    """
    reference = _keys(np.asarray(reference_hkl), system)
    keys = _keys(np.asarray(hkl_standard), system)
    low = reference.min(axis=0)
    spans = reference.max(axis=0) - low + 1
    inside = np.all((keys >= low) & (keys < low + spans), axis=-1)
    codes = _codes(reference, low, spans)
    order = np.argsort(codes)
    wanted = np.where(inside, _codes(keys, low, spans), codes[-1])
    place = np.minimum(np.searchsorted(codes, wanted, sorter=order), len(order) - 1)
    found = order[place]
    return np.where(inside & (codes[found] == wanted), found, len(codes) - 1)


def _keys(hkl: np.ndarray, system: LatticeSystem) -> np.ndarray:
    return np.rint(system.design_matrix(hkl)).astype(np.int64)


def _codes(keys: np.ndarray, low: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """One integer for each row of the design matrix: its digits in bases ``spans``."""
    weights = np.cumprod(np.concatenate([[1], spans[:-1]]))
    return (keys - low) @ weights


def _lowest(cells: np.ndarray, system: LatticeSystem, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` unique reflections of smallest mean 1/d, and those means.

    1/d >= |h| / a (and so on), so that the indices up to cutoff / mean(1/a) hold every
    reflection whose mean is below the cutoff; the cutoff grows until there are enough.
    """
    x_free = reciprocal_from_cell(cells)[:, list(system.pick)]
    inverse_lengths = np.mean(1.0 / cells[:, :3], axis=0)
    cutoff = float(inverse_lengths.max())
    while True:
        limits = np.floor(cutoff / inverse_lengths).astype(int)
        hkl = unique_reflections(_box(limits), system)
        mean_q = _mean_q(hkl, x_free, system)
        if np.count_nonzero(mean_q < cutoff) >= count:
            best = np.argsort(mean_q, kind="stable")[:count]
            return hkl[best], mean_q[best]
        cutoff *= _GROWTH


def _box(limits: np.ndarray) -> np.ndarray:
    spans = [np.arange(-limit, limit + 1) for limit in limits]
    # Friedel opposites coincide always: h >= 0 is enough.
    spans[0] = spans[0][spans[0] >= 0]
    return np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3)


def _mean_q(hkl: np.ndarray, x_free: np.ndarray, system: LatticeSystem) -> np.ndarray:
    design = system.design_matrix(hkl)
    block = max(1, _BLOCK_VALUES // max(1, len(hkl)))
    total = np.zeros(len(hkl))
    for start in range(0, len(x_free), block):
        q2 = design @ x_free[start : start + block].T
        total += np.sqrt(np.maximum(q2, 0.0)).sum(axis=1)
    # Rounding keeps ties ties, whose order is then that of the reference weights.
    return np.round(total / len(x_free), 12)
