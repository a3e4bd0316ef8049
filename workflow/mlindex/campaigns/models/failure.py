"""The chance that an experiment gives a score at all, apart from what the score would be."""

from __future__ import annotations

import numpy as np

from mlindex.campaigns.methods.contract import Seen
from mlindex.campaigns.models.forest import Forest

#: No candidate is given up for good on a few failures.
_LEAST = 0.05


def chance_of_success(seen: Seen, candidates: np.ndarray) -> np.ndarray:
    """Probability (m,) that candidates (m, d) give a score: 1 as long as none has failed.

    A forest learns which of the rows failed; it knows one more success and one more failure of
    any kind than were seen.
    """
    failed, scored = len(seen.failed), len(seen.scores)
    if not failed:
        return np.ones(len(candidates))
    usual = (scored + 1) / (scored + failed + 2)
    if not scored:
        return np.full(len(candidates), usual)
    rows = np.vstack([seen.features, seen.failed])
    gave = np.append(np.ones(scored), np.zeros(failed))
    share = Forest.learnt(rows, gave).predict(candidates).mean
    count = len(rows)
    return np.clip((count * share + 2 * usual) / (count + 2), _LEAST, 1.0)
