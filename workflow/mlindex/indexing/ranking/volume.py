"""Probabilities with what the volume of a formula unit says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.crystal.formula_volume import Formula, volume_factor
from mlindex.indexing.search.trials import Trial


def weighed_by_volume(
    ranked: Sequence[tuple[Trial, float]], formula: Formula
) -> list[tuple[Trial, float]]:
    """Trials with their probabilities, the most probable first, once the formula is known.

    "None of them", which has what the probabilities lack of 1, may have any volume.
    """
    if not ranked:
        return []
    before = np.array([probability for _, probability in ranked])
    volumes = np.array([trial.lattice().volume_A3 for trial, _ in ranked])
    weighed = before * volume_factor(volumes, formula)
    after = weighed / (weighed.sum() + max(1 - before.sum(), 0.0))
    order = np.argsort(-after, kind="stable")
    return [(ranked[i][0], float(after[i])) for i in order]
