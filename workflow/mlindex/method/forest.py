"""Random forests: from peak positions to cells, a tree at a time (Moreau 2.2.2).

scikit-learn trains them; what is kept is plain arrays, and trees are walked by numba.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from mlindex.base.provenance import derive_seed
from mlindex.crystal.lattice import LatticeSystem
from mlindex.learning.arrays import write_arrays
from mlindex.learning.tables import METRICS
from mlindex.learning.trees import Trees
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Forest
from mlindex.method.training_data import (
    Examples,
    Samples,
    by_group,
    error_metrics,
    metric,
    parameter_names,
    regression_samples,
)

_LOG = logging.getLogger("mlindex.method.forest")
_ESTIMATOR = "forest"
#: Draws that a tree needs, in least leaves: two to split, twice as many because draws repeat.
_LEAVES = 4


def fit_forest(samples: Samples, settings: Forest, seed: int) -> RandomForestRegressor:
    """The forest of one group.

    The share of the training set that each tree sees is raised, where the group is small, until
    a tree can split at least once.
    """
    count = int(samples.train.sum())
    share = min(1.0, max(settings.subsample, _LEAVES * settings.min_samples_leaf / count))
    forest = RandomForestRegressor(
        settings.trees,
        max_samples=share,
        min_samples_leaf=settings.min_samples_leaf,
        random_state=seed % 2**32,
        n_jobs=1,
    )
    target = samples.free_scaled[samples.train]
    return forest.fit(
        samples.q2_scaled[samples.train], target if target.shape[1] > 1 else target[:, 0]
    )


def forest_arrays(forest: RandomForestRegressor) -> dict[str, np.ndarray]:
    """A fitted forest as the arrays that :class:`mlindex.learning.trees.Trees` reads."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    starts = np.cumsum([0] + [tree.node_count for tree in trees[:-1]])
    left = [
        np.where(t.children_left < 0, -1, t.children_left + s)
        for t, s in zip(trees, starts, strict=True)
    ]
    right = [
        np.where(t.children_right < 0, -1, t.children_right + s)
        for t, s in zip(trees, starts, strict=True)
    ]
    return {
        "root": starts.astype(np.int32),
        "left": np.concatenate(left).astype(np.int32),
        "right": np.concatenate(right).astype(np.int32),
        "feature": np.concatenate([t.feature for t in trees]).astype(np.int32),
        "threshold": np.concatenate([t.threshold for t in trees]),
        "value": np.concatenate([t.value[:, :, 0] for t in trees]),
    }


def train_forests(
    examples: Examples,
    groups: Sequence[str],
    system: LatticeSystem,
    scaling: Scaling,
    settings: Forest,
    seed: int,
    directory: str | Path,
    progress: Callable[[Iterable], Iterable] = iter,
) -> pd.DataFrame:
    """Train the forests of some groups, write ``{group}.npz`` for each and give METRICS.

    Figures come from the half of the validation side that the networks' come from, unaugmented
    entries only, so that the two can be compared. A group with too few training
    entries for a tree to split is not trained; METRICS and log say so.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    metrics: list[dict] = []
    needed = _LEAVES * settings.min_samples_leaf
    for group, rows in by_group(examples, progress(groups)):
        samples = regression_samples(rows, system, scaling)
        count = int(samples.train.sum())
        if count < needed:
            _LOG.warning("%s: no forest trained: %d entries, %d needed", group, count, needed)
            metrics.append(metric(group, _ESTIMATOR, "not trained", count, 0))
            continue
        forest = fit_forest(samples, settings, derive_seed(seed, "forest", group))
        path = directory / f"{group}.npz"
        write_arrays(path, forest_arrays(forest))
        predicted = Trees.load(path).predict(samples.q2_scaled[samples.figures]).mean(axis=1)
        errors = scaling.free_inverse(predicted, system) - samples.free[samples.figures]
        names, units = parameter_names(system, samples.unique_axis)
        metrics += error_metrics(group, _ESTIMATOR, errors, names, units)
        _LOG.info("%s: forest trained on %d entries", group, count)
    return pd.DataFrame(metrics, columns=METRICS.names)
