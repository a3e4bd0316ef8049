"""What a classifier goes by, of a learner that is known to go by one number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.scripts_in_process import run
from mlindex.base.schema import read_table, write_table
from mlindex.classification import explanation
from mlindex.classification.card import read_fitted, write_classifier
from mlindex.classification.classifier import Fitted
from mlindex.classification.explanation import importance, occlusion
from mlindex.classification.features import GROUPS
from mlindex.classification.settings import Explanation
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_TESTS,
    SYMMETRY_EXAMPLES,
)
from mlindex.classification.training import Trained
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.contract import Classifier, Inputs
from mlindex.learning.learners.shares import Shares

SETTINGS = Explanation(permuted_lists=30, repeats=8, occluded_lists=10)
NAMES = classes_of("bravais").names
SUMS = {"cP": (221, [1, 2, 3, 4, 5, 6, 8]), "cF": (225, [3, 4, 8, 11, 12, 16, 19])}


class Second(Classifier):
    """Says cP where q² of the second line is above 1.6 times that of the first, else cF."""

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        found = np.full((len(inputs.x), len(NAMES)), 0.1 / 12)
        primitive = inputs.x[:, 0] > np.log(1.6)
        found[:, NAMES.index("cP")] = np.where(primitive, 0.8, 0.1)
        found[:, NAMES.index("cF")] = np.where(primitive, 0.1, 0.8)
        return found


@pytest.fixture(scope="module")
def tested() -> pd.DataFrame:
    """A list of each of 30 crystals, one of them with a single line."""
    rng = np.random.default_rng(2)
    rows = []
    for i in range(30):
        number, sums = SUMS["cP" if i % 2 else "cF"]
        q2 = np.array(sums if i else sums[:1]) / rng.uniform(3, 9) ** 2
        rows.append((f"e{i:02d}", number, 0, q2, rng.uniform(0.1, 1, len(q2)), 1.1 * q2[-1]))
    return pd.DataFrame(rows, columns=explanation.COLUMNS)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return Fitted("logistic", Second())


def test_only_the_group_that_is_gone_by_costs_something(tested, fitted) -> None:
    found = importance(tested, "bravais", fitted, SETTINGS, 5)
    assert CLASSIFIER_IMPORTANCE.arrow(found).num_rows == len(found) == len(GROUPS) + 2
    assert set(found["lists"]) == {"calculated"}
    lost = found.set_index("features")
    # The crystal of one line has no second: it is called cF, as it is.
    assert (lost["accuracy"] == 1).all()
    ratios = [name for name in lost.index if "ratios" in name]
    assert len(ratios) == 2
    others = lost.drop(ratios)
    assert (others[["accuracy_loss", "log_loss_rise", "accuracy_loss_high"]] == 0).all(axis=None)
    # Half of the lists get the ratio of the other class.
    assert lost.loc[ratios, "accuracy_loss"].to_numpy() == pytest.approx(0.5, abs=0.1)
    low, high = lost.loc["ratios of q²", ["accuracy_loss_low", "accuracy_loss_high"]]
    value = lost.loc["ratios of q²", "accuracy_loss"]
    assert value - 0.15 < low < value < high < value + 0.15
    rise = np.log(0.8 / 0.1) * lost.loc["ratios of q²", "accuracy_loss"]
    assert lost.loc["ratios of q²", "log_loss_rise"] == pytest.approx(rise)
    again = importance(tested, "bravais", fitted, SETTINGS, 5)
    pd.testing.assert_frame_equal(found, again)


def test_a_line_matters_where_the_answer_turns_on_it(tested, fitted) -> None:
    every = SETTINGS.model_copy(update={"occluded_lists": 30})
    found = occlusion(tested, "bravais", fitted, every, 5)
    assert CLASSIFIER_OCCLUSION.arrow(found).num_rows == len(found) == 7
    by_line = found.set_index("line")
    assert (by_line["count"] == 29).all()
    assert (by_line["accuracy"] == 1).all()
    # Without the first line 3/2 and 8/4 are the ratios, without the second 3 and 8/3.
    assert by_line["changed"].to_list() == pytest.approx([1, 14 / 29, 0, 0, 0, 0, 0])
    assert by_line["accuracy_without"].to_list() == pytest.approx([0, 15 / 29, 1, 1, 1, 1, 1])
    assert by_line["probability_loss"].iloc[0] == pytest.approx(0.7)
    assert by_line["probability_loss"].iloc[1] == pytest.approx(0.7 * 14 / 29)
    few = occlusion(tested, "bravais", fitted, SETTINGS, 5)
    assert few["count"].max() <= 10


def test_lists_of_one_crystal_make_no_interval_narrower() -> None:
    rng = np.random.default_rng(0)
    values, entry = rng.normal(1, 2, 50), np.arange(50).astype(str)
    one = explanation._mean(values, entry)
    half = 1.959964 * values.std(ddof=1) / np.sqrt(50)
    assert one == pytest.approx((values.mean(), values.mean() - half, values.mean() + half))
    assert explanation._mean(np.tile(values, 3), np.tile(entry, 3)) == pytest.approx(one)


def trained(kind: str, learner: Classifier | None, test_part: pd.DataFrame) -> Trained:
    empty = (t.empty() for t in (CLASSIFIER_SEARCH, CLASSIFIER_SCORES))
    return Trained(learner, kind, 1.5, *empty, test_part, "" if learner else "too few")


@pytest.mark.parametrize("level", ["bravais", "crystal_system"])
def test_the_script_asks_the_learner_that_was_written(tested, level, tmp_path) -> None:
    k = len(classes_of(level))
    learner = Shares(np.arange(1.0, k + 1) / (k * (k + 1) / 2))
    answers = pd.DataFrame({"entry_id": tested["entry_id"].head(8)}).assign(
        **{"measurement": 0, "learner": "frequency", "probability": 0.1},
        **{"true_class": "", "predicted_class": "", "true_probability": 0.1},
    )
    made = trained("frequency", learner, answers[CLASSIFIER_TESTS.names])
    write_classifier(tmp_path / "classifier", level, made, {})
    read = read_fitted(tmp_path / "classifier", level)
    assert (read.kind, read.temperature) == ("frequency", 1.5)
    assert np.array_equal(read.learner.probability, learner.probability)
    lists = tested.assign(
        **dict.fromkeys(("bravais_lattice", "structure_type", "composition_family"), ""),
        wavelength_A=1.54,
        features=[np.zeros(1, dtype=np.float32)] * len(tested),
    )
    write_table(tmp_path / "examples.parquet", SYMMETRY_EXAMPLES, lists[SYMMETRY_EXAMPLES.names])
    for tests in (made.tests, CLASSIFIER_TESTS.empty()):
        write_table(tmp_path / "tests.parquet", CLASSIFIER_TESTS, tests)
        run(
            "explain_classifier",
            tmp_path,
            {"classifier": "classifier", "tests": "tests.parquet", "examples": "examples.parquet"},
            {"importance": "importance.parquet", "occlusion": "occlusion.parquet"},
            {"level": level},
            ["explanation"],
        )
        found = read_table(tmp_path / "importance.parquet", CLASSIFIER_IMPORTANCE)
        assert set(found["count"]) == ({8} if len(tests) else set())
        assert not found["accuracy_loss"].any()
        lines = read_table(tmp_path / "occlusion.parquet", CLASSIFIER_OCCLUSION)
        assert len(lines) == (7 if len(tests) else 0)
