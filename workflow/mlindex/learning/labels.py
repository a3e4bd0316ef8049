"""Probabilities and answers at all levels of symmetry classes, from those of the space groups.

A probability of each space group gives those of all levels by sums, and an answer that is chosen
from the top down never contradicts itself.
"""

from __future__ import annotations

import numpy as np

from mlindex.crystal.symmetry_classes import LEVELS, classes_of


def at_level(probability: np.ndarray, level: str) -> np.ndarray:
    """Probability of each class of a level (n, k), from that of each space group (n, 230)."""
    classes = classes_of(level)
    summed = np.zeros((len(probability), len(classes)))
    np.add.at(summed.T, classes.of_group, np.asarray(probability, dtype=float).T)
    return summed


def downward(probability: np.ndarray) -> dict[str, np.ndarray]:
    """The class (n,) of every level: at each the most probable below the one chosen before.

    Args:
        probability: of each space group, shape (n, 230).
    """
    left = np.array(probability, dtype=float)
    open_groups = np.ones(left.shape, dtype=bool)
    chosen = {}
    for level in LEVELS:
        classes = classes_of(level)
        summed = at_level(np.where(open_groups, left, 0.0), level)
        possible = at_level(open_groups, level) > 0
        chosen[level] = np.argmax(np.where(possible, summed, -1.0), axis=1)
        open_groups &= classes.of_group == chosen[level][:, None]
    return chosen
