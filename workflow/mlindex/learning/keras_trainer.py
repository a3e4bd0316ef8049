"""Keras for many small networks: deterministic, compiled once, memory that does not grow.

A :class:`Trainer` traces one graph for an epoch and one for the loss, for arrays of any length.
Network after network is then trained by drawing the weights anew and zeroing the optimizer, so
that TensorFlow, which never gives back a graph, builds none after the first. ``Model.fit`` would
build input pipelines on every call. Importing this module makes TensorFlow deterministic, for it
can't be made so once it has run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

from mlindex.base.errors import MlindexError

Arrays = tuple[np.ndarray, ...]
_PREDICTED_ROWS = 8192


def make_deterministic() -> None:
    """Same seed, same weights, byte for byte, on one machine, whatever the number of cores.

    TensorFlow is held to one thread and to deterministic operations on the CPU. What is lost:
    threads within one training (run groups in parallel instead) and the use of a GPU. Other
    kinds of processors may still round differently.

    Raises:
        MlindexError: TensorFlow has already run with more threads in this process.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError as error:
        threads = tf.config.threading.get_intra_op_parallelism_threads()
        if threads != 1:
            raise MlindexError(
                f"TensorFlow already runs with {threads or 'all'} threads in this process, where "
                "reproducible training needs one: import mlindex.learning.keras_trainer first"
            ) from error
    tf.config.experimental.enable_op_determinism()


make_deterministic()


def hidden_stack(x: Any, units: Sequence[int], dropout: float, prefix: str) -> Any:
    """Dense, layer normalization, GELU and dropout for each entry of ``units``."""
    layers = keras.layers
    for number, width in enumerate(units):
        stem = f"{prefix}_{number}"
        x = layers.Dense(width, name=f"{stem}_dense")(x)
        x = layers.LayerNormalization(name=f"{stem}_normalization")(x)
        x = layers.Activation("gelu", name=f"{stem}_gelu")(x)
        x = layers.Dropout(dropout, name=f"{stem}_dropout")(x)
    return x


def stack_arrays(model: keras.Model, prefix: str, count: int) -> dict[str, np.ndarray]:
    """Weights of a :func:`hidden_stack` under the names that :mod:`.networks` reads."""
    found = {}
    for number in range(count):
        dense = model.get_layer(f"{prefix}_{number}_dense")
        normalization = model.get_layer(f"{prefix}_{number}_normalization")
        named = {
            "kernel": dense.kernel,
            "bias": dense.bias,
            "gamma": normalization.gamma,
            "beta": normalization.beta,
        }
        found |= {f"{prefix}/{number}/{n}": np.array(v) for n, v in named.items()}
    return found


def reset(model: keras.Model, optimizer: keras.Optimizer, rng: np.random.Generator) -> None:
    """Make a model and its optimizer as new: Glorot weights, zero moments, new dropout seeds."""
    for variable in model.trainable_variables:
        variable.assign(_initial(variable.name, tuple(variable.shape), rng))
    for variable in optimizer.variables:
        if variable is not optimizer._learning_rate:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            seed = rng.integers(0, 2**31, size=layer.seed_generator.state.shape)
            layer.seed_generator.state.assign(seed.astype(layer.seed_generator.state.dtype))


def _initial(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if name == "gamma":
        return np.ones(shape, dtype=np.float32)
    if name != "kernel":
        return np.zeros(shape, dtype=np.float32)
    limit = np.sqrt(6 / (shape[-2] + shape[-1]))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


class Trainer:
    """A Keras model, its optimizer and its loss, traced once and used for many trainings.

    Args:
        model: the model.
        loss: from the model's output and the targets of a batch to one loss for each row.
        inputs: shapes of one row of each model input.
        targets: shapes of one row of each target, float32.
        learning_rate: of Adam.
        batch_size: rows in a batch; the last of an epoch may hold fewer.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Callable[..., Any],
        inputs: Sequence[int],
        targets: Sequence[int],
        learning_rate: float,
        batch_size: int,
    ):
        self.model = model
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(model.trainable_variables)
        self.loss = loss
        self._inputs = len(inputs)
        self._batch_size = batch_size
        rows = tuple(tf.TensorSpec((None, width), tf.float32) for width in (*inputs, *targets))
        order = tf.TensorSpec((None,), tf.int32)
        self._epoch = tf.function(self._run_epoch, input_signature=[rows, order])
        self._evaluate = tf.function(self._run_evaluation, input_signature=[rows])
        self._forward = tf.function(self._run_forward, input_signature=[rows[: self._inputs]])

    def reset(self, rng: np.random.Generator) -> None:
        """Forget everything learned."""
        reset(self.model, self.optimizer, rng)

    @property
    def graphs(self) -> int:
        """Graphs that were built so far; does not grow after the first training."""
        functions = (self._epoch, self._evaluate, self._forward)
        return sum(f.experimental_get_tracing_count() for f in functions)

    def fit(
        self,
        training: Callable[[], Arrays],
        validation: Arrays,
        epochs: int,
        patience: int,
        rng: np.random.Generator,
        progress: Callable[[Iterable], Iterable] = iter,
    ) -> list[tuple[float, float]]:
        """Train until the epochs are over or the validation loss has stopped falling.

        The weights with the lowest validation loss are kept, those at the start included.

        Args:
            training: gives an epoch's inputs and targets, one row an entry.
            validation: inputs and targets on which the validation loss is measured.
            epochs: epochs at most.
            patience: epochs without a better validation loss that end it.
            rng: shuffles the rows.
            progress: wraps the epochs.

        Returns:
            training and validation loss of each epoch.
        """
        held_out = _tensors(validation)
        best, weights = float(self._evaluate(held_out)), self.model.get_weights()
        history: list[tuple[float, float]] = []
        best_epoch = 0
        for _ in progress(range(epochs)):
            rows = training()
            order = rng.permutation(len(rows[0])).astype(np.int32)
            loss = float(self._epoch(_tensors(rows), tf.constant(order)))
            history.append((loss, float(self._evaluate(held_out))))
            # A loss that is not a number is never smaller, so such weights are not kept.
            if history[-1][1] < best or not np.isfinite(best):
                best, best_epoch, weights = history[-1][1], len(history), self.model.get_weights()
            if len(history) - best_epoch >= patience:
                break
        self.model.set_weights(weights)
        return history

    def predict(self, *inputs: np.ndarray) -> np.ndarray:
        """The model's output, dropout off."""
        starts = range(0, max(len(inputs[0]), 1), _PREDICTED_ROWS)
        parts = (tuple(x[s : s + _PREDICTED_ROWS] for x in inputs) for s in starts)
        return np.concatenate([self._forward(_tensors(part)).numpy() for part in parts])

    def _batch_losses(self, rows: Any, training: bool) -> Any:
        inputs, targets = rows[: self._inputs], rows[self._inputs :]
        output = self.model(inputs[0] if self._inputs == 1 else list(inputs), training=training)
        return self.loss(output, *targets)

    def _run_epoch(self, rows: Any, order: Any) -> Any:
        total = tf.constant(0.0)
        variables = self.model.trainable_variables
        for start in tf.range(0, tf.shape(order)[0], self._batch_size):
            chosen = order[start : start + self._batch_size]
            batch = tuple(tf.gather(x, chosen) for x in rows)
            with tf.GradientTape() as tape:
                losses = self._batch_losses(batch, True)
                loss = tf.reduce_mean(losses)
            self.optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables, strict=True)
            )
            total += tf.reduce_sum(losses)
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    def _run_evaluation(self, rows: Any) -> Any:
        total = tf.constant(0.0)
        count = tf.shape(rows[0])[0]
        step = 4 * self._batch_size
        for start in tf.range(0, count, step):
            batch = tuple(x[start : start + step] for x in rows)
            total += tf.reduce_sum(self._batch_losses(batch, False))
        return total / tf.cast(count, tf.float32)

    def _run_forward(self, inputs: Any) -> Any:
        return self.model(inputs[0] if self._inputs == 1 else list(inputs), training=False)


def _tensors(arrays: Any) -> tuple[Any, ...]:
    return tuple(tf.convert_to_tensor(x, dtype=tf.float32) for x in arrays)
