"""Tables of classifiers summed up, against plain counting and other libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix

from mlindex.classification.paired import mcnemar
from mlindex.classification.summary import (
    answered,
    class_counts,
    confusions,
    of_lists,
    paired,
    part_scores,
    relation,
    reliability,
    surest_mistakes,
)
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.scores import calibration_error

NAMES = ("cP", "cF", "tP", "oP")


@pytest.fixture(scope="module")
def tests() -> pd.DataFrame:
    """Answers of two learners to two lists of each of 150 crystals."""
    rng = np.random.default_rng(3)
    rows = []
    for learner, skill in (("majority", 0.0), ("extra_trees", 0.7)):
        for entry in range(150):
            true = NAMES[entry % len(NAMES)]
            for measurement in (0, 1):
                probability = round(rng.uniform(0.3, 1), 2)
                given = true if rng.uniform() < skill * probability else NAMES[0]
                of_true = probability if given == true else 0.1
                rows.append(
                    (f"e{entry:03d}", measurement, learner, true, given, probability, of_true)
                )
    names = ["entry_id", "measurement", "learner", "true_class", "predicted_class"]
    return pd.DataFrame(rows, columns=[*names, "probability", "true_probability"])


def own(tests: pd.DataFrame) -> pd.DataFrame:
    return tests[tests["learner"] == "extra_trees"]


@pytest.mark.parametrize(
    ("first", "second"), [(0, 0), (1, 0), (7, 7), (12, 3), (3, 12), (300, 180)]
)
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int) -> None:
    n = first + second
    expected = binomtest(first, n, 0.5).pvalue if n else 1.0
    assert mcnemar(first, second) == pytest.approx(expected)


def test_learners_are_compared_on_one_list_of_each_crystal(tests: pd.DataFrame) -> None:
    measured = of_lists(tests, "measured")
    row = paired(measured, "extra_trees").iloc[0]
    right = {
        name: dict(zip(g["entry_id"], g["true_class"] == g["predicted_class"], strict=True))
        for name, g in measured.groupby("learner")
    }
    ids = right["majority"]
    first = sum(right["extra_trees"][i] and not right["majority"][i] for i in ids)
    second = sum(right["majority"][i] and not right["extra_trees"][i] for i in ids)
    assert (row["learner"], row["crystals"]) == ("majority", 150)
    assert (row["only_chosen"], row["only_other"]) == (first, second)
    # All lists at once count a crystal once.
    assert paired(tests, "extra_trees").iloc[0]["crystals"] == 150


def test_classes_by_size_and_part() -> None:
    numbers = [221] * 101 + [225] * 100 + [123] * 20 + [16] * 19
    frame = pd.DataFrame(
        {"entry_id": [f"e{i}" for i in range(len(numbers))], "spacegroup_number": numbers}
    )
    twice = pd.concat([frame, frame], ignore_index=True)
    counts = class_counts(twice, "bravais")
    assert list(counts["class"]) == ["cP", "cF", "tP", "oP"]
    assert list(counts["crystals"]) == [101, 100, 20, 19]
    assert list(counts["lists"]) == [202, 200, 40, 38]
    assert list(counts["part"]) == ["head", "middle", "middle", "tail"]


def test_parts_add_up(tests: pd.DataFrame) -> None:
    sizes = pd.DataFrame({"class": NAMES, "part": ["head", "middle", "middle", "tail"]})
    rows = own(tests)
    found = part_scores(rows, sizes, "bravais").set_index("part")
    right = rows["true_class"] == rows["predicted_class"]
    assert found.loc["middle", "classes"] == 2
    assert found["lists"].sum() == len(rows)
    assert (found["right"] * found["lists"]).sum() == pytest.approx(right.sum())
    tail = right[rows["true_class"] == "oP"].mean()
    assert found.loc["tail", "recall"] == pytest.approx(tail) == found.loc["tail", "right"]


def test_confusions_agree_with_scikit_learn(tests: pd.DataFrame) -> None:
    rows = own(tests)
    reference = confusion_matrix(
        rows["true_class"], rows["predicted_class"], labels=classes_of("bravais").names
    )
    assert np.array_equal(confusions(rows, "bravais"), reference)


@pytest.mark.parametrize(
    ("true", "given", "found"),
    [
        ("cF", "tI", "subgroup"),
        ("oP", "tP", "supergroup"),
        ("oP", "oC", "same lattice system"),
        ("hP", "cP", "neither"),
        ("tI", "tI", "the same"),
    ],
)
def test_relation_of_lattices(true: str, given: str, found: str) -> None:
    assert relation(true, given).startswith(found)


def test_reliability_agrees_with_scikit_learn_and_with_the_error(tests: pd.DataFrame) -> None:
    rows = own(tests)
    right = (rows["true_class"] == rows["predicted_class"]).to_numpy()
    bins = reliability(rows)
    # Bins of scikit-learn are open at the left.
    shifted = rows["probability"] + 1e-9
    expected, confidence = calibration_curve(right, np.minimum(shifted, 1), n_bins=10)
    assert bins["right"].to_numpy() == pytest.approx(expected)
    assert bins["confidence"].to_numpy() == pytest.approx(confidence)
    error = np.average(abs(bins["right"] - bins["confidence"]), weights=bins["count"])
    assert error == pytest.approx(calibration_error(rows["probability"].to_numpy(), right))


def test_who_answers_less_is_counted_on_what_is_answered(tests: pd.DataFrame) -> None:
    rows = own(tests)
    found = answered(rows, np.array([0.25, 1.0]))
    kept = rows[rows["probability"] >= found["threshold"].iloc[0]]
    assert found["share"].iloc[0] == len(kept) / len(rows) >= 0.25
    assert found["right"].iloc[0] == (kept["true_class"] == kept["predicted_class"]).mean()
    assert found["share"].iloc[1] == 1


def test_surest_mistakes_are_wrong_and_of_different_crystals(tests: pd.DataFrame) -> None:
    rows = own(tests)
    wrong = rows[rows["true_class"] != rows["predicted_class"]]
    found = surest_mistakes(rows, 10)
    assert len(found) == found["entry_id"].nunique() == 10
    assert found["probability"].is_monotonic_decreasing
    assert found["probability"].iloc[0] == wrong["probability"].max()
    assert (found["true_class"] != found["predicted_class"]).all()
