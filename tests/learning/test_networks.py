import hashlib
import io
import pickle
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import SYSTEMS
from mlindex.learning.arrays import read_arrays, write_arrays
from mlindex.learning.keras_trainer import Trainer, hidden_stack, stack_arrays
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.networks import DenseNetwork, gelu, softplus
from mlindex.method.networks import VarianceNetwork, closeness

ARRAYS = {
    "a/0/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scalar": np.array(0.25),
    "empty": np.empty((0, 4)),
}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_arrays_come_back_as_they_were_and_bytes_repeat(tmp_path):
    write_arrays(tmp_path / "one.npz", ARRAYS)
    write_arrays(tmp_path / "two.npz", dict(reversed(ARRAYS.items())))
    found = read_arrays(tmp_path / "one.npz")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
    assert digest(tmp_path / "one.npz") == digest(tmp_path / "two.npz")


def test_a_pickle_is_refused(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("a.npy", buffer.getvalue())
    with pytest.raises(MlindexError, match=r"bad\.npz"):
        read_arrays(tmp_path / "bad.npz")
    (tmp_path / "worse.npz").write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(MlindexError, match=r"worse\.npz"):
        read_arrays(tmp_path / "worse.npz")


def test_a_missing_array_is_named(tmp_path):
    write_arrays(tmp_path / "half.npz", {"mean/output/kernel": np.ones((2, 2))})
    with pytest.raises(MlindexError, match="mean/output/bias"):
        VarianceNetwork.load(tmp_path / "half.npz")


def test_activations_against_keras():
    x = np.linspace(-30, 30, 601).astype(np.float32)
    np.testing.assert_allclose(gelu(x), keras.activations.gelu(x), atol=1e-6)
    np.testing.assert_allclose(softplus(x), keras.activations.softplus(x), rtol=1e-6, atol=1e-12)


def test_closeness_is_eq_22():
    found = closeness(np.array([0.5, 1.0]), np.array([[0.5, 0.51], [2.0, 0.0]]), 0.01)
    expected = [[[1, 0.5], [0.01 / 0.51, 0.01 / 0.5]], [[0.01 / 1.51, 0.01 / 0.51]] * 2]
    expected[1][1] = [0.01 / 1.01, 0.01 / 1.01]
    np.testing.assert_allclose(found[0], expected[0])
    np.testing.assert_allclose(found[1][1], expected[1][1])
    np.testing.assert_allclose(found[1][0], [0.01 / 1.51, 0.01 / 0.51])


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda s: s.name)
def test_dense_network_equals_keras(system):
    inputs = keras.Input((n_peaks_of(system),))
    hidden = hidden_stack(inputs, (30, 20), 0.5, "mean")
    model = keras.Model(inputs, keras.layers.Dense(system.n_free, name="out")(hidden))
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    arrays = stack_arrays(model, "mean", 2)
    out = model.get_layer("out")
    arrays |= {
        "mean/output/kernel": np.array(out.kernel),
        "mean/output/bias": np.array(out.bias),
    }
    x = rng.normal(size=(40, n_peaks_of(system))).astype(np.float32)
    found = DenseNetwork.from_arrays(arrays, "mean").predict(x)
    np.testing.assert_allclose(found, model(x, training=False), atol=1e-5)


def small_trainer():
    inputs = keras.Input((3,))
    hidden = hidden_stack(inputs, (8,), 0.2, "net")
    model = keras.Model(inputs, keras.layers.Dense(1, name="out")(hidden))

    def loss(output, target):
        return keras.ops.mean(keras.ops.square(output - target), axis=-1)

    return Trainer(model, loss, (3,), (1,), 1e-2, 16)


def fitted(trainer, seed, count=50, epochs=4):
    data = np.random.default_rng(0)
    x = data.normal(size=(count, 3)).astype(np.float32)
    rows = (x, x.sum(axis=1, keepdims=True))
    rng = np.random.default_rng(seed)
    trainer.reset(rng)
    history = trainer.fit(lambda: rows, rows, epochs, 10, rng)
    return history, trainer.model.get_weights()


def test_a_reset_trainer_forgets_and_builds_no_graph():
    trainer = small_trainer()
    first, weights = fitted(trainer, 1)
    graphs = trainer.graphs
    fitted(trainer, 2, count=77)
    again, same = fitted(trainer, 1)
    assert trainer.graphs == graphs
    assert again == first
    for one, two in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, two)
    other, _ = fitted(trainer, 2)
    assert other != first


def test_training_learns_and_the_best_weights_are_kept():
    trainer = small_trainer()
    history, _ = fitted(trainer, 1, count=400, epochs=30)
    assert history[-1][1] < 0.3 * history[0][1]
    data = np.random.default_rng(0)
    x = data.normal(size=(400, 3)).astype(np.float32)
    left = np.mean((trainer.predict(x) - x.sum(axis=1, keepdims=True)) ** 2)
    assert left == pytest.approx(min(v for _, v in history), rel=1e-4)


def test_training_stops_early():
    trainer = small_trainer()
    rng = np.random.default_rng(5)
    trainer.reset(rng)
    x = rng.normal(size=(64, 3)).astype(np.float32)
    target = x.sum(axis=1, keepdims=True)
    before = trainer.model.get_weights()
    # Trained towards the opposite of what it is judged by, it never gets better.
    trainer.fit(lambda: (x, 50 + 0 * target), (x, target - 50), 20, 3, rng)
    history = trainer.fit(lambda: (x, 50 + 0 * target), (x, target - 50), 20, 3, rng)
    assert len(history) == 3
    for one, two in zip(before, trainer.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_too_late_for_determinism_is_said():
    code = "import tensorflow as tf; tf.constant(1.0) + 1; import mlindex.learning.keras_trainer"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "already runs with all threads" in done.stderr
