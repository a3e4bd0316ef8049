"""What several models together expect of candidates, and how it changes as some are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.extras import needing
from mlindex.campaigns.models.contract import Model
from mlindex.campaigns.models.gaussian import Gaussian

with needing("planning of experiments", "campaigns"):
    from scipy.linalg import solve_triangular
    from scipy.special import ndtr


@dataclass
class Belief:
    """Predictions of models for candidates, in units of the targets.

    ``means``, ``deviations`` (models, m) and ``weights`` (models,) are a mixture of normal
    distributions for each candidate. ``targets`` (n,) are those of the measured rows, ``reached``
    the best of what is expected at measured rows, ``numbers`` (m,) are the candidates', ``level``
    the target that the best share of all exceeds (:meth:`level_of_best`).
    """

    weights: np.ndarray
    means: np.ndarray
    deviations: np.ndarray
    targets: np.ndarray
    reached: float
    numbers: np.ndarray
    level: float = np.nan

    @property
    def mean(self) -> np.ndarray:
        """Expected targets (m,)."""
        return self.weights @ self.means

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations (m,) of the mixture: of each model, and between models."""
        second = self.weights @ (self.deviations**2 + self.means**2)
        return np.sqrt(np.maximum(second - self.mean**2, 1e-18))

    def chance_above(self, level: float) -> np.ndarray:
        """Probability (m,) that a target is above a level."""
        return self.weights @ ndtr((self.means - level) / self.deviations)

    def level_of_best(self, count: float) -> float:
        """The target that so many of all, measured or not, are expected to exceed."""
        spread = 8 * self.deviations.max()
        low = min(self.targets.min(), self.means.min()) - spread
        high = max(self.targets.max(), self.means.max()) + spread
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = self.chance_above(middle).sum() + np.sum(self.targets > middle)
            low, high = (middle, high) if above > count else (low, middle)
        return 0.5 * (low + high)

    def at(self, rows: np.ndarray) -> Belief:
        """The belief of some of the candidates, by their numbers."""
        return replace(
            self,
            means=self.means[:, rows],
            deviations=self.deviations[:, rows],
            numbers=self.numbers[rows],
        )

    def with_deviations(self, deviations: np.ndarray) -> Belief:
        """With other deviations (models, m)."""
        return replace(self, deviations=deviations)


class Fantasies:
    """How much surer the models are of candidates once some of them are measured.

    A fantasy takes what is expected for the outcome, so that means stay and deviations shrink. A
    model without a covariance shrinks as the first Gaussian process does.
    """

    def __init__(self, models: Sequence[Model], candidates: np.ndarray) -> None:
        self.candidates = candidates
        inner = [getattr(model, "difference", model) for model in models]
        fields = [_Field(m, candidates) if isinstance(m, Gaussian) else None for m in inner]
        self.own = [field for field in fields if field is not None]
        first = self.own[0] if self.own else None
        self.fields = [field or first for field in fields]

    def measure(self, belief: Belief, number: int) -> None:
        """Shrink the deviations of a belief as if a candidate were measured."""
        factors = {id(field): field.shrinkage(number) for field in self.own}
        for deviation, field in zip(belief.deviations, self.fields, strict=True):
            if field is not None:
                deviation *= factors[id(field)]


class _Field:
    """The posterior variance of a Gaussian process at candidates (m, d), row after row."""

    def __init__(self, model: Gaussian, candidates: np.ndarray) -> None:
        self.model, self.candidates = model, candidates
        prior = model.covariance(model.features, candidates)
        self.explained = solve_triangular(model.root, prior, lower=True, check_finite=False)
        self.variance = np.maximum(model.signal**2 - np.sum(self.explained**2, axis=0), 1e-12)

    def shrinkage(self, number: int) -> np.ndarray:
        """Factors (m,) of the standard deviations as one more candidate is measured."""
        covariance = self.model.covariance(self.candidates[number][None], self.candidates)[0]
        covariance -= self.explained[:, number] @ self.explained
        row = covariance / np.sqrt(self.variance[number] + self.model.noise**2)
        self.explained = np.vstack([self.explained, row])
        left = np.maximum(self.variance - row**2, 1e-12)
        factors, self.variance = np.sqrt(left / self.variance), left
        return factors
