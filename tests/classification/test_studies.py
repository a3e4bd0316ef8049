"""Studies of what helps classifiers: drawing of crystals, judging, and that of imbalance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from helpers.study_examples import CRYSTALS, small_subject, study_examples
from mlindex.base.errors import MlindexError
from mlindex.classification.settings import Classifiers, ClassifierStudies
from mlindex.classification.studies.carrying import carried_out
from mlindex.classification.studies.imbalance import ADJUSTED, TRAININGS, Lesson
from mlindex.classification.studies.judge import Judge, by_size
from mlindex.classification.studies.material import Material
from mlindex.classification.studies.peers import RECIPES, degree_grid, first_lines
from mlindex.classification.studies.registry import STUDIES, kinds_in, study_file
from mlindex.classification.studies.sampling import (
    NEAR,
    cut,
    drawn,
    equal_counts,
    largest,
    natural_counts,
    raised,
)
from mlindex.classification.tables import CLASSIFIER_STUDIES
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.registry import KINDS
from mlindex.learning.parts import CALIBRATION, TEST, TRAIN

SETTINGS = ClassifierStudies(
    seeds=2,
    resamples=20,
    imbalance_crystals=120,
    imbalance_learner="frequency",
    least_crystals=2,
)


def test_shares_are_natural_as_far_as_there_are_crystals():
    prior = np.array([0.6, 0.3, 0.099, 0.001, 0.0])
    counts = natural_counts(np.array([60, 500, 500, 10, 7]), prior, 1000, least=3)
    assert counts[3] == 3
    assert counts[4] == 0
    shares = counts[:3] / counts[:3].sum()
    assert 0.5 * np.abs(shares - prior[:3]).sum() <= NEAR
    assert counts[0] == 60
    assert 100 <= counts.sum() <= 115
    assert natural_counts(np.array([900, 900, 900, 9, 0]), prior, 100).sum() == 100


def test_equal_shares_use_up_small_classes():
    assert equal_counts(np.array([10, 2, 10, 0]), 12).tolist() == [5, 2, 5, 0]
    assert equal_counts(np.array([3, 2]), 50).tolist() == [3, 2]


def test_samples_have_exact_counts_and_copies_of_their_own_crystals_alone():
    class_of = np.repeat([0, 1, 2], [50, 8, 3])
    some = np.arange(0, 61, 1)[class_of >= 0]
    rng = np.random.default_rng(1)
    chosen = drawn(some, class_of, np.array([20, 8, 1]), rng)
    assert np.bincount(class_of[chosen]).tolist() == [20, 8, 1]
    assert len(set(chosen)) == 29
    assert np.bincount(class_of[cut(some, class_of, 5, rng)]).tolist() == [5, 5, 3]
    more = raised(chosen, class_of, 20, rng)
    assert np.bincount(class_of[more]).tolist() == [20, 20, 20]
    assert set(more) == set(chosen)
    copies = np.bincount(more)[chosen]
    assert set(copies[class_of[chosen] == 1]) == {2, 3}
    again = raised(chosen, class_of, 20, np.random.default_rng(3))
    assert np.array_equal(again, raised(chosen, class_of, 20, np.random.default_rng(3)))


def test_the_20_largest_are_at_most_half():
    assert largest(np.array([5, 9, 1, 0, 7, 2, 3])).tolist() == [0, 1, 4]
    assert len(largest(np.arange(1, 231))) == 20
    assert len(largest(np.arange(1, 15))) == 7


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.of(study_examples(), "extinction_symbol", Classifiers(), 5)


def test_material_knows_shares_and_lists_of_crystals(material):
    assert material.prior.sum() == pytest.approx(1)
    assert (material.prior > 0).sum() == len(CRYSTALS)
    lists = material.judged(TEST)
    weight = material.natural_weight(lists)
    seen = np.unique(material.rows.y[lists])
    met = np.bincount(material.rows.y[lists], weight, material.n_classes) / weight.sum()
    assert met[seen] == pytest.approx(material.prior[seen] / material.prior[seen].sum())
    assert np.ptp(np.bincount(material.rows.y[lists], material.equal_weight(lists))[seen]) < 1e-9
    twice = material.lists_of(np.array([4, 0, 4]))
    assert len(twice) == 6
    assert material.crystal[twice].tolist() == [4, 4, 0, 0, 4, 4]


def test_no_crystal_of_a_training_is_in_another_part(material):
    subject = replace(small_subject(SETTINGS), level="extinction_symbol")
    lesson = Lesson.of(subject, material, 9)
    held_out = {*material.crystals(TEST), *material.crystals(CALIBRATION)}
    fitted, last, counts, samples = [], {}, {}, {}

    class Watched(Lesson):
        def learnt(self, crystals, weights=None, members=1):
            fitted.append(set(crystals.tolist()))
            last["crystals"] = crystals
            return super().learnt(crystals, weights, members)

    watched = Watched(lesson.subject, material, lesson.natural, 9)
    rows = {}
    for name, train in TRAININGS.items():
        rows[name] = train(watched).rows
        samples[name] = last["crystals"]
        counts[name] = np.bincount(material.class_of[last["crystals"]])
    assert not set.union(*fitted) & held_out
    assert set.union(*fitted) <= set(material.crystals(TRAIN).tolist())
    # The same number of crystals where balance is made at the source, two lists of each.
    assert rows["source"] == rows["plain"] == rows["loss_weights"] == 2 * len(lesson.natural)
    assert rows["half"] == rows["plain"]
    assert len(samples["half"]) == len(set(samples["half"]))
    assert rows["under"] < rows["plain"] <= rows["over"]
    assert lesson.counts[lesson.counts > 0].min() >= 2
    # Large classes are cut to one level, small ones raised to it.
    assert len(set(counts["mixed"][counts["mixed"] > 0])) == 1
    # A learner that looks at nothing bears every cut.
    assert counts["mixed"].max() == 1
    assert counts["over"][counts["over"] > 0].min() >= round(0.1 * lesson.counts.max())


def test_classifiers_of_pairs_only_divide_what_two_classes_have(material):
    subject = replace(small_subject(SETTINGS), level="extinction_symbol")
    lesson = Lesson.of(subject, material, 9)
    plain, pairs = (TRAININGS[name](lesson) for name in ("plain", "pairs"))
    for before, after in ((plain.calibration, pairs.calibration), (plain.test, pairs.test)):
        two = np.argsort(-before, axis=1, kind="stable")[:, :2]
        others = np.ones(before.shape, dtype=bool)
        others[np.arange(len(before))[:, None], two] = False
        assert np.array_equal(before[others], after[others])
        assert after.sum(axis=1) == pytest.approx(1)
    assert pairs.rows >= plain.rows


def test_measures_agree_with_scikit_learn():
    rng = np.random.default_rng(4)
    truth, guess = rng.integers(0, 4, 200), rng.integers(0, 5, 200)
    weight = rng.uniform(0.1, 3, 200)
    judge = Judge(truth, np.arange(200) // 2, list("abcde"), {"all": weight}, resamples=50)
    found = judge.measures(guess, weight)
    options = {"sample_weight": weight, "zero_division": 0}
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, guess, sample_weight=weight))
    for kind in ("macro", "weighted"):
        expected = f1_score(truth, guess, labels=range(4), average=kind, **options)
        assert found[f"{kind}_f1"] == pytest.approx(expected)
    reference = precision_recall_fscore_support(truth, guess, labels=range(5), **options)
    table = judge.per_class(guess, weight)
    for name, values in zip(("precision", "recall", "f1", "count"), reference, strict=True):
        assert table[name] == pytest.approx(values)
    groups = judge.with_groups(by_size(np.array([500, 50, 3, 3, 0]))).groups
    assert list(groups) == ["head", "middle", "tail"]
    assert groups["tail"].tolist() == [False, False, True, True, False]


def test_gains_are_paired():
    truth = np.tile([0, 1], 100)
    judge = Judge(truth, np.arange(200), ["a", "b"], {"all": np.ones(200)}, resamples=100)
    noisy = np.where(np.arange(200) % 5 == 0, 1 - truth, truth)
    better = noisy.copy()
    better[:10] = truth[:10]
    rows = {
        (row.seed, row.metric): row
        for row in judge.judged([better, better]).rows("b", 9, judge.judged([noisy, noisy]))
    }
    assert rows[1, "accuracy"].value == rows[2, "accuracy"].value == pytest.approx(0.81)
    gain, whole = rows[0, "accuracy_gain"], rows[0, "accuracy"]
    assert gain.value == pytest.approx(0.01)
    # Of the same draws: far narrower than the interval of either.
    assert 0 <= gain.low < gain.value < gain.high < 0.05
    assert whole.low < 0.78
    assert whole.high > 0.84


def test_imbalance_compares_every_strategy_the_same_way_twice():
    settings = SETTINGS.model_copy(update={"imbalance_learner": "logistic"})
    settings = settings.model_copy(update={"seeds": 1})
    first, again = (carried_out("imbalance", small_subject(settings)) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert CLASSIFIER_STUDIES.arrow(first).num_rows == len(first)
    assert set(first["variant"]) == {*TRAININGS, *ADJUSTED}
    assert set(first["level"]) == {"extinction_symbol"}
    means = first[(first["seed"] == 0) & (first["class"] == "")]
    shares = means[~means["metric"].str.endswith("_gain")]
    assert shares["value"].between(0, 1).all()
    assert (shares["low"] <= shares["high"]).all()
    sizes = first[first["metric"] == "crystals"]
    assert set(sizes["class"]) <= set(classes_of("extinction_symbol").names)
    assert len(sizes) == len(CRYSTALS)


def test_recipes_of_others_see_what_they_say():
    two_theta = np.array([4.9, 5.0, 5.9, 6.2, 89.99, 90.0])
    intensity = np.array([1.0, 0.2, 0.5, 0.1, 0.25, 0.9])
    ten = first_lines(two_theta, intensity)
    assert ten[:6].tolist() == two_theta.tolist()
    assert np.isnan(ten[6:10]).all()
    assert ten[10] == 6
    assert first_lines(np.arange(30.0), np.ones(30))[-2:].tolist() == [9, 30]
    grid = degree_grid(two_theta, intensity)
    assert len(grid) == 85
    # Lines below 5 and from 90 degrees on are beyond it; the strongest within is 1.
    assert grid[[0, 1, 84]] == pytest.approx([1, 0.2, 0.5])
    assert np.count_nonzero(grid) == 3


def test_peers_are_compared_with_ours_on_the_same_lists():
    settings = ClassifierStudies(
        seeds=1, resamples=20, crystals=100, peers_learner="frequency", peers_levels=("bravais",)
    )
    found = carried_out("peers", small_subject(settings, study_examples({14: 120, 225: 80})))
    assert CLASSIFIER_STUDIES.arrow(found).num_rows == len(found)
    assert set(found["variant"]) == {"ours", *RECIPES}
    assert set(found["part"]) == {"calculated", "measured"}
    value = found.set_index(["variant", "part", "seed", "metric"])["value"].to_dict()
    for name in RECIPES:
        only_ours, only_it = (value[name, "measured", 1, m] for m in ("only_ours", "only_it"))
        gain = value[name, "measured", 0, "accuracy_gain"]
        # One measured list of each crystal: the gain is the difference of the two counts.
        assert np.sign(gain) == np.sign(only_it - only_ours)
        assert 0 <= value[name, "measured", 1, "p"] <= 1


def test_curves_grow_and_regularization_is_told_apart():
    settings = ClassifierStudies(
        seeds=2, resamples=20, crystals=160, curve_learners=("logistic",), curve_levels=("bravais",)
    )
    found = carried_out("bias_variance", small_subject(settings))
    means = found[found["seed"] == 0]
    curve = means[(means["variant"] == "logistic") & (means["metric"] == "accuracy")]
    assert sorted(set(curve["rows"])) == [40, 80, 160, 320]
    assert set(means["variant"]) == {"logistic", *(f"logistic: l2 {v}" for v in ("0.01", 1, 100))}
    loss = means[(means["metric"] == "log_loss") & (means["rows"] == 320)]
    training = loss[loss["part"] == "training"].set_index("variant")["value"]
    assert training["logistic: l2 0.01"] <= training["logistic"] < training["logistic: l2 100"]
    # The defaults are one of the ways.
    assert training["logistic"] == training["logistic: l2 1"]
    validation = means[means["part"] == "validation"]
    assert (validation["low"] <= validation["value"]).all()
    assert (validation["value"] <= validation["high"]).all()


def test_too_few_lists_make_an_empty_study():
    few = small_subject(SETTINGS, study_examples({14: 10, 2: 10}))
    for name in STUDIES.keys() - {"multitask"}:
        assert carried_out(name, few).empty


def test_studies_are_declared_and_depend_on_their_code():
    assert set(ClassifierStudies().studies) <= set(STUDIES)
    for name in STUDIES:
        assert study_file(name).is_file()
        assert set(kinds_in(name, ClassifierStudies())) <= set(KINDS)
    assert kinds_in("imbalance", SETTINGS) == ["frequency"]
    with pytest.raises(MlindexError, match="imbalance"):
        carried_out("none", small_subject(SETTINGS))
