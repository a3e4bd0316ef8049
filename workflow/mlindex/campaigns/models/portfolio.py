"""Models side by side, weighed by how well each predicts the rows that it was not shown.

Stacking of predictive distributions (Yao et al. 2018, Bayesian Anal. 13, 917): the weights make the
mixture of the leave-one-out predictions most probable, so that a model that helps on some rows
keeps its say, and one that predicts nothing loses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from mlindex.campaigns.methods.contract import Seen
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief
from mlindex.campaigns.models.contract import Model
from mlindex.campaigns.models.deep import deep
from mlindex.campaigns.models.forest import Forest
from mlindex.campaigns.models.gaussian import Gaussian, rows_to_learn_from
from mlindex.campaigns.models.priors import Corrected, Trust
from mlindex.campaigns.models.targets import Targets, standardized, upper_scores

#: Models that an option names.
MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "portfolio": ("gaussian", "isotropic", "forest"),
        "gaussian": ("gaussian",),
        "forest": ("forest",),
        "deep": ("deep",),
    }
)
#: Rows that each model has from the start in the weights: with few rows all have a say.
_PRIOR_ROWS = 1.0
_ITERATIONS = 50
#: A Gaussian process has no more length scales than this; with more groups it has one for all.
_MOST_SCALES = 16
#: A Gaussian process sees no more rows than this, the last ones: beyond, its cube is felt.
_MOST_ROWS = 1500


@dataclass(frozen=True)
class Portfolio:
    """Models that have seen the same rows, with their weights (models,), and what they learnt."""

    models: tuple[Model, ...]
    weights: np.ndarray
    targets: Targets
    reached: float
    best_share: float

    def belief(self, candidates: np.ndarray) -> Belief:
        """What the models expect of candidates (m, d), of which and the measured rows a share is
        the best.
        """
        found = [model.predict(candidates) for model in self.models]
        means, deviations = (np.stack(part) for part in zip(*found, strict=True))
        numbers = np.arange(len(candidates))
        belief = Belief(self.weights, means, deviations, self.targets.values, self.reached, numbers)
        wanted = np.ceil(self.best_share * (len(candidates) + len(self.targets.values)))
        return replace(belief, level=belief.level_of_best(wanted))


def learnt(seen: Seen, options: Options) -> Portfolio:
    """The models of the option ``model``, of two rows or more and what past campaigns expect."""
    transform = upper_scores if options.scores == "normal" else standardized
    targets = transform(seen.scores)
    early = transform(seen.scores[: rows_to_learn_from(len(seen.scores))]).values
    spread = seen.scores.std()
    noise = None if seen.noise is None or spread == 0 else seen.noise / spread
    columns = len(np.unique(seen.groups))
    groups = seen.groups if columns <= _MOST_SCALES else np.zeros_like(seen.groups)
    trust = Trust.learnt(seen.priors, seen.features, targets.values)
    known = trust.expected(seen.features)
    # What hyperparameters are learnt from is the same for some rows on.
    first = seen.features[: len(early)]
    early = early - Trust.learnt(seen.priors, first, early).expected(first)
    rows = seen.features, targets.values - known
    models: list[Model] = []
    for name in MEMBERS[options.model]:
        if name == "forest":
            models.append(Forest.learnt(*rows))
        elif name == "deep":
            models.append(deep(*rows, seen.groups, noise))
        else:
            scales = np.zeros_like(groups) if name == "isotropic" else groups
            models.append(Gaussian.learnt(*rows, scales, noise=noise, early=early))
    if np.any(trust.slopes):
        models = [Corrected(trust, model, known) for model in models]
    weights = stacked(models, targets.values)
    at_rows = np.stack([model.predict(seen.features).mean for model in models])
    return Portfolio(
        tuple(models), weights, targets, float((weights @ at_rows).max()), options.best_share
    )


def stacked(models: Sequence[Model], targets: np.ndarray) -> np.ndarray:
    """Weights (models,) of a mixture, from the leave-one-out predictions of targets (n,)."""
    out = [model.left_out() for model in models]
    logs = np.stack(
        [-0.5 * ((targets - p.mean) / p.deviation) ** 2 - np.log(p.deviation) for p in out], axis=1
    )
    densities = np.exp(logs - logs.max(axis=1, keepdims=True))
    count = len(models)
    weights = np.full(count, 1 / count)
    for _ in range(_ITERATIONS):
        shares = densities * weights
        shares /= shares.sum(axis=1, keepdims=True)
        weights = (shares.sum(axis=0) + _PRIOR_ROWS) / (len(targets) + count * _PRIOR_ROWS)
    return weights
