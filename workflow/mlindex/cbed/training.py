"""Training of the model of space groups: learners compared, one chosen, calibrated, tested.

Parts share no structure type (or what else the config keeps together), and all stacks of a crystal
stand in one: learners are fitted to the first, chosen on the second, calibrated on the third and
tested on the last, which nothing else looks at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.base.statistics import wilson_interval
from mlindex.cbed.model import LEVELS, CbedModel, answers, parted, weighed
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import CBED_PARTS, CBED_SCORES, CBED_TESTS
from mlindex.crystal.symmetry_classes import N_GROUPS, classes_of
from mlindex.learning.learners.contract import Progress, Rows
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import CALIBRATION, TEST, TRAIN, assign_parts
from mlindex.learning.scores import LEAST, fitted_temperature, score, warmed

VALIDATION = "validation"
RANDOM = "random"
#: With fewer nothing can be learnt.
_FEWEST_STACKS = 200
#: What is tried on the calibration part: temperatures over that without evidence, shares in which a
#: learner may be wrong, weights of the evidence.
_TEMPERATURES = (0.7, 0.85, 1.0, 1.2, 1.4)
_FLOORS = (0.003, 0.01, 0.03, 0.1, 0.2)
_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
#: Kinds of learners that see nothing of a stack.
_BLIND = ("majority", "frequency")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """The model, and the tables of parts, scores and tests.

    Where nothing could be trained, ``model`` is None and ``reason`` says why.
    """

    model: CbedModel | None
    parts: pd.DataFrame
    scores: pd.DataFrame
    tests: pd.DataFrame
    reason: str = ""


@dataclass(frozen=True)
class _Fitted:
    """A learner fitted to the training part; the log-loss is that of the validation part."""

    model: CbedModel
    log_loss: float


def train(
    stacks: pd.DataFrame,
    names: tuple[str, ...],
    settings: Cbed,
    seed: int,
    progress: Progress = iter,
) -> Trained:
    """Fit every kind of learner, choose by log-loss, calibrate, test at all levels.

    Args:
        stacks: rows of CBED_FEATURES.
        names: of the features.
        settings: learners, split.
        seed: of everything that is random.
        progress: wraps the learners.
    """
    stacks = stacks.sort_values(["entry_id", "stack"], ignore_index=True)
    part = parts_of(stacks, settings, seed)
    listed = _parts(stacks, part)
    if reason := _too_few(stacks) or _missing(part):
        return Trained(None, listed, CBED_SCORES.empty(), CBED_TESTS.empty(), reason)
    groups = stacks["spacegroup_number"].to_numpy()
    rows = Rows.of(groups.astype(np.int64) - 1, np.stack(stacks["features"].to_list()))
    fitted = {
        name: _fitted(name, rows, names, part, settings, seed)
        for name in progress(settings.learners)
    }
    chosen = min(fitted, key=lambda name: fitted[name].log_loss)
    test, crystals = part == TEST, stacks["entry_id"].to_numpy()[part == TEST]
    given = rows.take(test)
    scores: list[tuple[Any, ...]] = []
    for name, one in fitted.items():
        head = (name, name == chosen, one.log_loss)
        scores += _scores(*head, answers(one.model.predict_proba(given.x)), groups[test], crystals)
    blind = np.random.default_rng(derive_seed(seed, RANDOM)).dirichlet(
        np.ones(N_GROUPS), len(given)
    )
    scores += _scores(RANDOM, False, np.nan, _alike(blind), groups[test], crystals)
    model = fitted[chosen].model
    tests = _tests(stacks[test], model.predict_proba(given.x))
    return Trained(model, listed, pd.DataFrame(scores, columns=CBED_SCORES.names), tests)


def parts_of(stacks: pd.DataFrame, settings: Cbed, seed: int) -> np.ndarray:
    """The part (n,) of each row of CBED_FEATURES."""
    held = settings.calibration_share + settings.validation_share
    rng = np.random.default_rng(derive_seed(seed, "parts"))
    part = assign_parts(stacks, settings.split, settings.test_share, held, rng)
    rest = stacks[part == CALIBRATION]
    if len(rest):
        share = settings.validation_share / held
        # Of the held-out crystals again by units: the validation part is their "test" part.
        second = assign_parts(rest, settings.split, share, 0.0, rng)
        part[np.flatnonzero(part == CALIBRATION)[second == TEST]] = VALIDATION
    return part


def _too_few(stacks: pd.DataFrame) -> str:
    groups = stacks["spacegroup_number"].nunique()
    if len(stacks) >= _FEWEST_STACKS and groups > 1:
        return ""
    return f"{len(stacks)} stacks of {groups} space groups; {_FEWEST_STACKS} of 2 are needed"


def _missing(part: np.ndarray) -> str:
    lacking_parts = [name for name in (TRAIN, VALIDATION, CALIBRATION, TEST) if name not in part]
    return f"no crystal is in the part {', '.join(lacking_parts)}" if lacking_parts else ""


def _parts(stacks: pd.DataFrame, part: np.ndarray) -> pd.DataFrame:
    frame = stacks.assign(part=part)
    found = frame.groupby("entry_id", sort=True).agg(
        spacegroup_number=("spacegroup_number", "first"),
        structure_type=("structure_type", "first"),
        part=("part", "first"),
        stacks=("stack", "size"),
    )
    return found.reset_index()[CBED_PARTS.names]


def _fitted(
    name: str, rows: Rows, names: tuple[str, ...], part: np.ndarray, settings: Cbed, seed: int
) -> _Fitted:
    kind = kind_of(name)
    given = {"trees": settings.trees} if "trees" in kind.parameters else {}
    features, evidence = parted(rows.x, names)
    own = Rows.of(rows.y, features)
    learner = kind.trained(own.take(part == TRAIN), N_GROUPS, given, derive_seed(seed, "fit", name))
    covered = np.bincount(rows.y[part == TRAIN], minlength=N_GROUPS) > 0
    held = part == CALIBRATION
    answer = learner.predict_proba(own.take(held).inputs)
    model = CbedModel(name, learner, fitted_temperature(answer, rows.y[held]), names, covered)
    # What knows nothing of the features is a baseline, and stays one.
    if name not in _BLIND and np.ptp(evidence) > 0:
        model = _with_evidence(model, answer, evidence[held], rows.y[held])
    validation = rows.take(part == VALIDATION)
    loss = score(model.predict_proba(validation.x), validation.y).log_loss
    _LOG.info(
        "%s: log-loss %.3f, temperature %.2f, weight of the evidence %.2f, floor %.3f",
        *(name, loss, model.temperature, model.evidence_weight, model.floor),
    )
    return _Fitted(model, loss)


def _with_evidence(
    model: CbedModel, answer: np.ndarray, evidence: np.ndarray, truth: np.ndarray
) -> CbedModel:
    """The model with temperature, weight of the evidence and floor of the least log-loss.

    Args:
        model: as fitted without evidence.
        answer: its learner's probabilities (n, 230) of crystals to calibrate with.
        evidence: of these, (n, 230).
        truth: their groups (n,), from 0.
    """
    best, least = model, np.inf
    for temperature in model.temperature * np.array(_TEMPERATURES):
        found = warmed(answer, float(temperature))
        for floor in _FLOORS:
            for weight in _WEIGHTS:
                odds = weighed(found, evidence, model.covered, weight, floor)
                of_truth = odds[np.arange(len(truth)), truth]
                loss = float(-np.log(np.maximum(of_truth, LEAST)).mean())
                if loss < least:
                    best = replace(
                        model, temperature=float(temperature), evidence_weight=weight, floor=floor
                    )
                    least = loss
    return best


def _alike(blind: np.ndarray) -> dict[str, np.ndarray]:
    """Random answers at each level, where all its classes are alike."""
    wide = {level: blind[:, : len(classes_of(level))] for level in LEVELS}
    return {level: found / found.sum(axis=1, keepdims=True) for level, found in wide.items()}


def _scores(
    name: str,
    chosen: bool,
    loss: float,
    found: dict[str, np.ndarray],
    groups: np.ndarray,
    crystals: np.ndarray,
) -> Iterator[tuple[Any, ...]]:
    """Rows of CBED_SCORES of one learner: one of each level."""
    n = len(np.unique(crystals))
    for level, probability in found.items():
        s = score(probability, classes_of(level).of(groups))
        # Stacks of a crystal are alike: the interval is that of as many answers as crystals.
        low, high = wilson_interval(round(s.accuracy * n), n)
        yield (
            *(level, name, chosen, s.count, n, s.accuracy, low, high, s.top[5], s.macro_f1),
            *(s.log_loss, s.calibration_error, loss),
        )


def _tests(stacks: pd.DataFrame, probability: np.ndarray) -> pd.DataFrame:
    """Rows of CBED_TESTS from the model's answers (n, 230)."""
    truth = stacks["spacegroup_number"].to_numpy().astype(np.int64) - 1
    every, guess = np.arange(len(truth)), probability.argmax(axis=1)
    own = probability[every, truth]
    columns = {
        "entry_id": stacks["entry_id"].to_numpy(),
        "stack": stacks["stack"].to_numpy(),
        "true_group": truth + 1,
        "predicted_group": guess + 1,
        "probability": probability[every, guess],
        "true_probability": own,
        "rank": 1 + (probability > own[:, None]).sum(axis=1),
    }
    return pd.DataFrame(columns, columns=CBED_TESTS.names)
