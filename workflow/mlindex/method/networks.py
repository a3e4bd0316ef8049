"""The networks of the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from mlindex.learning.learner import Learner
from mlindex.learning.networks import (
    DenseNetwork,
    HiddenLayer,
    hidden_layers,
    layer_arrays,
    softplus,
    through,
)

#: Least alpha and beta: softplus underflows to 0, where alpha = 1 and beta = 0 have no variance.
ALPHA_MIN = 1 + 1e-4


BETA_MIN = 1e-6


@dataclass(frozen=True)
class VarianceNetwork(Learner):
    """The three networks of one group: mean, and alpha and beta of the inverse gamma variance.

    Source: Moreau 2.2.1.
    """

    mean: DenseNetwork
    alpha: DenseNetwork
    beta: DenseNetwork

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> VarianceNetwork:
        """The networks with these arrays."""
        return cls(*(DenseNetwork.from_arrays(arrays, n) for n in ("mean", "alpha", "beta")))

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return self.mean.arrays("mean") | self.alpha.arrays("alpha") | self.beta.arrays("beta")

    def predict(self, q2_scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, alpha (> 1) and beta (> 0) of the scaled free cell parameters.

        Args:
            q2_scaled: scaled q² of the peaks, shape (..., n_peaks).

        Returns:
            three float32 arrays of shape (..., n_free).
        """
        x = np.asarray(q2_scaled, dtype=np.float32)
        alpha = softplus(self.alpha.predict(x)) + ALPHA_MIN
        return self.mean.predict(x), alpha, softplus(self.beta.predict(x)) + BETA_MIN


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
class AssignmentNetwork(Learner):
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
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> AssignmentNetwork:
        """The network with these arrays."""
        return cls(
            hidden_layers(arrays, "shared"),
            arrays["heads/kernel"],
            arrays["heads/bias"],
            float(arrays["epsilon"]),
            float(arrays["noise_level"]),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {
            **layer_arrays(self.layers, "shared"),
            "heads/kernel": self.head_kernel,
            "heads/bias": self.head_bias,
            "epsilon": np.array(self.epsilon),
            "noise_level": np.array(self.noise_level),
        }

    def predict_proba(self, q2_scaled: np.ndarray, reference_scaled: np.ndarray) -> np.ndarray:
        """Probability of each label for each peak.

        Args:
            q2_scaled: observed scaled q², shape (n, n_peaks) or (n_peaks,).
            reference_scaled: scaled q² of the reference reflections of n cells, (n, n_ref).

        Returns:
            float32, shape (n, n_peaks, n_ref), summing to 1 over the last axis.

        Raises:
            ValueError: there are other peaks or reference reflections than in training.
        """
        if np.shape(q2_scaled)[-1:] != self.head_kernel.shape[:1]:
            raise ValueError(f"expected {len(self.head_kernel)} peaks, got {np.shape(q2_scaled)}")
        near = closeness(
            np.asarray(q2_scaled, np.float32),
            np.asarray(reference_scaled, np.float32),
            np.float32(self.epsilon),
        )
        hidden = np.moveaxis(through(self.layers, near), -2, 0)
        logits = np.moveaxis(hidden @ self.head_kernel, 0, -2) + self.head_bias
        return softmax(logits, axis=-1)
