"""What the models take and give."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class Prediction(NamedTuple):
    """Expected targets ``mean`` (m,) and their standard deviations ``deviation`` (m,)."""

    mean: np.ndarray
    deviation: np.ndarray


class Model(Protocol):
    """A model that has seen rows."""

    def predict(self, features: np.ndarray) -> Prediction:
        """What is expected at features (m, d), without the noise of a measurement."""
        ...

    def left_out(self) -> Prediction:
        """Each row's target as the other rows predict it, with noise."""
        ...

    def draws(self, features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Targets (count, m) that may be at features (m, d), each row of one possible truth."""
        ...
