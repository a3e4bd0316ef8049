"""Scaling of peak positions and cell parameters to the order of one (Moreau 2.1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.axes import free_from_reindexed
from mlindex.lattice import LatticeSystem
from mlindex.split import TRAIN
from mlindex.tables.columns import cell_names
from mlindex.tables.training import SCALING

Q2, LENGTH, ANGLE = "q2_inv_A2", "length_A", "angle_rad"
_RIGHT_ANGLE_TOLERANCE_DEG = 1e-6


def training_entries(dataset: pd.DataFrame) -> pd.DataFrame:
    """The usable entries of the training side: all that anything is ever fitted to."""
    return dataset[dataset["usable"].astype(bool) & (dataset["side"] == TRAIN)]


def observed_q2(frame: pd.DataFrame, system: LatticeSystem) -> np.ndarray:
    """q² in 1/A² of the model's peaks, shape (entries, n_peaks), of usable entries."""
    rows = [np.asarray(q2, dtype=float)[: system.n_peaks] for q2 in frame["observed_q2_inv_A2"]]
    return np.array(rows, dtype=float).reshape(len(rows), system.n_peaks)


def reindexed_free(frame: pd.DataFrame, system: LatticeSystem) -> np.ndarray:
    """Free parameters (A, degrees) of the reindexed cells of DATASET rows: (n, n_free)."""
    cells = frame[cell_names("")].to_numpy(dtype=float)
    free = np.empty((len(frame), system.n_free))
    axes = frame["unique_axis"].to_numpy()
    for axis in np.unique(axes.astype(str)):
        free[axes == axis] = free_from_reindexed(cells[axes == axis], system, axis)
    return free


def n_lengths(system: LatticeSystem) -> int:
    """How many of the free parameters, which come first, are lengths."""
    return sum(position < 3 for position in system.free_positions)


def fit_scaling(dataset: pd.DataFrame, system: LatticeSystem) -> pd.DataFrame:
    """The table SCALING, fitted on the usable training entries.

    The model's peaks share one mean and standard deviation, whatever their place in the list,
    and so do all free lengths of the reindexed cells. Angles are measured from 90 degrees, in
    units of the standard deviation of those that are not 90. What has too few values to have a
    standard deviation is divided by 1.
    """
    train = training_entries(dataset)
    free = reindexed_free(train, system)
    lengths, angles_deg = np.split(free, [n_lengths(system)], axis=1)
    oblique = angles_deg[np.abs(angles_deg - 90.0) > _RIGHT_ANGLE_TOLERANCE_DEG]
    rows = [
        _row(Q2, observed_q2(train, system)),
        _row(LENGTH, lengths),
        {**_row(ANGLE, np.radians(oblique)), "mean": np.pi / 2},
    ]
    return pd.DataFrame(rows, columns=SCALING.names)


def _row(quantity: str, values: np.ndarray) -> dict:
    scale = float(np.std(values)) if values.size else 0.0
    tiny = 1e-12 * float(np.abs(values).max()) if values.size else 0.0
    return {
        "quantity": quantity,
        "mean": float(np.mean(values)) if values.size else 0.0,
        "scale": scale if scale > tiny else 1.0,
        "values": int(values.size),
    }


@dataclass(frozen=True)
class Scaling:
    """Mean and scale of each quantity: scaled = (value - mean) / scale.

    ``angle_mean`` and ``angle_scale`` are in radians, all else in A and 1/A².
    """

    q2_mean: float
    q2_scale: float
    length_mean: float
    length_scale: float
    angle_mean: float = np.pi / 2
    angle_scale: float = 1.0

    @classmethod
    def from_table(cls, frame: pd.DataFrame) -> Scaling:
        """From the table SCALING."""
        rows = frame.set_index("quantity")
        quantities = {"q2": Q2, "length": LENGTH, "angle": ANGLE}
        return cls(
            **{
                f"{name}_{column}": float(rows.loc[quantity, column])
                for name, quantity in quantities.items()
                for column in ("mean", "scale")
            }
        )

    def q2(self, values: np.ndarray) -> np.ndarray:
        """Scaled q² from q² in 1/A², of any shape."""
        return (np.asarray(values, dtype=float) - self.q2_mean) / self.q2_scale

    def q2_inverse(self, scaled: np.ndarray) -> np.ndarray:
        """q² in 1/A² from scaled q², of any shape."""
        return np.asarray(scaled, dtype=float) * self.q2_scale + self.q2_mean

    def free(self, free_cell: np.ndarray, system: LatticeSystem) -> np.ndarray:
        """Scaled free parameters from those in A and degrees, shape (..., n_free)."""
        values = np.array(free_cell, dtype=float)
        values[..., n_lengths(system) :] = np.radians(values[..., n_lengths(system) :])
        mean, scale = self._columns(system)
        return (values - mean) / scale

    def free_inverse(self, scaled: np.ndarray, system: LatticeSystem) -> np.ndarray:
        """Free parameters in A and degrees from scaled ones, shape (..., n_free)."""
        mean, scale = self._columns(system)
        values = np.asarray(scaled, dtype=float) * scale + mean
        values[..., n_lengths(system) :] = np.degrees(values[..., n_lengths(system) :])
        return values

    def _columns(self, system: LatticeSystem) -> tuple[np.ndarray, np.ndarray]:
        counts = (n_lengths(system), system.n_free - n_lengths(system))

        def spread(values: Sequence[float]) -> np.ndarray:
            return np.repeat(np.asarray(values, dtype=float), counts)

        return (
            spread((self.length_mean, self.angle_mean)),
            spread((self.length_scale, self.angle_scale)),
        )
