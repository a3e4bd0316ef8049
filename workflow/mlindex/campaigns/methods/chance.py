"""Methods without a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.methods.contract import Proposals, Seen
from mlindex.campaigns.methods.options import DEFAULTS, Options


def without_model(chosen: np.ndarray, why: str) -> Proposals:
    """Proposals of which nothing is expected."""
    nothing = np.full(len(chosen), np.nan)
    return Proposals(np.asarray(chosen, dtype=int), nothing, nothing.copy(), (why,) * len(chosen))


@dataclass(frozen=True)
class Random:
    """Candidates by chance, each as likely as any other."""

    options: Options = DEFAULTS

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """Any candidates."""
        return without_model(rng.permutation(len(candidates))[:count], "by chance")

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """Zero for all."""
        return np.zeros(len(candidates))
