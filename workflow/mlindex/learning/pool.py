"""The contract of a pool: items that may be labelled and learnt from, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Learnt:
    """What came of learning from m items.

    ``loss`` (m,) is of each of them, by a learner that had not seen it; ``accuracy`` and
    ``log_loss`` are those of what was learnt from all, on items that are never in the pool.
    """

    loss: np.ndarray
    accuracy: float
    log_loss: float


class Pool(Protocol):
    """Items that may be labelled.

    ``features`` (n, d) in the unit box are known without a label, columns of one of the ``groups``
    (d,) belong together; ``cost`` (n,) is that of each label.
    """

    features: np.ndarray
    groups: np.ndarray
    cost: np.ndarray

    def learn(self, items: np.ndarray, seed: int) -> Learnt:
        """Label some items (m,), learn from them, and judge what was learnt."""
        ...
