"""Scaling of peak positions and cell parameters to the order of one (Moreau 2.1.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.crystal.lattice import LatticeSystem
from mlindex.learning.rows import observed_q2, reindexed_free, training_entries
from mlindex.method.tables import SCALING

#: Columns of DATASET that :func:`fit_scaling` needs.
COLUMNS = ("unique_axis", "side", "usable", *cell_names(""), "observed_q2_inv_A2")
Q2, LENGTH, ANGLE = "q2_inv_A2", "length_A", "angle_rad"
_RIGHT_ANGLE_TOLERANCE_DEG = 1e-6


def n_lengths(system: LatticeSystem) -> int:
    """How many of the free parameters, which come first, are lengths."""
    return sum(position < 3 for position in system.free_positions)


@dataclass(frozen=True)
class Moments:
    """Number, mean and sum of squared deviations of values met in blocks; largest magnitude."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    largest: float = 0.0

    def with_values(self, values: np.ndarray) -> Moments:
        """Moments of these values and of more (Chan, Golub & LeVeque 1979, eq. 2.1)."""
        if not values.size:
            return self
        mean = float(np.mean(values))
        count = self.count + values.size
        difference = mean - self.mean
        return Moments(
            count,
            self.mean + difference * values.size / count,
            self.squares
            + float(np.sum((values - mean) ** 2))
            + difference**2 * self.count * values.size / count,
            max(self.largest, float(np.abs(values).max())),
        )

    def row(self, quantity: str) -> dict:
        """The row of SCALING of a quantity."""
        scale = float(np.sqrt(self.squares / self.count)) if self.count else 0.0
        return {
            "quantity": quantity,
            "mean": self.mean,
            "scale": scale if scale > 1e-12 * self.largest else 1.0,
            "values": self.count,
        }


@dataclass(frozen=True)
class ScalingFit:
    """What :func:`fit_scaling` has seen so far: moments of q², lengths and oblique angles."""

    q2: Moments = Moments()
    length: Moments = Moments()
    angle: Moments = Moments()

    def with_entries(
        self, q2_inv_A2: np.ndarray, free: np.ndarray, system: LatticeSystem
    ) -> ScalingFit:
        """With more entries: q² (n, n_peaks), free parameters (n, n_free) in A and degrees."""
        lengths, angles_deg = np.split(free, [n_lengths(system)], axis=1)
        oblique = angles_deg[np.abs(angles_deg - 90.0) > _RIGHT_ANGLE_TOLERANCE_DEG]
        return ScalingFit(
            self.q2.with_values(q2_inv_A2),
            self.length.with_values(lengths),
            self.angle.with_values(np.radians(oblique)),
        )

    def table(self) -> pd.DataFrame:
        """The table SCALING."""
        angle = {**self.angle.row(ANGLE), "mean": np.pi / 2}
        rows = [self.q2.row(Q2), self.length.row(LENGTH), angle]
        return pd.DataFrame(rows, columns=SCALING.names)


def fit_scaling(
    dataset: pd.DataFrame | Iterable[pd.DataFrame], system: LatticeSystem
) -> pd.DataFrame:
    """The table SCALING, fitted on the usable training entries.

    The model's peaks share one mean and standard deviation, whatever their place in the list,
    and so do all free lengths of the reindexed cells. Angles are measured from 90 degrees, in
    units of the standard deviation of those that are not 90. What has too few values to have a
    standard deviation is divided by 1.

    Args:
        dataset: DATASET, at least :data:`COLUMNS`, whole or in blocks.
        system: its lattice system.
    """
    fit = ScalingFit()
    for block in [dataset] if isinstance(dataset, pd.DataFrame) else dataset:
        train = training_entries(block)
        fit = fit.with_entries(observed_q2(train, system), reindexed_free(train, system), system)
    return fit.table()


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
