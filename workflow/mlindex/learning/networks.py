"""Trained networks as plain arrays: inference in numpy.

Indexing needs no TensorFlow: a network is a handful of matrices. Layers follow Moreau, ML-Index
Methods, 2.2.1 and 2.3.2: dense, layer normalization, GELU (dropout does nothing at inference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.base.special import erf
from mlindex.learning.learner import Learner

#: Added to the variance in layer normalization (Keras' default).
NORMALIZATION_EPSILON = 1e-3


def gelu(x: np.ndarray) -> np.ndarray:
    """Gaussian error linear unit, exact form: x Phi(x)."""
    half = x.dtype.type(0.5)
    return half * x * (1 + erf(x * x.dtype.type(np.sqrt(0.5))))


def softplus(x: np.ndarray) -> np.ndarray:
    """ln(1 + exp(x)) without overflow."""
    return np.logaddexp(x, x.dtype.type(0))


@dataclass(frozen=True)
class HiddenLayer:
    """Dense layer, layer normalization and GELU; kernel (n_in, n_out), the others (n_out,)."""

    kernel: np.ndarray
    bias: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Output (..., n_out) for input (..., n_in)."""
        x = x @ self.kernel + self.bias
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.mean(centred * centred, axis=-1, keepdims=True)
        epsilon = x.dtype.type(NORMALIZATION_EPSILON)
        return gelu(centred / np.sqrt(variance + epsilon) * self.gamma + self.beta)


def hidden_layers(arrays: Mapping[str, np.ndarray], prefix: str) -> tuple[HiddenLayer, ...]:
    """The hidden layers stored as ``{prefix}/{number}/kernel`` and so on, in order."""
    layers = []
    while f"{prefix}/{len(layers)}/kernel" in arrays:
        stem = f"{prefix}/{len(layers)}"
        layers.append(
            HiddenLayer(*(arrays[f"{stem}/{n}"] for n in ("kernel", "bias", "gamma", "beta")))
        )
    return tuple(layers)


def layer_arrays(layers: Sequence[HiddenLayer], prefix: str) -> dict[str, np.ndarray]:
    """The arrays that :func:`hidden_layers` reads."""
    return {
        f"{prefix}/{number}/{name}": getattr(layer, name)
        for number, layer in enumerate(layers)
        for name in ("kernel", "bias", "gamma", "beta")
    }


def through(layers: Sequence[HiddenLayer], x: np.ndarray) -> np.ndarray:
    """Output (..., n_out) of layers one after the other, for input (..., n_in)."""
    for layer in layers:
        x = layer(x)
    return x


@dataclass(frozen=True)
class DenseNetwork(Learner):
    """Hidden layers and a linear last layer: kernel (n_in, n_out), bias (n_out,)."""

    layers: tuple[HiddenLayer, ...]
    kernel: np.ndarray
    bias: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "network") -> DenseNetwork:
        """The network of that name, of a file's arrays."""
        kernel, bias = arrays[f"{prefix}/output/kernel"], arrays[f"{prefix}/output/bias"]
        return cls(hidden_layers(arrays, prefix), kernel, bias)

    def arrays(self, prefix: str = "network") -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` reads."""
        output = {f"{prefix}/output/kernel": self.kernel, f"{prefix}/output/bias": self.bias}
        return layer_arrays(self.layers, prefix) | output

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Output (..., n_out) for input (..., n_in)."""
        return through(self.layers, x) @ self.kernel + self.bias
