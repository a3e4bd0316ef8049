"""Trained networks as plain arrays: storage and inference in numpy.

Indexing needs no TensorFlow: a network is a handful of matrices, stored as npz without pickles
and byte for byte the same whenever the weights are. Layers follow Moreau, ML-Index Methods,
2.2.1 and 2.3.2: dense, layer normalization, GELU (dropout does nothing at inference).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.base.special import erf

#: Added to the variance in layer normalization (Keras' default).
NORMALIZATION_EPSILON = 1e-3
_UNREADABLE = (
    OSError,
    ValueError,
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as npz, atomically; the same arrays always give the same bytes."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", _ZIP_DATE)
            with archive.open(member, "w", force_zip64=True) as stream:
                array = np.asarray(arrays[name], order="C")
                np.lib.format.write_array(stream, array, allow_pickle=False)


class Arrays(dict):
    """Named arrays of a file; asking for one that it lacks is an error that names the file."""

    def __init__(self, path: str | Path, arrays: Mapping[str, np.ndarray]):
        super().__init__(arrays)
        self.path = path

    def __missing__(self, name: str) -> np.ndarray:
        raise MlindexError(f"{self.path}: no array {name!r}; remove it and train again")


def read_arrays(path: str | Path) -> Arrays:
    """The arrays that :func:`write_arrays` wrote.

    Raises:
        MlindexError: the file is missing, not npz, or holds anything but plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            # What is not compressed can't unfold into more than the file is long.
            if any(m.compress_type != zipfile.ZIP_STORED for m in archive.zip.infolist()):
                raise ValueError("it is compressed, which mlindex never does")
            return Arrays(path, {name: archive[name] for name in archive.files})
    except _UNREADABLE as error:
        raise MlindexError(
            f"{path}: not readable as model weights ({error}); remove it and train again"
        ) from error


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


def _through(layers: Sequence[HiddenLayer], x: np.ndarray) -> np.ndarray:
    for layer in layers:
        x = layer(x)
    return x


@dataclass(frozen=True)
class DenseNetwork:
    """Hidden layers and a linear last layer: kernel (n_in, n_out), bias (n_out,)."""

    layers: tuple[HiddenLayer, ...]
    kernel: np.ndarray
    bias: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> DenseNetwork:
        """The network of that name, of a file's arrays."""
        kernel, bias = arrays[f"{prefix}/output/kernel"], arrays[f"{prefix}/output/bias"]
        return cls(hidden_layers(arrays, prefix), kernel, bias)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Output (..., n_out) for input (..., n_in)."""
        return _through(self.layers, x) @ self.kernel + self.bias
