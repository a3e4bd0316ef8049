"""How well the ranking does on lists that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mlindex.base.special import softmax
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.network import RankingModel, support
from mlindex.indexing.ranking.tables import RANKING_FIGURES
from mlindex.learning.sides import VALIDATION

Probabilities = Callable[[np.ndarray], np.ndarray]
#: Probability from which a first candidate is counted as convincing here.
_CONVINCING = 0.9
#: Log-evidence of "none of them" where nothing is learned: what chance reaches.
_NOTHING = 6.0
_COLUMNS = [f"x_{name}" for name in FEATURES]
_LEAST = 1e-12


def lists_of(examples: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Features (m, F) and labels (m,) of each list of RANKING_EXAMPLES, its best evidence first."""
    found = []
    for _, rows in examples.groupby("entry_id", sort=True):
        rows = rows[rows["candidate"] > 0].sort_values("candidate")
        found.append((rows[_COLUMNS].to_numpy(dtype=float), rows["right"].to_numpy(dtype=bool)))
    return found


def figures(examples: pd.DataFrame, model: RankingModel) -> pd.DataFrame:
    """RANKING_FIGURES of the validation side of RANKING_EXAMPLES."""
    held_out = examples[examples["side"] == VALIDATION]
    exact, sample = held_out["noise_deg"] == 0, held_out["intensities"]
    parts = {
        "exact": held_out[exact & ~sample],
        "spoiled": held_out[~exact & ~sample],
        "with intensities": held_out[sample],
        "all": held_out,
    }
    ways: dict[str, Probabilities] = {
        "evidence": lambda x: _by_evidence(x, False),
        "evidence and absences": lambda x: _by_evidence(x, True),
        "learned": model.predict_proba,
    }
    rows = [
        {"ranked_by": way, "lists": name, **_judged(lists_of(part), probabilities)}
        for name, part in parts.items()
        for way, probabilities in ways.items()
    ]
    return pd.DataFrame(rows, columns=RANKING_FIGURES.names)


def _by_evidence(x: np.ndarray, with_absences: bool) -> np.ndarray:
    if not with_absences:
        x = x * (np.array(FEATURES) != "absences")
    return softmax(np.append(support(x), _NOTHING))[:-1]


def _judged(
    lists: list[tuple[np.ndarray, np.ndarray]], probabilities: Probabilities
) -> dict[str, float]:
    found = first = convincing = wrong = 0
    loss = 0.0
    for x, right in lists:
        p = probabilities(x)
        chosen = int(np.argmax(p)) if len(p) else -1
        is_first = chosen >= 0 and bool(right[chosen])
        sure = chosen >= 0 and p[chosen] >= _CONVINCING
        found += bool(right.any())
        first += is_first
        convincing += sure
        wrong += sure and not is_first
        loss -= np.log(max(p[right].sum() if right.any() else 1 - p.sum(), _LEAST))
    return {
        "n_lists": len(lists),
        "found": found,
        "first": first,
        "convincing": convincing,
        "wrong": wrong,
        "log_loss": loss / max(len(lists), 1),
    }
