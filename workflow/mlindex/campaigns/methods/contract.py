"""The contract of the methods: what one is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

#: A past campaign: features (n, d) in the columns of the present one, and scores (n,).
Past = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Seen:
    """What a method knows. Features lie in the unit box.

    ``features`` (n, d) and ``scores`` (n,) are what was measured, larger scores the better ones.
    ``groups`` (d,) are integers: columns of one group share a length scale (the columns of a
    category, descriptors of a substance, ions ...); ``pending`` (m, d) are proposed and not yet
    measured, ``failed`` (f, d) gave no score. ``noise`` is the standard deviation of a measurement
    in units of the score, None where it is to be learnt. ``priors`` are past campaigns.
    """

    features: np.ndarray
    scores: np.ndarray
    groups: np.ndarray
    pending: np.ndarray
    failed: np.ndarray
    noise: float | None = None
    priors: tuple[Past, ...] = ()

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        scores: np.ndarray,
        groups: np.ndarray | None = None,
        pending: np.ndarray | None = None,
        failed: np.ndarray | None = None,
        noise: float | None = None,
        priors: tuple[Past, ...] = (),
    ) -> Seen:
        """Arrays as floats; each column a group of its own, nothing pending or failed by default.

        Raises:
            ValueError: arrays that do not go together, or a score or feature that is no number.
        """
        features = np.asarray(features, dtype=float)
        if features.ndim != 2:
            raise ValueError(f"expected a table of features, got the shape {features.shape}")
        columns = features.shape[1]
        groups = np.arange(columns) if groups is None else np.asarray(groups, dtype=int)
        seen = cls(
            features,
            np.asarray(scores, dtype=float),
            groups,
            *(
                np.empty((0, columns)) if rows is None else np.asarray(rows, dtype=float)
                for rows in (pending, failed)
            ),
            noise,
            tuple((np.asarray(x, dtype=float), np.asarray(y, dtype=float)) for x, y in priors),
        )
        seen._check()
        return seen

    def _check(self) -> None:
        columns = self.features.shape[1]
        if self.groups.shape != (columns,):
            raise ValueError(f"groups of {self.groups.shape} for {columns} columns")
        tables = [(self.features, self.scores), *self.priors]
        tables += [(rows, np.zeros(len(rows))) for rows in (self.pending, self.failed)]
        for features, scores in tables:
            if features.ndim != 2 or features.shape[1] != columns:
                raise ValueError(f"features of {features.shape}, expected {columns} columns")
            if scores.shape != (len(features),):
                raise ValueError(f"{scores.shape} scores for {len(features)} rows")
            if not (np.isfinite(features).all() and np.isfinite(scores).all()):
                raise ValueError("a feature or score is not a finite number")


@dataclass(frozen=True)
class Proposals:
    """What a method proposes, best first.

    ``chosen`` (count,) are rows of the candidates, each once; ``expected`` and ``error`` (count,)
    in the units of the score, NaN where the method has no model; ``why`` a sentence for each.
    """

    chosen: np.ndarray
    expected: np.ndarray
    error: np.ndarray
    why: tuple[str, ...]


class Method(Protocol):
    """A way to choose experiments. It keeps nothing between two calls."""

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """The experiments to do next.

        Args:
            seen: what is known.
            candidates: features (n, d) of what may be done; none is measured or pending.
            count: how many are wanted; all candidates where there are fewer.
            rng: where chance comes from.
        """
        ...

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """The value (n,) of measuring each candidate; only its order counts.

        What a space too large to list climbs on. Zero for all where the method has no model.
        """
        ...
