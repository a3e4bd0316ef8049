"""A method with a model that is plain enough to be foretold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.methods.contract import Proposals, Seen
from mlindex.campaigns.methods.options import DEFAULTS, Options


@dataclass(frozen=True)
class Kriging:
    """Gaussian process of one length scale; the best expected score first."""

    options: Options = DEFAULTS

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """The candidates of the largest expected score plus half its error."""
        expected, error = self._predicted(seen, candidates)
        order = np.argsort(-(expected + 0.5 * error), kind="stable")[:count]
        why = tuple(f"expected {expected[n]:.3g} ± {error[n]:.2g}" for n in order)
        return Proposals(order, expected[order], error[order], why)

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """Expected score plus half its error."""
        expected, error = self._predicted(seen, candidates)
        return expected + 0.5 * error

    def _predicted(self, seen: Seen, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, spread = seen.scores.mean(), seen.scores.std() + 1e-9
        inside = _kernel(seen.features, seen.features) + 0.01 * np.eye(len(seen.scores))
        across = np.linalg.solve(inside, _kernel(seen.features, rows))
        expected = mean + spread * across.T @ ((seen.scores - mean) / spread)
        variance = 1.01 - np.einsum("ij,ij->j", across, _kernel(seen.features, rows))
        return expected, spread * np.sqrt(np.maximum(variance, 1e-9))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / (2 * 0.4**2))
