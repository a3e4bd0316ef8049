"""What a campaign's method goes by, and how right it was: asked through its contract alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.experiments import Experiment
from mlindex.campaigns.methods import DEFAULT, method
from mlindex.campaigns.methods.contract import Method, Seen
from mlindex.campaigns.objectives import sign_of
from mlindex.campaigns.planning import Known, known_of, predicted, seen_for
from mlindex.campaigns.space.axes import Number
from mlindex.campaigns.space.space import Space

#: Parts that the rows are left out in, rows that are looked at, at most, and shuffles of each
#: quantity. Not tuned: they keep a page within seconds.
_FOLDS, _MOST_ROWS, _SHUFFLES = 10, 200, 4
#: Points of a line through the best row, and quantities that get one.
_POINTS, _MOST_LINES = 25, 6


@dataclass(frozen=True)
class HeldOut:
    """Scores (n,), what the method expects of each without having seen it, and its error."""

    ids: tuple[str, ...]
    scores: np.ndarray
    expected: np.ndarray
    error: np.ndarray

    def within(self, deviations: float) -> float:
        """Share of the scores that are within so many errors of what was expected."""
        return float(np.mean(np.abs(self.scores - self.expected) <= deviations * self.error))

    @property
    def rank_correlation(self) -> float:
        """Spearman's correlation of scores and expectations; 0 where either is all the same."""
        ranks = [np.unique(x, return_inverse=True)[1] for x in (self.scores, self.expected)]
        if min(np.ptp(r) for r in ranks) == 0:
            return 0.0
        return float(np.corrcoef(*map(_mean_ranks, ranks))[0, 1])

    @property
    def explained(self) -> float:
        """Share of the variance of the scores that is predicted; 0 or less: none."""
        spread = np.var(self.scores)
        return float(1 - np.mean((self.scores - self.expected) ** 2) / spread) if spread else 0.0


@dataclass(frozen=True)
class Line:
    """What is expected along one quantity, all others as in the best row; (m,) each."""

    name: str
    at: np.ndarray
    expected: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Diagnosis:
    """What is known of the model of one objective.

    ``reliance`` is by group of features how much the expected scores change, in standard deviations
    of them, where its values are shuffled among the measured rows.
    """

    held_out: HeldOut
    reliance: dict[str, float]
    lines: tuple[Line, ...]


def diagnosed(space: Space, experiments: Sequence[Experiment], name: str) -> Diagnosis | None:
    """What a method makes of the results so far for one objective; None where it has no model, or
    too few results, or all are the same."""
    known = known_of(space, experiments)
    document = space.document
    if len(known.done) < max(document.start.least, 4):
        return None
    rng = np.random.default_rng(document.seed)
    seen = seen_for(space, known, name)
    if np.ptp(seen.scores) == 0:
        return None
    chooser = method(document.method or DEFAULT, document.options)
    expected, error = predicted(chooser, seen, seen.features[:2])
    if not (np.isfinite(expected).all() and np.isfinite(error).all()):
        return None
    sign = sign_of(document.objectives[name])
    held = _held_out(chooser, seen, known, sign, rng)
    return Diagnosis(
        held, _reliance(chooser, seen, space, rng), _lines(chooser, seen, space, known, sign)
    )


def _mean_ranks(places: np.ndarray) -> np.ndarray:
    """Ranks of places among distinct values, equal ones sharing theirs."""
    counts = np.bincount(places)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _without(seen: Seen, rows: np.ndarray) -> Seen:
    kept = np.setdiff1d(np.arange(len(seen.scores)), rows)
    return Seen.of(
        seen.features[kept],
        seen.scores[kept],
        seen.groups,
        None,
        seen.failed,
        seen.noise,
        seen.priors,
    )


def _held_out(
    chooser: Method, seen: Seen, known: Known, sign: float, rng: np.random.Generator
) -> HeldOut:
    rows = rng.permutation(len(seen.scores))
    expected, error = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    # One at a time where they are few.
    folds = len(rows) if len(rows) <= 2 * _FOLDS else _FOLDS
    for fold in range(folds):
        left_out = rows[fold::folds]
        expected[left_out], error[left_out] = predicted(
            chooser, _without(seen, left_out), seen.features[left_out]
        )
    kept = np.flatnonzero(np.isfinite(expected))
    ids = tuple(known.ids[n] for n in kept)
    return HeldOut(ids, sign * seen.scores[kept], sign * expected[kept], error[kept])


def _reliance(
    chooser: Method, seen: Seen, space: Space, rng: np.random.Generator
) -> dict[str, float]:
    rows = rng.permutation(len(seen.scores))[:_MOST_ROWS]
    features = seen.features[rows]
    plain, _ = predicted(chooser, seen, features)
    spread = float(np.std(plain))
    found = {}
    for number, name in enumerate(space.group_names):
        columns = np.flatnonzero(seen.groups == number)
        changes = []
        for _ in range(_SHUFFLES):
            shuffled = features.copy()
            shuffled[:, columns] = features[rng.permutation(len(features))][:, columns]
            changes.append(np.mean(np.abs(predicted(chooser, seen, shuffled)[0] - plain)))
        found[name] = float(np.mean(changes)) / spread if spread else 0.0
    return found


def _lines(
    chooser: Method, seen: Seen, space: Space, known: Known, sign: float
) -> tuple[Line, ...]:
    best = known.done[int(np.argmax(seen.scores))]
    numbers = [n for n, axis in enumerate(space.axes) if isinstance(axis, Number)]
    mixed = {int(place) for one in space.sums for place in one.parts}
    found = []
    for n in [n for n in numbers if n not in mixed and space.axes[n].count > 1][:_MOST_LINES]:
        at = space.axes[n].from_unit(np.linspace(0, 1 - 1e-9, _POINTS))
        at = np.unique(np.append(at, best[n]))
        rows = np.tile(best, (len(at), 1))
        rows[:, n] = at
        expected, error = predicted(chooser, seen, space.features(rows))
        found.append(Line(space.axes[n].name, at, sign * expected, error))
    return tuple(found)
