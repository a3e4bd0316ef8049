"""The convolutional network against Keras, and what it refuses."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.learning.learners.contract import Inputs, Rows
from mlindex.learning.learners.convolution import ConvolutionalNetwork
from mlindex.learning.learners.fitting.convolution import (
    KIND,
    Head,
    Shape,
    Told,
    _loss,
    fit_told,
    network,
    network_arrays,
    shifted,
)

SMALL = {"channels": (6, 5), "kernel": 3, "hidden": (8,), "epochs": 1}


def with_random_weights(shape: Shape, rng: np.random.Generator) -> keras.Model:
    """Moving variances are above 0, all else is anything."""
    model = network(shape)
    for variable in model.variables:
        if np.issubdtype(variable.dtype, np.floating):
            value = rng.normal(0, 0.4, variable.shape)
            variable.assign(np.abs(value) + 0.5 if variable.name == "moving_variance" else value)
    return model


@pytest.mark.parametrize(
    ("n_grid", "n_features", "hidden", "pool"),
    [(512, 7, (32, 16), 3), (70, 0, (8,), 2), (27, 3, (), 1)],
    ids=["as fitted", "no features", "no hidden layer, no pooling"],
)
def test_it_equals_keras(n_grid, n_features, hidden, pool):
    rng = np.random.default_rng(4)
    channels = (24, 32, 40) if n_grid > 100 else (6, 5)
    shape = Shape(n_grid, n_features, 5, channels, 7, pool, hidden, 0.3, 1e-3, 16)
    model = with_random_weights(shape, rng)
    zero, one = np.zeros(n_features, dtype=np.float32), np.ones(n_features, dtype=np.float32)
    arrays = network_arrays(model, shape) | {"mean": zero, "scale": one}
    x = rng.normal(size=(70, n_features)).astype(np.float32)
    grid = rng.exponential(size=(70, n_grid)).astype(np.float32)
    found = ConvolutionalNetwork.from_arrays(arrays).predict_proba(Inputs(x, grid))
    expected = keras.ops.softmax(model([grid, x], training=False))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.std(axis=0).max() > 1e-2


def test_patterns_are_moved_and_their_ends_go_on():
    grid = np.tile(np.arange(5, dtype=np.float32), (3, 1))
    expected = [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4], [1, 2, 3, 4, 4]]
    np.testing.assert_array_equal(shifted(grid, np.array([2, 0, -1])), expected)


def rows(n_grid: int = 30) -> Rows:
    rng = np.random.default_rng(6)
    grid = rng.random((24, n_grid))
    return Rows.of(np.arange(24) % 3, np.empty((24, 0)), grid)


def test_it_fits_without_features():
    fitted = KIND.trained(rows(), 3, SMALL)
    assert fitted.predict_proba(rows().inputs).shape == (24, 3)


def test_further_outputs_are_trained_and_left_out():
    own = rows()
    numbers = np.random.default_rng(2).normal(size=(24, 2))
    told = (
        Told(Head("half", 2, 1, 0.5), (np.arange(24) % 2)[:, None]),
        Told(Head("cell", 0, 2, 0.25), numbers),
    )
    parameters = {**KIND.parameters, **SMALL}
    alone, with_heads = (fit_told(own, 3, parameters, 1, told=heads) for heads in ((), told))
    shapes = {name: np.shape(array) for name, array in alone.items()}
    assert shapes == {name: np.shape(array) for name, array in with_heads.items()}
    assert not np.array_equal(alone["output/kernel"], with_heads["output/kernel"])
    learner = ConvolutionalNetwork.from_arrays(with_heads)
    assert learner.predict_proba(own.inputs).shape == (24, 3)


def test_losses_of_further_outputs_add_by_their_weights():
    rng = np.random.default_rng(8)
    heads = (Head("half", 2, 1, 0.5), Head("cell", 0, 2, 0.25))
    shape = Shape(30, 0, 3, (4,), 3, 3, (), 0.0, 1e-3, 8, heads)
    given = rng.normal(size=(6, 3 + 2 + 2)).astype(np.float32)
    y, half, weight = rng.integers(0, 3, 6), rng.integers(0, 2, 6), rng.uniform(0.5, 2, 6)
    cell = rng.normal(size=(6, 2))
    target = np.column_stack([y, weight, half, cell]).astype(np.float32)

    def cross_entropy(logits, true):
        return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(6), true]

    expected = cross_entropy(given[:, :3], y) + 0.5 * cross_entropy(given[:, 3:5], half)
    expected += 0.25 * ((given[:, 5:] - cell) ** 2).mean(axis=1)
    assert shape.targets == target.shape[1]
    np.testing.assert_allclose(_loss(shape, given, target), weight * expected, rtol=1e-5)


def test_what_can_not_be_built_is_said():
    with pytest.raises(ValueError, match="even"):
        KIND.train(rows(), 3, {**SMALL, "kernel": 4})
    with pytest.raises(ValueError, match=r"8 points .* need 9"):
        KIND.train(rows(8), 3, SMALL)
    bad = rows()
    bad.grid[3, 3] = np.nan
    with pytest.raises(ValueError, match="grid"):
        KIND.train(bad, 3, SMALL)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("convolution/0/kernel", lambda a: a[:2]),
        ("convolution/1/kernel", lambda a: a[:, :1]),
        ("convolution/1/kernel", lambda a: a.astype(float)),
        ("convolution/1/bias", lambda a: a * np.float32(np.nan)),
        ("hidden/0/kernel", lambda a: a[1:]),
        ("hidden/0/gamma", lambda a: a[1:]),
        ("output/bias", lambda a: a[1:]),
        ("output/bias", lambda a: a - np.inf),
        ("depth", lambda a: np.add(a, [0, 1])),
        ("depth", lambda a: a * 0),
        ("pool", lambda a: a * 0),
        ("n_grid", lambda a: a // 6),
        ("mean", lambda a: np.zeros(3, dtype=np.float32)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(key, change):
    arrays = network_arrays(network(_SHAPE), _SHAPE)
    arrays |= {"mean": np.zeros(2, dtype=np.float32), "scale": np.ones(2, dtype=np.float32)}
    ConvolutionalNetwork.from_arrays(arrays)
    with pytest.raises(MlindexError, match="convolutional network"):
        ConvolutionalNetwork.from_arrays({**arrays, key: change(arrays[key])})


_SHAPE = Shape(30, 2, 3, (6, 5), 3, 3, (8,), 0.0, 1e-3, 16)
