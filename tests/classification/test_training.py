"""Parts, scores, search and training of classifiers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from mlindex.classification.features import features_of
from mlindex.classification.settings import Classifiers
from mlindex.classification.tables import (
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_TESTS,
)
from mlindex.classification.training import train_classifier
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.parts import CALIBRATION, TEST, TRAIN, UNITS, assign_parts
from mlindex.learning.scores import (
    calibration_error,
    fitted_temperature,
    per_class,
    score,
    warmed,
)

SETTINGS = Classifiers(
    learners=("frequency", "extra_trees"), candidates=2, folds=2, search_rows=150
)


def examples(count=150):
    """Lists of cubic lattices P and F, two of each of ``count`` entries."""
    rng = np.random.default_rng(4)
    rows = []
    sums = {221: [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12], 225: [3, 4, 8, 11, 12, 16, 19, 20, 24]}
    for entry in range(count):
        number = 221 if entry % 2 else 225
        for measurement in (0, 1):
            q2 = np.array(sums[number]) / rng.uniform(3, 12) ** 2
            q2 = np.delete(q2, rng.integers(len(q2))) if measurement else q2
            rows.append(
                (
                    f"e_{entry:03d}",
                    number,
                    "cP" if number == 221 else "cF",
                    f"type {entry // 3}",
                    f"family {entry // 10}",
                    measurement,
                    1.54,
                    q2,
                    rng.uniform(0.1, 1, len(q2)),
                    1.2 * q2[-1],
                )
            )
    names = ["entry_id", "spacegroup_number", "bravais_lattice", "structure_type"]
    names += ["composition_family", "measurement", "wavelength_A", "q2_inv_A2", "intensity"]
    frame = pd.DataFrame(rows, columns=[*names, "last_q2_inv_A2"])
    lines = (frame[name].tolist() for name in ("q2_inv_A2", "intensity", "last_q2_inv_A2"))
    return frame.assign(features=list(features_of(*lines)))


@pytest.mark.parametrize("unit", UNITS)
def test_units_stand_in_one_part_whatever_the_order_of_rows(unit: str) -> None:
    frame = examples()
    part = assign_parts(frame, unit, 0.2, 0.1, np.random.default_rng(1))
    assert (pd.Series(part).groupby(frame[unit]).nunique() == 1).all()
    shares = pd.Series(part).value_counts(normalize=True)
    assert shares[TEST] == pytest.approx(0.2, abs=0.06)
    assert shares[CALIBRATION] == pytest.approx(0.1, abs=0.06)
    assert set(shares.index) == {TRAIN, CALIBRATION, TEST}
    mixed = frame.sample(frac=1, random_state=3)
    again = assign_parts(mixed, unit, 0.2, 0.1, np.random.default_rng(1))
    assert np.array_equal(part[mixed.index], again)


def test_scores_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(8)
    probability = rng.dirichlet(np.ones(5), 300)
    truth = rng.integers(0, 4, 300)
    guess = probability.argmax(axis=1)
    judged = score(probability, truth)
    labels = np.unique(truth)
    assert judged.macro_f1 == pytest.approx(f1_score(truth, guess, labels=labels, average="macro"))
    assert judged.weighted_f1 == pytest.approx(f1_score(truth, guess, average="weighted"))
    assert judged.low < judged.accuracy == (guess == truth).mean() < judged.high
    assert judged.accuracy < judged.top[3] < judged.top[5] == 1
    # Where nothing is told apart, three of five names hold the class three times of five.
    assert score(np.full((10, 5), 0.2), np.arange(10) % 5).top[3] == pytest.approx(0.6)
    table = per_class(guess, truth, 5)
    reference = precision_recall_fscore_support(truth, guess, labels=range(5), zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "count"), reference, strict=True):
        assert table[name] == pytest.approx(values)


def test_temperature_undoes_what_was_done_and_calibration_is_seen() -> None:
    rng = np.random.default_rng(9)
    probability = rng.dirichlet(np.ones(4), 20_000)
    truth = np.array([rng.choice(4, p=p) for p in probability])
    assert fitted_temperature(probability, truth) == pytest.approx(1, rel=0.05)
    sharp = warmed(probability, 0.5)
    assert fitted_temperature(sharp, truth) == pytest.approx(2, rel=0.05)
    right = probability.argmax(axis=1) == truth
    assert calibration_error(probability.max(axis=1), right) < 0.02
    assert calibration_error(sharp.max(axis=1), right) > 0.1


def test_training_compares_chooses_and_tests_the_same_way_twice() -> None:
    frame = examples()
    trained, again = (train_classifier(frame, "bravais", SETTINGS, 7) for _ in range(2))
    assert trained.kind == "extra_trees"
    for table, columns in (
        (trained.search, CLASSIFIER_SEARCH),
        (trained.scores, CLASSIFIER_SCORES),
        (trained.tests, CLASSIFIER_TESTS),
    ):
        assert columns.arrow(table).num_rows == len(table) > 0
    own = trained.scores[trained.scores["split"] == "structure_type"]
    accuracy = own.groupby("learner")["accuracy"].mean()
    assert accuracy["extra_trees"] > 0.9 > accuracy["frequency"]
    assert set(trained.scores["split"]) == set(UNITS)
    assert set(trained.tests["true_class"]) == {"cP", "cF"}
    pd.testing.assert_frame_equal(trained.tests, again.tests)
    # Every learner answers every list of the test part, and the scores are of these answers.
    answers = trained.tests[trained.tests["measurement"] == 0].groupby("learner")
    right = answers.apply(lambda rows: (rows["true_class"] == rows["predicted_class"]).mean())
    stated = own[own["lists"] == "calculated"].set_index("learner")["accuracy"]
    assert dict(right) == dict(stated)
    assert answers.size().nunique() == 1
    arrays = again.learner.arrays()
    assert all(np.array_equal(a, arrays[name]) for name, a in trained.learner.arrays().items())
    # The identifiers of the tests are those of the part that nothing was fitted to.
    seen = set(trained.tests["entry_id"])
    assert 0 < len(seen) < frame["entry_id"].nunique() / 3


def test_too_few_lists_are_stated_not_a_crash() -> None:
    trained = train_classifier(examples(20), "bravais", SETTINGS, 7)
    assert trained.learner is None
    assert trained.reason == "40 lists of 2 classes; 200 of 2 are needed"
    one = examples()
    one["spacegroup_number"] = 225
    assert "of 1 classes" in train_classifier(one, "space_group", SETTINGS, 7).reason
    assert len(classes_of("space_group")) == 230
