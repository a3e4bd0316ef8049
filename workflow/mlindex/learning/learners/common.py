"""Steps that several learners share when they predict: checks, standard features, softmax."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.learning.arrays import source_of


def features(x: np.ndarray, width: int | None = None) -> np.ndarray:
    """Features (n, width) as float32.

    Raises:
        ValueError: they are no table of that width (None allows any), or one is infinite.
    """
    shape = np.shape(x)
    if len(shape) != 2 or (width is not None and shape[1] != width):
        wanted = "rows of features" if width is None else f"rows of {width} features"
        raise ValueError(f"expected {wanted}, got an array of shape {shape}")
    x = np.asarray(x, dtype=np.float32)
    if np.isinf(x).any():
        raise ValueError(
            "a feature is infinite in 32 bits: give a number, or NaN for an unknown one"
        )
    return x


def standard(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Features (n, m) less their mean, over their spread (m,); one not known is the mean, 0.

    Raises:
        ValueError: there are other than m features.
    """
    x = features(x, len(mean))
    return np.where(np.isnan(x), np.float32(0), (x - mean) / scale).astype(np.float32)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread (m,) of the known features (n, m), float32.

    A feature that is never known, or is always the same, has the spread 1.
    """
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0, dtype=float) / count
    squares = np.where(known, (x - mean) ** 2, 0.0).sum(axis=0, dtype=float) / count
    spread = np.sqrt(squares)
    # The mean of equal numbers is one of them but for rounding.
    constant = spread <= _ROUNDING * np.abs(mean)
    scale = np.where(constant | (spread == 0), 1.0, spread)
    return mean.astype(np.float32), scale.astype(np.float32)


#: Of float32, with a margin of ten.
_ROUNDING = 1e-6


def softmax_rows(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, k), double precision, of logits (n, k); -inf gives 0."""
    logits = np.asarray(logits, dtype=float)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def logits_make_sense(logits: np.ndarray) -> bool:
    """Whether biases of classes (k,) are numbers or -inf, one of them finite."""
    numbers = np.ndim(logits) == 1 and np.issubdtype(logits.dtype, np.floating)
    return bool(numbers and np.all(logits < np.inf) and np.any(np.isfinite(logits)))


def floats(array: np.ndarray, *shape: int) -> bool:
    """Whether an array holds finite floating-point numbers and has this shape."""
    number = np.issubdtype(array.dtype, np.floating) and array.shape == shape
    return bool(number and np.all(np.isfinite(array)))


def standardizes(mean: np.ndarray, scale: np.ndarray) -> bool:
    """Whether arrays can be the mean and spread of features."""
    return floats(mean, mean.size) and floats(scale, mean.size) and bool(np.all(scale > 0))


def require(sound: bool, arrays: Mapping[str, np.ndarray], what: str) -> None:
    """Refuse arrays that make no model.

    Raises:
        MlindexError: they are not sound; it names their file.
    """
    if not sound:
        raise MlindexError(f"{source_of(arrays)}: its arrays are no {what}; train it again")
