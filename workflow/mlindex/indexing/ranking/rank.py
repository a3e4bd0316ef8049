"""Candidates in the order of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.indexing.ranking.features import features, known
from mlindex.indexing.ranking.network import RankingModel
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import Trial


def ranked(
    trials: Sequence[Trial], observed: Observed, model: RankingModel
) -> list[tuple[Trial, float]]:
    """Trials with their probabilities, the most probable first."""
    rows = features([known(trial, observed) for trial in trials], observed)
    probabilities = model.predict_proba(rows)
    order = np.argsort(-probabilities, kind="stable")
    return [(trials[i], float(probabilities[i])) for i in order]
