"""What all learners of classes hold alike, and each against the library that fits it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from mlindex.base.errors import MlindexError
from mlindex.base.imports import PACKAGE
from mlindex.base.provenance import derive_seed
from mlindex.learning.arrays import write_arrays
from mlindex.learning.learners.common import moments, standard
from mlindex.learning.learners.contract import Inputs, Rows
from mlindex.learning.learners.fitting import boosting, extra_trees, logistic
from mlindex.learning.learners.forest import Forest
from mlindex.learning.learners.registry import KINDS, fitting_file, kind_of, learner_of

N_CLASSES, N_FEATURES, N_GRID = 4, 6, 48
#: Where the tests need less than the defaults.
SMALL = {
    "extra_trees": {"trees": 20},
    "boosting": {"rounds": 15, "least_rows": 5},
    "convolution": {
        **{"channels": (8, 8), "kernel": 7, "pool": 2, "hidden": (16,), "dropout": 0.0},
        **{"epochs": 8, "batch_size": 32, "learning_rate": 1e-2},
    },
}
SEEING = [name for name in KINDS if name not in ("majority", "frequency")]


def made(n: int = 320, seed: int = 1, absent: int | None = None) -> Rows:
    """An easy problem: classes of unlike size, features around a centre, one in fifteen unknown.

    A pattern has two peaks, further apart from class to class.
    """
    rng = np.random.default_rng(seed)
    y = rng.choice(N_CLASSES, n, p=[0.4, 0.3, 0.2, 0.1])
    y = np.where(y == absent, 0, y) if absent is not None else y
    x = np.eye(N_CLASSES, N_FEATURES)[y] * 3 + rng.normal(size=(n, N_FEATURES))
    x[rng.random(x.shape) < 1 / 15] = np.nan
    first = rng.integers(4, 16, n)
    points = np.arange(N_GRID)
    grid = sum(np.exp(-0.5 * (points - peak[:, None]) ** 2) for peak in (first, first + 6 + 7 * y))
    return Rows.of(y, x, grid, rng.uniform(0.5, 2, n))


@cache
def arrays_of(name: str) -> dict[str, np.ndarray]:
    return kind_of(name).train(made(), N_CLASSES, SMALL.get(name), seed=3)


def learner(name: str):
    return kind_of(name).learner.from_arrays(arrays_of(name))


@pytest.fixture(params=list(KINDS))
def name(request) -> str:
    return request.param


def test_probabilities_of_all_classes_add_to_one(name):
    found = learner(name).predict_proba(made(50, 2).inputs)
    assert found.shape == (50, N_CLASSES)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    none = learner(name).predict_proba(made(50, 2).take(np.arange(0)).inputs)
    assert none.shape == (0, N_CLASSES)


@pytest.mark.parametrize("name", SEEING)
def test_what_sees_the_pattern_beats_the_frequencies(name):
    rows = made(200, 2)
    right = learner(name).predict_proba(rows.inputs)[np.arange(200), rows.y]
    by_chance = learner("frequency").predict_proba(rows.inputs)[np.arange(200), rows.y]
    assert right.mean() > by_chance.mean() + 0.25


def test_baselines_follow_the_weights():
    rows = Rows.of([0, 0, 1, 2], np.zeros((4, 1)), weight=[1, 1, 4, 2])
    share = kind_of("frequency").trained(rows, 4).predict_proba(rows.inputs)
    np.testing.assert_allclose(share, np.tile([0.25, 0.5, 0.25, 0], (4, 1)))
    most = kind_of("majority").trained(rows, 4).predict_proba(rows.inputs)
    np.testing.assert_array_equal(most, np.tile([0, 1, 0, 0], (4, 1)))


def test_saved_and_loaded_it_is_the_same_and_training_repeats(name, tmp_path):
    kind = kind_of(name)
    learner(name).save(tmp_path / "a.npz")
    with threadpool_limits(2):
        again = kind.trained(made(), N_CLASSES, SMALL.get(name), seed=3)
    again.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    rows = made(20, 4)
    loaded = learner_of(name).load(tmp_path / "a.npz").predict_proba(rows.inputs)
    np.testing.assert_array_equal(loaded, learner(name).predict_proba(rows.inputs))


def test_weights_count_by_their_ratios_and_none_is_no_row(name):
    rows = made()
    extra = rows.take(np.arange(40))
    wrong = replace(extra, y=(extra.y + 1) % N_CLASSES, weight=np.zeros(40))
    grid = np.concatenate([rows.grid, wrong.grid])
    joined = Rows(
        np.concatenate([rows.x, wrong.x]),
        grid,
        np.concatenate([rows.y, wrong.y]),
        4 * np.concatenate([rows.weight, wrong.weight]),
    )
    found = kind_of(name).train(joined, N_CLASSES, SMALL.get(name), seed=3)
    for key, array in arrays_of(name).items():
        np.testing.assert_array_equal(found[key], array)


def test_wrong_shapes_are_refused(name):
    inputs = made(5).inputs
    wrong = [Inputs(inputs.x[0], inputs.grid)]
    if name in SEEING:
        wrong.append(Inputs(inputs.x[:, 1:], inputs.grid))
    if kind_of(name).uses != "features":
        wrong += [Inputs(inputs.x, inputs.grid[:, 1:]), Inputs(inputs.x)]
    for case in wrong:
        with pytest.raises(ValueError, match=r"\d"):
            learner(name).predict_proba(case)


def test_a_class_without_rows_has_no_probability(name):
    rows = made(absent=2)
    fitted = kind_of(name).trained(rows, N_CLASSES + 1, SMALL.get(name))
    found = fitted.predict_proba(rows.inputs)
    assert (found[:, [2, 4]] == 0).all()
    assert found[:, 3].max() > 0 or name == "majority"


def test_one_class_alone_is_certain(name):
    rows = made(40)
    rows = replace(rows, y=np.full(40, 2))
    found = kind_of(name).trained(rows, N_CLASSES, SMALL.get(name)).predict_proba(rows.inputs)
    np.testing.assert_allclose(found, np.eye(N_CLASSES)[rows.y], atol=1e-12)


def test_what_is_asked_wrongly_is_said(name):
    kind, rows = kind_of(name), made(20)
    with pytest.raises(ValueError, match="no parameter colour"):
        kind.train(rows, N_CLASSES, {"colour": 1})
    with pytest.raises(ValueError, match="class 3 of 3"):
        kind.train(replace(rows, y=np.full(20, 3)), 3)
    with pytest.raises(ValueError, match="weight above 0"):
        kind.train(replace(rows, weight=np.zeros(20)), N_CLASSES)
    if kind.uses != "features":
        with pytest.raises(ValueError, match="grid"):
            kind.train(replace(rows, grid=None), N_CLASSES)


def test_searched_parameters_have_defaults(name):
    kind = kind_of(name)
    assert kind.name == name
    assert kind.searched.keys() <= kind.parameters.keys()
    assert all(len(values) > 1 for values in kind.searched.values())


def test_damaged_arrays_are_named_with_their_file(name, tmp_path):
    arrays = arrays_of(name)
    for key, array in arrays.items():
        path = tmp_path / "less.npz"
        write_arrays(path, {k: a for k, a in arrays.items() if k != key})
        with pytest.raises(MlindexError, match=r"less\.npz: .*train"):
            learner_of(name).load(path)
        write_arrays(tmp_path / "shape.npz", {**arrays, key: np.zeros((2, *array.shape, 3))})
        with pytest.raises(MlindexError, match=r"shape\.npz: .*train"):
            learner_of(name).load(tmp_path / "shape.npz")


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("frequency", "probability", np.array([0.5, 0.4])),
        ("logistic", "scale", np.zeros(N_FEATURES, dtype=np.float32)),
        ("logistic", "intercept", np.full(N_CLASSES, -np.inf)),
        ("neighbours", "n_neighbours", np.array(10_000)),
        ("neighbours", "n_classes", np.array(1)),
        ("extra_trees", "n_classes", np.array(2)),
        ("extra_trees", "fill", np.zeros(1, dtype=np.float32)),
        ("boosting", "n_features", np.array(1)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name, key, value):
    with pytest.raises(MlindexError, match="train"):
        learner_of(name).from_arrays({**arrays_of(name), key: value})


@pytest.mark.parametrize(("name", "key"), [("extra_trees", "value"), ("extra_trees", "start")])
def test_leaves_beyond_the_arrays_are_refused(name, key):
    changed = arrays_of(name)[key] + 10_000
    with pytest.raises(MlindexError, match="train"):
        learner_of(name).from_arrays({**arrays_of(name), key: changed})


@pytest.mark.parametrize("n_classes", [2, N_CLASSES])
def test_logistic_equals_scikit_learn(n_classes):
    rows = made()
    rows = rows.take(rows.y < n_classes)
    fitted = kind_of("logistic").trained(rows, n_classes)
    x = standard(rows.x, *moments(rows.x)).astype(float)
    model = logistic.regression(logistic.KIND.parameters)
    model.fit(x, rows.y, sample_weight=rows.weight / rows.weight.mean())
    np.testing.assert_allclose(fitted.predict_proba(rows.inputs), model.predict_proba(x), atol=1e-6)


def test_neighbours_equal_scikit_learn():
    rows, asked = made(), made(60, 5)
    rows = Rows.of(rows.y, rows.x)
    both = np.concatenate([asked.x, rows.x[:3]])
    fitted = kind_of("neighbours").trained(rows, N_CLASSES, {"n_neighbours": 7})
    mean, scale = moments(rows.x)
    model = KNeighborsClassifier(7, weights="distance", algorithm="brute")
    model.fit(standard(rows.x, mean, scale), rows.y)
    expected = model.predict_proba(standard(both, mean, scale))
    found = fitted.predict_proba(Inputs(both))
    np.testing.assert_allclose(found[:60], expected[:60], atol=1e-4)
    np.testing.assert_array_equal(found[60:], np.eye(N_CLASSES)[rows.y[:3]])


def test_extra_trees_equal_scikit_learn():
    rows, asked = made(absent=1), made(60, 5)
    parameters = {**extra_trees.KIND.parameters, "trees": 5, "least_rows": 4}
    arrays = extra_trees.fit(rows, N_CLASSES, parameters, 9, iter)
    model = extra_trees.estimator(parameters, 5, derive_seed(9, "trees", 0))
    fill = extra_trees.stand_in(rows.x)
    model.fit(np.where(np.isnan(rows.x), fill, rows.x), rows.y, sample_weight=rows.weight)
    expected = model.predict_proba(np.where(np.isnan(asked.x), fill, asked.x))
    found = Forest.from_arrays(arrays).predict_proba(asked.inputs)
    np.testing.assert_allclose(found[:, model.classes_], expected, atol=1e-6)


def test_an_unknown_feature_stands_below_the_known_ones():
    x = np.array([[1, np.nan, 2], [3, np.nan, np.nan]], dtype=np.float32)
    np.testing.assert_allclose(extra_trees.stand_in(x), [0.8, 0, 2], rtol=1e-6)


@pytest.mark.parametrize("classes", [(0, 3), (0, 1, 2, 3), (0, 2, 3)])
def test_boosting_equals_scikit_learn(classes):
    rows, asked = made(), made(100, 5)
    rows = rows.take(np.isin(rows.y, classes))
    parameters = {**boosting.KIND.parameters, "rounds": 8, "least_rows": 3}
    # As in training: threads that wait for one another on busy cores take a minute.
    with threadpool_limits(1):
        model = boosting.estimator(parameters, 9).fit(rows.x, rows.y, sample_weight=rows.weight)
    arrays = boosting.boosting_arrays(model, N_CLASSES) | {"n_features": np.array(N_FEATURES)}
    # All features unknown, and none of the rows asked complete.
    asked.x[::2, ::2] = np.nan
    asked.x[0] = np.nan
    found = learner_of("boosting").from_arrays(arrays).predict_proba(asked.inputs)
    np.testing.assert_allclose(found[:, classes], model.predict_proba(asked.x), atol=1e-6)
    assert (np.delete(found, classes, axis=1) == 0).all()


def test_standard_features_of_unknown_and_constant_ones():
    x = np.array([[1, 0.1, np.nan], [3, 0.1, np.nan], [np.nan, 0.1, np.nan]])
    mean, scale = moments(x)
    np.testing.assert_allclose(mean, [2, 0.1, 0], rtol=1e-6)
    np.testing.assert_allclose(scale, [1, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(standard(x, mean, scale), [[-1, 0, 0], [1, 0, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match="infinite"):
        standard([[np.inf, 0, 0]], mean, scale)


def test_rows_that_are_none_are_refused():
    x = np.zeros((3, 2))
    for bad in (
        {"y": [0, 1], "x": x},
        {"y": [0, 1, 2], "x": x[0]},
        {"y": [0, 1, 2], "x": x, "grid": x[:2]},
        {"y": [0, 1, 2], "x": x, "weight": [1, 1]},
        {"y": [0, 1, -1], "x": x},
        {"y": [0.0, 1, 1], "x": x},
        {"y": [0, 1, 1], "x": x, "weight": [1, np.nan, 1]},
        {"y": [0, 1, 1], "x": x, "weight": [1, -1, 1]},
    ):
        with pytest.raises(ValueError, match=r"shape|classes|weights"):
            Rows.of(**bad)


def test_an_unknown_kind_is_answered_with_the_known_ones():
    for asked in (learner_of, kind_of, fitting_file):
        with pytest.raises(MlindexError, match=r"'oracle'.*majority.*boosting"):
            asked("oracle")


def test_a_fit_depends_on_the_code_of_its_own_kind_alone():
    files = {fitting_file(name) for name in KINDS}
    for name in KINDS:
        own = fitting_file(name)
        reached = {PACKAGE.file(module) for module in PACKAGE.reached(own)} | {own}
        assert PACKAGE.file(learner_of(name).__module__) in reached
        assert not (files - {own}) & reached


def test_what_predicts_loads_nothing_that_fits():
    code = (
        "import sys\n"
        "from mlindex.learning.learners.registry import KINDS, learner_of\n"
        "assert all(issubclass(learner_of(name), object) for name in KINDS)\n"
        "print(sorted({'sklearn', 'keras', 'tensorflow', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
