"""Training of the classifier of one level: search, comparison, choice, test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.classification.features import grids_of
from mlindex.classification.search import Tried, search
from mlindex.classification.settings import Classifiers
from mlindex.classification.tables import CLASSIFIER_SCORES, CLASSIFIER_SEARCH, CLASSIFIER_TESTS
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.contract import Classifier, Progress, Rows
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import CALIBRATION, TEST, TRAIN, UNITS, assign_parts, lacking
from mlindex.learning.scores import fitted_temperature, score, warmed

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """The chosen learner, its kind and temperature, and the tables of search, scores and tests.

    Where nothing could be trained, ``learner`` is None and ``reason`` says why.
    """

    learner: Classifier | None
    kind: str
    temperature: float
    search: pd.DataFrame
    scores: pd.DataFrame
    tests: pd.DataFrame
    reason: str = ""


@dataclass(frozen=True)
class _Fitted:
    """A learner that was fitted to the training part with the parameters that a search found.

    ``log_loss`` on the calibration part is that with its best ``temperature``.
    """

    learner: Classifier
    parameters: dict[str, Any]
    rounds: list[Tried]
    temperature: float
    log_loss: float


def train_classifier(
    examples: pd.DataFrame, level: str, settings: Classifiers, seed: int, progress: Progress = iter
) -> Trained:
    """Fit every kind of learner, choose the one with the least log-loss on the calibration part,
    and test all.

    The test part is looked at when everything is chosen. The chosen kind is also fitted and tested
    on the other splits, to show what they make of the same lists.

    Args:
        examples: rows of SYMMETRY_EXAMPLES.
        level: one of :data:`mlindex.crystal.symmetry_classes.LEVELS`.
        settings: learners, split, search.
        seed: of everything that is random.
        progress: wraps the learners.
    """
    if reason := lacking(examples, level):
        empty = (t.empty() for t in (CLASSIFIER_SEARCH, CLASSIFIER_SCORES, CLASSIFIER_TESTS))
        return Trained(None, "", 1.0, *empty, reason)
    lesson = _Lesson.of(examples, level, settings, seed)
    fitted = {name: lesson.fitted(name) for name in progress(settings.learners)}
    chosen = min(fitted, key=lambda name: fitted[name].log_loss)
    best, temperature = fitted[chosen].learner, fitted[chosen].temperature
    answers = {name: lesson.answers(one.learner, one.temperature) for name, one in fitted.items()}
    scores = [row for name in fitted for row in lesson.scores(name, answers[name], chosen)]
    for unit in UNITS:
        if unit != settings.split:
            other = lesson.split_by(unit)
            learner = other.trained(chosen, fitted[chosen].parameters)
            scores += other.scores(chosen, other.answers(learner, temperature), chosen)
    tried = [(level, name, *_row(one)) for name in fitted for one in fitted[name].rounds]
    return Trained(
        best,
        chosen,
        temperature,
        pd.DataFrame(tried, columns=CLASSIFIER_SEARCH.names),
        pd.DataFrame(scores, columns=CLASSIFIER_SCORES.names),
        pd.concat([lesson.tests(*one) for one in answers.items()], ignore_index=True),
    )


def _row(one: Tried) -> tuple:
    return one.text, one.rows, one.folds, one.accuracy, one.log_loss, one.kept


@dataclass(frozen=True)
class _Lesson:
    """Examples as rows of features with their parts by one split."""

    examples: pd.DataFrame
    level: str
    settings: Classifiers
    seed: int
    rows: Rows
    unit: str
    part: np.ndarray

    @classmethod
    def of(cls, examples: pd.DataFrame, level: str, settings: Classifiers, seed: int) -> _Lesson:
        grid = any(kind_of(name).uses != "features" for name in settings.learners)
        columns = (examples[name].tolist() for name in ("q2_inv_A2", "intensity"))
        y = classes_of(level).of(examples["spacegroup_number"].to_numpy())
        features = np.stack(examples["features"].to_list())
        rows = Rows.of(y, features, grids_of(*columns) if grid else None)
        whole = cls(examples, level, settings, seed, rows, "", np.empty(0))
        return whole.split_by(settings.split)

    def split_by(self, unit: str) -> _Lesson:
        """The same examples in parts by another unit."""
        part = assign_parts(
            self.examples,
            unit,
            self.settings.test_share,
            self.settings.calibration_share,
            np.random.default_rng(derive_seed(self.seed, "parts", unit)),
        )
        return _Lesson(self.examples, self.level, self.settings, self.seed, self.rows, unit, part)

    def fitted(self, name: str) -> _Fitted:
        """A kind of learner with the best of the parameters that are searched."""
        train = np.flatnonzero(self.part == TRAIN)
        kind, settings = kind_of(name), self.settings
        seed = derive_seed(self.seed, "fit", name)
        given: dict[str, Any] = {}
        rounds: list[Tried] = []
        if kind.searched:
            rng = np.random.default_rng(seed)
            some = np.sort(rng.permutation(train)[: settings.search_rows])
            groups = self.examples[self.unit].to_numpy()[some]
            given, rounds = search(
                kind,
                self.rows.take(some),
                groups,
                len(classes_of(self.level)),
                settings.candidates,
                settings.folds,
                seed,
            )
        learner = self.trained(name, given)
        held_out = self.rows.take(self.part == CALIBRATION)
        probability = learner.predict_proba(held_out.inputs)
        temperature = fitted_temperature(probability, held_out.y)
        loss = score(warmed(probability, temperature), held_out.y).log_loss
        _LOG.info("%s, %s: %s, log-loss %.3f", self.level, name, given, loss)
        return _Fitted(learner, given, rounds, temperature, loss)

    def trained(self, name: str, given: dict[str, Any]) -> Classifier:
        """A learner with these parameters, fitted to the training part."""
        seed = derive_seed(self.seed, "fit", name)
        rows = self.rows.take(self.part == TRAIN)
        return kind_of(name).trained(rows, len(classes_of(self.level)), given, seed)

    def answers(self, learner: Classifier, temperature: float) -> np.ndarray:
        """Probability of each class (n, k) for the rows of the test part."""
        rows = self.rows.take(self.part == TEST)
        return warmed(learner.predict_proba(rows.inputs), temperature)

    def scores(self, name: str, probability: np.ndarray, chosen: str) -> Iterator[tuple]:
        """Rows of CLASSIFIER_SCORES from a learner's answers: calculated lists, measured ones."""
        test = self.part == TEST
        measured, truth = self.examples["measurement"].to_numpy()[test] > 0, self.rows.y[test]
        for lists, which in (("calculated", ~measured), ("measured", measured)):
            if not which.any():
                continue
            s = score(probability[which], truth[which])
            shares = (s.accuracy, s.low, s.high, s.top[3], s.top[5], s.macro_f1, s.weighted_f1)
            yield (
                *(self.level, name, self.unit, lists, name == chosen, s.count),
                *(*shares, s.log_loss, s.calibration_error),
            )

    def tests(self, name: str, probability: np.ndarray) -> pd.DataFrame:
        """Rows of CLASSIFIER_TESTS from a learner's answers."""
        names = np.array(classes_of(self.level).names)
        test = self.part == TEST
        truth, entries = self.rows.y[test], self.examples[test]
        guess, every = probability.argmax(axis=1), np.arange(len(truth))
        columns = {
            "entry_id": entries["entry_id"].to_numpy(),
            "measurement": entries["measurement"].to_numpy(),
            "learner": name,
            "true_class": names[truth],
            "predicted_class": names[guess],
            "probability": probability[every, guess],
            "true_probability": probability[every, truth],
        }
        return pd.DataFrame(columns, columns=CLASSIFIER_TESTS.names)
