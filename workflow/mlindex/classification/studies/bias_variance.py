"""Bias and variance: training and validation against the number of lists, and regularization.

A learner whose training and validation meet at a poor figure is too simple (bias); one that is far
better in training than in validation follows its lists too closely (variance), and more lists or
more regularization help it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from mlindex.base.provenance import derive_seed
from mlindex.classification.studies.judge import ALL_SEEDS, Row, crystal_draws, mean_interval
from mlindex.classification.studies.material import Material
from mlindex.classification.studies.subject import Subject
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import CALIBRATION, TRAIN

TRAINING, VALIDATION = "training", "validation"
#: Shares of the crystals, each draw within the next.
SIZES = (0.125, 0.25, 0.5, 1.0)
#: Parameters that hold a kind of learner back, from hardly to strongly.
REGULARIZATION: Mapping[str, tuple[Mapping[str, Any], ...]] = MappingProxyType(
    {
        "logistic": ({"l2": 0.01}, {"l2": 1.0}, {"l2": 100.0}),
        "boosting": (
            {"l2": 0.0, "least_rows": 1},
            {"l2": 1.0, "least_rows": 20},
            {"l2": 100.0, "least_rows": 20},
            {"l2": 1.0, "least_rows": 80},
        ),
        "extra_trees": ({"least_rows": 1}, {"least_rows": 2}, {"least_rows": 8}),
        "neighbours": ({"n_neighbours": 1}, {"n_neighbours": 10}, {"n_neighbours": 40}),
        "convolution": ({"dropout": 0.0}, {"dropout": 0.3}, {"dropout": 0.6}),
    }
)
_TINY = 1e-12


def study(subject: Subject) -> Iterator[Row]:
    """Rows of each learner and size, and of each way of regularization at full size."""
    kinds = subject.settings.curve_learners
    grid = any(kind_of(name).uses != "features" for name in kinds)
    material = Material.of(subject.examples, subject.level, subject.classifiers, subject.seed, grid)
    if not len(material.lists(CALIBRATION)):
        return
    for name in subject.progress(kinds):
        for size in SIZES:
            yield from _judged(subject, material, name, name, {}, size)
        for given in REGULARIZATION.get(name, ()):
            text = ", ".join(f"{k} {v:g}" for k, v in given.items())
            yield from _judged(subject, material, f"{name}: {text}", name, given, 1.0)


def _judged(
    subject: Subject,
    material: Material,
    variant: str,
    kind: str,
    given: Mapping[str, Any],
    size: float,
) -> Iterator[Row]:
    """Accuracy and log-loss in training and validation, of each seed and of all."""
    held_out = material.lists(CALIBRATION)
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for number in range(subject.settings.seeds):
        seed = derive_seed(subject.seed, "repeat", number)
        crystals = material.some(TRAIN, subject.settings.crystals, seed)
        train = material.lists_of(crystals[: max(1, round(size * len(crystals)))])
        rows = material.rows.take(train)
        learner = kind_of(kind).trained(rows, material.n_classes, given, derive_seed(seed, "fit"))
        for part, lists in ((TRAINING, train), (VALIDATION, held_out)):
            own = material.rows.take(lists)
            probability = learner.predict_proba(own.inputs)
            of_truth = probability[np.arange(len(lists)), own.y]
            right = (probability.argmax(axis=1) == own.y).astype(float)
            found.setdefault((part, "accuracy"), []).append(right)
            loss = -np.log(np.maximum(of_truth, _TINY))
            found.setdefault((part, "log_loss"), []).append(loss)
    _, crystal = np.unique(material.crystal[held_out], return_inverse=True)
    draws = crystal_draws(crystal, subject.settings.resamples, derive_seed(subject.seed, "draws"))
    for (part, metric), each in found.items():
        for seed, values in enumerate(each, start=1):
            yield Row(variant, len(train), seed, part, metric, "", float(values.mean()))
        mean = float(np.mean([values.mean() for values in each]))
        ends = ()
        if part == VALIDATION:
            ends = mean_interval(np.mean(each, axis=0), crystal, draws)
        yield Row(variant, len(train), ALL_SEEDS, part, metric, "", mean, *ends)
