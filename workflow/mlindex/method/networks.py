"""The networks of the method."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from mlindex.learning.networks import (
    DenseNetwork,
    HiddenLayer,
    _through,
    hidden_layers,
    read_arrays,
    softplus,
)

#: Least alpha and beta: softplus underflows to 0, where alpha = 1 and beta = 0 have no variance.
ALPHA_MIN = 1 + 1e-4


BETA_MIN = 1e-6


@dataclass(frozen=True)
class VarianceNetwork:
    """The three networks of one group: mean, and alpha and beta of the inverse gamma variance.

    Source: Moreau 2.2.1.
    """

    mean: DenseNetwork
    alpha: DenseNetwork
    beta: DenseNetwork

    @classmethod
    def load(cls, path: str | Path) -> VarianceNetwork:
        """From a file that training wrote.

        Raises:
            MlindexError: the file can't be read or lacks a network.
        """
        arrays = read_arrays(path)
        return cls(*(DenseNetwork.from_arrays(arrays, n) for n in ("mean", "alpha", "beta")))

    def predict(self, q2_scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, alpha (> 1) and beta (> 0) of the scaled free cell parameters.

        Args:
            q2_scaled: scaled q² of the peaks, shape (..., n_peaks).

        Returns:
            three float32 arrays of shape (..., n_free).
        """
        x = np.asarray(q2_scaled, dtype=np.float32)
        return self.mean(x), softplus(self.alpha(x)) + ALPHA_MIN, softplus(self.beta(x)) + BETA_MIN


def closeness(q2_scaled: np.ndarray, reference_scaled: np.ndarray, epsilon: float) -> np.ndarray:
    """epsilon / (|dq²| + epsilon) of every observed and reference peak (Moreau eq. 22).

    Args:
        q2_scaled: observed scaled q², shape (..., n_peaks).
        reference_scaled: scaled q² of the reference reflections, shape (..., n_ref).
        epsilon: epsilon of eq. 22, scaled.

    Returns:
        shape (..., n_peaks, n_ref), between 0 and 1; 1 where the two agree.
    """
    difference = np.abs(q2_scaled[..., :, None] - reference_scaled[..., None, :])
    return epsilon / (difference + epsilon)


@dataclass(frozen=True)
class AssignmentNetwork:
    """Layers that all peaks share, then a softmax over the reference list for each peak.

    ``head_kernel`` is (n_peaks, n_in, n_ref), ``head_bias`` (n_peaks, n_ref). Source: Moreau
    2.3.2.
    """

    layers: tuple[HiddenLayer, ...]
    head_kernel: np.ndarray
    head_bias: np.ndarray
    epsilon: float
    noise_level: float

    @classmethod
    def load(cls, path: str | Path) -> AssignmentNetwork:
        """From a file that training wrote.

        Raises:
            MlindexError: the file can't be read or lacks an array.
        """
        arrays = read_arrays(path)
        return cls(
            hidden_layers(arrays, "shared"),
            arrays["heads/kernel"],
            arrays["heads/bias"],
            float(arrays["epsilon"]),
            float(arrays["noise_level"]),
        )

    def probabilities(self, q2_scaled: np.ndarray, reference_scaled: np.ndarray) -> np.ndarray:
        """Probability of each label for each peak.

        Args:
            q2_scaled: observed scaled q², shape (n, n_peaks) or (n_peaks,).
            reference_scaled: scaled q² of the reference reflections of n cells, (n, n_ref).

        Returns:
            float32, shape (n, n_peaks, n_ref), summing to 1 over the last axis.
        """
        near = closeness(
            np.asarray(q2_scaled, np.float32),
            np.asarray(reference_scaled, np.float32),
            np.float32(self.epsilon),
        )
        hidden = np.moveaxis(_through(self.layers, near), -2, 0)
        logits = np.moveaxis(hidden @ self.head_kernel, 0, -2) + self.head_bias
        return softmax(logits, axis=-1)
