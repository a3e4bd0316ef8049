"""Rows of the data set as arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.reindexed import free_from_reindexed
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.sides import TRAIN


def training_entries(dataset: pd.DataFrame) -> pd.DataFrame:
    """The usable entries of the training side: all that anything is ever fitted to."""
    return dataset[dataset["usable"].astype(bool) & (dataset["side"] == TRAIN)]


def observed_q2(frame: pd.DataFrame, system: LatticeSystem) -> np.ndarray:
    """q² in 1/A² of the model's peaks, shape (entries, n_peaks), of usable entries."""
    rows = [np.asarray(q2, dtype=float)[: n_peaks_of(system)] for q2 in frame["observed_q2_inv_A2"]]
    return np.array(rows, dtype=float).reshape(len(rows), n_peaks_of(system))


def reindexed_free(frame: pd.DataFrame, system: LatticeSystem) -> np.ndarray:
    """Free parameters (A, degrees) of the reindexed cells of DATASET rows: (n, n_free)."""
    cells = frame[cell_names("")].to_numpy(dtype=float)
    free = np.empty((len(frame), system.n_free))
    axes = frame["unique_axis"].to_numpy()
    for axis in np.unique(axes.astype(str)):
        free[axes == axis] = free_from_reindexed(cells[axes == axis], system, axis)
    return free
