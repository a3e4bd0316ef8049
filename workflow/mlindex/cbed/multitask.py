"""Multitask: what further outputs of the trees add to the space group.

Trees are grown to the space group alone, and others to it together with crystal system, point
group, lattice constants or the number of elements: a split is chosen for what it does to all of
them. Whatever they are grown to, the group alone is asked. Shares of classes in a leaf are means of
ones and zeros, so that trees of regression grow to all outputs alike (the mean squared error of
these is Gini's impurity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor

from mlindex.base.columns import cell_names
from mlindex.cbed.settings import Cbed
from mlindex.crystal.symmetry_classes import N_GROUPS, classes_of
from mlindex.learning.learners.common import features as checked
from mlindex.learning.learners.contract import Progress

#: The variant that all others are compared with, the one with all outputs, and the others.
ALONE, ALL = "alone", "all"
#: Weight of a further output's variance beside that of the groups; not tuned.
_WEIGHT = 0.5
_LEAST_ROWS, _FEATURES = 2, "sqrt"


@dataclass(frozen=True)
class Multitask:
    """Answers of the test part: ``groups`` (n,) by each variant, once a seed; and ``lattice``, the
    median relative error of the Niggli axes that the variants with these as outputs give."""

    groups: Mapping[str, list[np.ndarray]]
    lattice: Mapping[str, float]


def further_outputs(stacks: pd.DataFrame) -> dict[str, np.ndarray]:
    """Further outputs of n stacks by name, each (n, k).

    Args:
        stacks: rows of CBED_FEATURES.
    """
    numbers = stacks["spacegroup_number"].to_numpy()
    of_class = {
        level: np.eye(len(classes_of(level)))[classes_of(level).of(numbers)]
        for level in ("crystal_system", "point_group")
    }
    cells = stacks[cell_names("niggli_")].to_numpy(dtype=float)
    lattice = np.column_stack([np.log(cells[:, :3]), np.cos(np.radians(cells[:, 3:]))])
    elements = stacks["composition_family"].str.count("-").to_numpy()
    return {**of_class, "lattice": lattice, "elements": np.eye(12)[np.minimum(elements, 11)]}


def multitask(
    stacks: pd.DataFrame, part: np.ndarray, settings: Cbed, seeds: list[int], progress: Progress
) -> Multitask:
    """Every variant, fitted with each seed to the same training stacks.

    Args:
        stacks: rows of CBED_FEATURES.
        part: the part (n,) of each.
        settings: number of trees.
        seeds: one for each fit.
        progress: wraps the fits.
    """
    x = checked(np.stack(stacks["features"].to_list()))
    x = np.where(np.isnan(x), -1.0, x)
    y = np.eye(N_GROUPS)[stacks["spacegroup_number"].to_numpy().astype(int) - 1]
    train, test = part == "train", part == "test"
    more = further_outputs(stacks)
    scaled = {name: _scaled(values, train) for name, values in more.items()}
    variants = {ALONE: (), **{name: (name,) for name in more}, ALL: tuple(more)}
    groups: dict[str, list[np.ndarray]] = {name: [] for name in variants}
    errors: dict[str, list[float]] = {}
    for name, seed in progress([(name, seed) for name in variants for seed in seeds]):
        wanted = np.hstack([y, *(scaled[one] for one in variants[name])])
        trees = ExtraTreesRegressor(
            settings.trees,
            min_samples_leaf=_LEAST_ROWS,
            max_features=_FEATURES,
            random_state=seed % 2**32,
        )
        found = trees.fit(x[train], wanted[train]).predict(x[test])
        groups[name].append(found[:, :N_GROUPS].argmax(axis=1))
        if "lattice" in variants[name]:
            errors.setdefault(name, []).append(
                _off(found, wanted, variants[name], more, train, test)
            )
    lattice = {name: float(np.mean(each)) for name, each in errors.items()}
    return Multitask(MappingProxyType(groups), MappingProxyType(lattice))


def _scaled(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Outputs whose variance in all is a share of that of the groups, which is about one."""
    own = values[train]
    total = np.sqrt((own.std(axis=0) ** 2).sum())
    return np.sqrt(_WEIGHT) * (values - own.mean(axis=0)) / (total if total > 0 else 1.0)


def _off(
    found: np.ndarray,
    wanted: np.ndarray,
    outputs: tuple[str, ...],
    more: Mapping[str, np.ndarray],
    train: np.ndarray,
    test: np.ndarray,
) -> float:
    """Median relative error of the three axes."""
    first = N_GROUPS + sum(more[one].shape[1] for one in outputs[: outputs.index("lattice")])
    own = more["lattice"][train]
    spread = np.sqrt((own.std(axis=0) ** 2).sum() / _WEIGHT)
    difference = (found - wanted[test])[:, first : first + 3] * spread
    return float(np.median(np.abs(np.expm1(difference))))
