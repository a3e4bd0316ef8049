"""Search of a learner's parameters: successive halving with grouped, stratified cross-validation.

All candidates are tried on a part of the training rows; the best third goes on to three times as
many, and so on, until one is left or all rows are in (Jamieson and Talwalkar 2016, PMLR 51, 240).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from mlindex.learning.learners.contract import Kind, Progress, Rows
from mlindex.learning.scores import score

#: Of the candidates of a round, one in so many goes on, to so many times the rows.
FACTOR = 3


@dataclass(frozen=True)
class Tried:
    """One candidate in one round: mean over the folds, and whether it went on."""

    parameters: Mapping[str, Any]
    rows: int
    folds: int
    accuracy: float
    log_loss: float
    kept: bool

    @property
    def text(self) -> str:
        """The parameters as JSON."""
        return json.dumps(dict(self.parameters), sort_keys=True)


def search(
    kind: Kind,
    rows: Rows,
    groups: np.ndarray,
    n_classes: int,
    candidates: int,
    folds: int,
    seed: int,
    progress: Progress = iter,
) -> tuple[dict[str, Any], list[Tried]]:
    """The parameters with the least log-loss, and all that was tried.

    Args:
        kind: the learner.
        rows: training rows.
        groups: the unit of each row (n,), which is never cut by a fold.
        n_classes: number of classes.
        candidates: parameter sets of the first round, the defaults among them.
        folds: number of folds.
        seed: of the draw of candidates, rows and folds, and of the fits.
        progress: wraps the candidates of a round.
    """
    rng = np.random.default_rng(seed)
    left = _candidates(kind, candidates, rng)
    rounds = int(np.ceil(np.log(max(len(left), 1)) / np.log(FACTOR)))
    order = _by_unit(groups, rng)
    tried: list[Tried] = []
    for number in range(rounds):
        part = np.sort(order[: len(order) // FACTOR ** (rounds - 1 - number)])
        found = [
            _validated(kind, rows.take(part), groups[part], n_classes, given, folds, seed)
            for given in progress(left)
        ]
        best = sorted(range(len(found)), key=lambda i: found[i][1])
        kept = best[: max(1, len(found) // FACTOR)]
        tried += [
            Tried(given, len(part), folds, *found[i], i in kept) for i, given in enumerate(left)
        ]
        left = [left[i] for i in kept]
    return dict(left[0]), tried


def _candidates(kind: Kind, count: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The defaults, and others at random from the grid."""
    names = sorted(kind.searched)
    grid = [dict(zip(names, v, strict=True)) for v in product(*(kind.searched[n] for n in names))]
    usual = {name: kind.parameters[name] for name in names}
    others = [given for given in grid if given != usual]
    drawn = rng.permutation(len(others))[: max(count - 1, 0)]
    return [usual, *(others[i] for i in np.sort(drawn))]


def _by_unit(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows (n,) with those of a unit together, the units in random order."""
    _, unit = np.unique(groups, return_inverse=True)
    return np.argsort(rng.permutation(unit.max() + 1)[unit], kind="stable")


def _validated(
    kind: Kind,
    rows: Rows,
    groups: np.ndarray,
    n_classes: int,
    given: Mapping[str, Any],
    folds: int,
    seed: int,
) -> tuple[float, float]:
    """Accuracy and log-loss of a candidate, means over the folds."""
    results = []
    for train, test in _folds(rows, groups, folds, seed):
        learner = kind.trained(rows.take(train), n_classes, given, seed)
        held_out = rows.take(test)
        judged = score(learner.predict_proba(held_out.inputs), held_out.y)
        results.append((judged.accuracy, judged.log_loss))
    accuracy, loss = np.mean(results, axis=0)
    return float(accuracy), float(loss)


def _folds(
    rows: Rows, groups: np.ndarray, folds: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    yield from cut.split(rows.x, rows.y, groups)
