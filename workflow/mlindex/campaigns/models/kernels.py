"""Covariance of two experiments by their scaled distance: stationary kernels of variance 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

#: From squared distances r² to k and -2 dk/dr², of the same shape.
Kernel = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def matern52(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matern kernel of smoothness 5/2 (Rasmussen & Williams 2006, eq. 4.17)."""
    r = np.sqrt(5 * r2)
    decay = np.exp(-r)
    slope = (5 / 3) * decay
    k = slope * r2
    r += 1
    decay *= r
    slope *= r
    k += decay
    return k, slope


def matern32(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matern kernel of smoothness 3/2, for rougher scores."""
    r = np.sqrt(3 * r2)
    decay = np.exp(-r)
    return decay * (1 + r), 3 * decay


def squared_exponential(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smoothest kernel."""
    k = np.exp(-0.5 * r2)
    return k, k


KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {"matern52": matern52, "matern32": matern32, "squared_exponential": squared_exponential}
)
