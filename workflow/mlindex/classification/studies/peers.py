"""Recipes of others, trained on our lists and split, beside our classifier.

The figures that peers publish are of other crystals and mostly of random splits; here all see the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.classification.paired import disagreements, mcnemar
from mlindex.classification.studies.judge import Row, judge_by_kind
from mlindex.classification.studies.material import Material
from mlindex.classification.studies.subject import Subject
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.learning.learners.contract import Rows
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import TRAIN

#: Our classifier, which the peers are compared with.
OURS = "ours"
_LINES = 10
#: Cu K-alpha1, at which both recipes have their patterns.
_WAVELENGTH_A = 1.5406
#: Degrees of 2theta: one value for each.
_GRID_DEG = np.arange(5, 91)


def first_lines(two_theta_deg: np.ndarray, intensity: np.ndarray) -> np.ndarray:
    """Places of the first ten lines, NaN where there are fewer, and the number of lines (11,)."""
    found = np.full(_LINES + 1, np.nan)
    found[: min(_LINES, len(two_theta_deg))] = two_theta_deg[:_LINES]
    found[_LINES] = len(two_theta_deg)
    return found


def degree_grid(two_theta_deg: np.ndarray, intensity: np.ndarray) -> np.ndarray:
    """The strongest line in each degree from 5 to 90, the strongest of all 1; 0 without a line."""
    found = np.zeros(len(_GRID_DEG) - 1)
    at = np.floor(two_theta_deg).astype(int) - _GRID_DEG[0]
    inside = (at >= 0) & (at < len(found))
    np.maximum.at(found, at[inside], intensity[inside])
    return found / max(found.max(), np.finfo(float).tiny)


#: Kind of learner and inputs of each recipe: ExtraTrees on ten lines and their number (Suzuki et
#: al. 2020, Sci. Rep. 10, 21790), gradient boosting on a grid of one degree (the course of source
#: 004, which used LightGBM; scikit-learn's is built alike).
RECIPES: Mapping[str, tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = (
    MappingProxyType(
        {
            "ten_lines": ("extra_trees", first_lines),
            "degree_grid": ("boosting", degree_grid),
        }
    )
)


def study(subject: Subject) -> Iterator[Row]:
    """Rows of our classifier and of each recipe at one level."""
    material = Material.of(subject.examples, subject.level, subject.classifiers, subject.seed)
    lists = material.judged()
    if not len(lists):
        return
    inputs = {OURS: (subject.settings.peers_learner, material.rows.x)}
    for name, (kind, made) in RECIPES.items():
        inputs[name] = (kind, _inputs(subject.examples, made))
    guesses: dict[str, list[np.ndarray]] = {name: [] for name in inputs}
    for number in subject.progress(range(subject.settings.seeds)):
        seed = derive_seed(subject.seed, "repeat", number)
        train = material.lists_of(material.some(TRAIN, subject.settings.crystals, seed))
        for name, (kind, x) in inputs.items():
            rows = Rows.of(material.rows.y[train], x[train])
            learner = kind_of(kind).trained(rows, material.n_classes, {}, derive_seed(seed, name))
            own = Rows.of(material.rows.y[lists], x[lists])
            guesses[name].append(learner.predict_proba(own.inputs).argmax(axis=1))
    yield from _compared(subject, material, lists, guesses, len(train))


def _inputs(examples: pd.DataFrame, made: Callable) -> np.ndarray:
    """What a recipe sees of each list (n, m)."""
    found = []
    for q2, intensity in zip(examples["q2_inv_A2"], examples["intensity"], strict=True):
        two_theta = two_theta_from_q2(np.asarray(q2, dtype=float), _WAVELENGTH_A)
        seen = np.isfinite(two_theta)
        found.append(made(two_theta[seen], np.asarray(intensity, dtype=float)[seen]))
    return np.array(found, dtype=np.float32)


def _compared(
    subject: Subject,
    material: Material,
    lists: np.ndarray,
    guesses: Mapping[str, list[np.ndarray]],
    trained_on: int,
) -> Iterator[Row]:
    """Measures, gains over ours, and how many crystals one alone has right with the first seed."""
    judge = judge_by_kind(subject, material, lists)
    ours = judge.judged(guesses[OURS])
    for name, own in guesses.items():
        against = None if name == OURS else ours
        yield from (ours if against is None else judge.judged(own)).rows(name, trained_on, against)
    right = {name: own[0] == judge.truth for name, own in guesses.items()}
    for part, weight in judge.weights.items():
        # Lists of one crystal are alike: only the first of each counts.
        places = np.flatnonzero(weight)
        once = places[np.unique(judge.crystal[places], return_index=True)[1]]
        for name in guesses:
            if name != OURS:
                counts = disagreements(right[OURS][once], right[name][once])
                values = (*counts, mcnemar(*counts))
                for metric, value in zip(("only_ours", "only_it", "p"), values, strict=True):
                    yield Row(name, trained_on, 1, part, metric, "", float(value))
