"""Random cells from trained models (Moreau 2.4.2)."""

from __future__ import annotations

import numpy as np

from mlindex.crystal.cell import cell_volume
from mlindex.learning.trees import Trees
from mlindex.method.networks import VarianceNetwork


def possible_cells(cells: np.ndarray) -> np.ndarray:
    """Which of the cells (n, 6) have positive lengths and angles that enclose a volume: (n,)."""
    lengths, angles = cells[..., :3], cells[..., 3:]
    possible = np.all((lengths > 0) & np.isfinite(lengths), axis=-1)
    possible &= np.all((angles > 0) & (angles < 180), axis=-1)
    safe = np.where(possible[..., None], cells, [1.0, 1.0, 1.0, 90.0, 90.0, 90.0])
    return possible & np.isfinite(cell_volume(safe))


def draw_from_network(
    network: VarianceNetwork, q2_scaled: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Scaled free cell parameters (count, n_free) from the network's predictive distribution.

    For every draw a variance comes from the inverse gamma distribution with the predicted alpha
    and beta, and the parameter from the normal distribution with that variance.

    Args:
        q2_scaled: scaled q² of one pattern, shape (n_peaks,).
    """
    mean, alpha, beta = (v.astype(float) for v in network.predict(q2_scaled))
    variance = beta / rng.standard_gamma(alpha, (count, alpha.size))
    return mean + np.sqrt(variance) * rng.standard_normal((count, mean.size))


def draw_from_trees(
    trees: Trees, q2_scaled: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Scaled free cell parameters (count, n_free), each by one tree drawn at random.

    No tree is drawn twice before all have been drawn once.
    """
    estimates = trees.predict(q2_scaled[None, :])[0]
    rounds = -(-count // max(len(estimates), 1))
    order = [rng.permutation(len(estimates)) for _ in range(rounds)]
    chosen = np.concatenate(order)[:count] if order else np.empty(0, dtype=int)
    return estimates[chosen]
