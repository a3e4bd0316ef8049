"""Training of the convolutional network with Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from mlindex.learning.keras_trainer import Arrays, Trainer, hidden_stack, stack_arrays  # isort: skip

import keras
import numpy as np
import tensorflow as tf

from mlindex.base.provenance import generator
from mlindex.learning.learners.common import moments, standard
from mlindex.learning.learners.contract import Kind, Progress, Rows
from mlindex.learning.learners.convolution import ConvolutionalNetwork, checked_grid

#: Of the moving mean and variance of a normalization: that of the last 20 batches or so.
_MOMENTUM = 0.9
#: Trainers that are kept for fits of the same shapes and parameters, as in cross-validation.
_KEPT = 4
#: Patterns, for the places that they are taken from need more memory than they do.
_MOVED_AT_A_TIME = 4096


class Head(NamedTuple):
    """A further output of the network, which training alone has.

    ``classes`` of it, or 0 for ``width`` numbers; ``weight`` of its loss, that of the classes being
    1.
    """

    name: str
    classes: int
    width: int
    weight: float

    @property
    def outputs(self) -> int:
        """Logits or numbers that it gives."""
        return self.classes or self.width


class Told(NamedTuple):
    """What a head is to give: values (n, width), of classes their numbers (n, 1)."""

    head: Head
    values: np.ndarray


class Shape(NamedTuple):
    """What a network is built from; one graph is traced for each."""

    n_grid: int
    n_features: int
    n_classes: int
    channels: tuple[int, ...]
    kernel: int
    pool: int
    hidden: tuple[int, ...]
    dropout: float
    learning_rate: float
    batch_size: int
    heads: tuple[Head, ...] = ()

    @property
    def targets(self) -> int:
        """Columns of what it is trained to: class, weight, and those of the heads."""
        return 2 + sum(head.width for head in self.heads)


class EpochTrainer(Trainer):
    """A trainer for a fixed number of epochs, the steps smaller from one to the next."""

    def __init__(self, shape: Shape):
        super().__init__(
            network(shape),
            partial(_loss, shape),
            (shape.n_grid, shape.n_features),
            (shape.targets,),
            shape.learning_rate,
            shape.batch_size,
        )
        self._learning_rate = shape.learning_rate

    def reset(self, rng: np.random.Generator) -> None:
        """Forget everything learned, moving means and variances included."""
        super().reset(rng)
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
                layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
            elif isinstance(layer, keras.layers.Conv1D):
                # Drawn for one point of the grid; each sum is over all points of the kernel.
                layer.kernel.assign(layer.kernel / np.sqrt(layer.kernel.shape[0]))

    def descend(
        self, rows: Callable[[], Arrays], epochs: int, rng: np.random.Generator, progress: Progress
    ) -> Iterator[float]:
        """Loss of each epoch; the learning rate falls as half a cosine (Loshchilov & Hutter 2017,
        SGDR, ICLR).

        Args:
            rows: gives an epoch's inputs and targets.
            epochs: number of epochs.
            rng: shuffles the rows.
            progress: wraps the epochs.
        """
        for epoch in progress(range(epochs)):
            share = 0.5 * (1 + np.cos(np.pi * epoch / epochs))
            self.optimizer.learning_rate = self._learning_rate * share
            seen = rows()
            order = rng.permutation(len(seen[0])).astype(np.int32)
            tensors = tuple(tf.convert_to_tensor(a, dtype=tf.float32) for a in seen)
            yield float(self._epoch(tensors, tf.constant(order)))


def network(shape: Shape) -> keras.Model:
    """The network, from the grid and the standardized features to logits."""
    layers = keras.layers
    grid, x = keras.Input((shape.n_grid,)), keras.Input((shape.n_features,))
    seen = layers.Reshape((shape.n_grid, 1))(grid)
    for number, channels in enumerate(shape.channels):
        stem = f"convolution_{number}"
        seen = layers.Conv1D(
            channels, shape.kernel, padding="same", use_bias=False, name=f"{stem}_kernel"
        )(seen)
        seen = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{stem}_normalization")(seen)
        # Pooled before it bends: as good, and the costly GELU is asked less often.
        seen = layers.MaxPooling1D(shape.pool)(seen)
        seen = layers.Activation("gelu")(seen)
    mean, greatest = layers.GlobalAveragePooling1D()(seen), layers.GlobalMaxPooling1D()(seen)
    joined = layers.Concatenate()([mean, greatest, x])
    joined = hidden_stack(joined, shape.hidden, shape.dropout, "hidden")
    given = [layers.Dense(shape.n_classes, name="output")(joined)]
    given += [layers.Dense(head.outputs, name=f"head_{head.name}")(joined) for head in shape.heads]
    return keras.Model([grid, x], layers.Concatenate()(given) if shape.heads else given[0])


def fit(
    rows: Rows, n_classes: int, parameters: Mapping[str, Any], seed: int, progress: Progress
) -> dict[str, np.ndarray]:
    """Arrays of :class:`.convolution.ConvolutionalNetwork`.

    In every epoch each pattern is moved along the grid by up to ``shift`` points.

    Raises:
        ValueError: the grid is too short for the pooling, or the kernel even.
    """
    return fit_told(rows, n_classes, parameters, seed, progress)


def fit_told(
    rows: Rows,
    n_classes: int,
    parameters: Mapping[str, Any],
    seed: int,
    progress: Progress = iter,
    told: Sequence[Told] = (),
) -> dict[str, np.ndarray]:
    """As :func:`fit`, with further outputs that are trained beside the classes and then left out.

    Args:
        rows: as in :class:`.contract.Kind`: weights of the mean 1, none of them 0.
        n_classes: number of classes.
        parameters: all of them.
        seed: of all that is random.
        progress: wraps the epochs.
        told: what each further head is to give of the rows.

    Raises:
        ValueError: the grid is too short for the pooling, or the kernel even.
    """
    grid = checked_grid(rows.grid, len(rows))
    mean, scale = moments(rows.x)
    x = standard(rows.x, mean, scale)
    shape = _shape(grid.shape[1], x.shape[1], n_classes, parameters)
    shape = shape._replace(heads=tuple(one.head for one in told))
    trainer = _trainer(shape)
    rng = generator(seed, "convolution")
    trainer.reset(rng)
    target = np.column_stack([rows.y, rows.weight, *(one.values for one in told)])
    most = int(parameters["shift"])

    def epoch() -> Arrays:
        return shifted(grid, rng.integers(-most, most + 1, len(grid))), x, target

    for _ in trainer.descend(epoch, int(parameters["epochs"]), rng, progress):
        pass
    arrays = network_arrays(trainer.model, shape)
    absent = np.setdiff1d(np.arange(n_classes), rows.y)
    arrays["output/bias"][absent] = -np.inf
    return arrays | {"mean": mean, "scale": scale}


def shifted(grid: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Patterns (n, g), each moved by its steps (n,), with the value of the end where one enters."""
    n, g = grid.shape
    moved = np.empty_like(grid)
    for first in range(0, n, _MOVED_AT_A_TIME):
        block = slice(first, first + _MOVED_AT_A_TIME)
        places = np.clip(np.arange(g) - steps[block, None], 0, g - 1)
        moved[block] = np.take_along_axis(grid[block], places, axis=1)
    return moved


def network_arrays(model: keras.Model, shape: Shape) -> dict[str, np.ndarray]:
    """Weights under the names that the predicting class reads, normalizations folded in."""
    output = model.get_layer("output")
    arrays = stack_arrays(model, "hidden", len(shape.hidden)) | {
        "depth": np.array([len(shape.channels), len(shape.hidden)]),
        "pool": np.array(shape.pool),
        "n_grid": np.array(shape.n_grid),
        "output/kernel": np.array(output.kernel),
        "output/bias": np.array(output.bias),
    }
    for number in range(len(shape.channels)):
        stem = f"convolution_{number}"
        kernel = np.array(model.get_layer(f"{stem}_kernel").kernel, dtype=float)
        norm = model.get_layer(f"{stem}_normalization")
        gamma, beta, mean, variance = (
            np.array(v, dtype=float)
            for v in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
        )
        factor = gamma / np.sqrt(variance + norm.epsilon)
        arrays[f"convolution/{number}/kernel"] = (kernel * factor).astype(np.float32)
        arrays[f"convolution/{number}/bias"] = (beta - mean * factor).astype(np.float32)
    return arrays


def _shape(n_grid: int, n_features: int, n_classes: int, parameters: Mapping[str, Any]) -> Shape:
    own = {name: parameters[name] for name in Shape._fields if name in parameters}
    lists = {name: tuple(own[name]) for name in ("channels", "hidden")}
    shape = Shape(n_grid, n_features, n_classes, **(own | lists))
    if shape.kernel % 2 == 0:
        raise ValueError(f"convolution: the kernel has {shape.kernel} points, an even number")
    least = shape.pool ** len(shape.channels)
    if n_grid < least:
        raise ValueError(
            f"convolution: {n_grid} points on the grid are too few for {len(shape.channels)} "
            f"poolings by {shape.pool}, which need {least}"
        )
    return shape


@lru_cache(maxsize=_KEPT)
def _trainer(shape: Shape) -> EpochTrainer:
    return EpochTrainer(shape)


def _loss(shape: Shape, given: Any, target: Any) -> Any:
    """-ln of the probability of the right class, and the losses of the heads by their weights; all
    by the weight of the row. That of numbers is the mean square of their errors."""
    loss = _of_class(given[:, : shape.n_classes], target[:, 0])
    output, column = shape.n_classes, 2
    for head in shape.heads:
        own = given[:, output : output + head.outputs]
        wanted = target[:, column : column + head.width]
        off = _of_class(own, wanted[:, 0]) if head.classes else _of_numbers(own, wanted)
        loss += head.weight * off
        output, column = output + head.outputs, column + head.width
    return target[:, 1] * loss


def _of_class(logits: Any, y: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int32), logits)


def _of_numbers(given: Any, wanted: Any) -> Any:
    return tf.reduce_mean(tf.square(given - wanted), axis=1)


# Chosen on made patterns of the 14 lattices with absences of the centring alone (5000 rows, 10
# epochs): a kernel of 25 points and batches of 64 give 75.5 % of other 1400 right, of 9 points and
# 128 67.9 %; pooling by 2 is worse by 2 % and slower.
KIND = Kind(
    "convolution",
    fit,
    ConvolutionalNetwork,
    uses="both",
    needs="keras",
    parameters={
        "channels": (24, 32, 48, 64),
        "kernel": 25,
        "pool": 3,
        "hidden": (128,),
        "dropout": 0.3,
        "learning_rate": 3e-3,
        "batch_size": 64,
        "epochs": 20,
        "shift": 4,
    },
    searched={
        "kernel": (9, 15, 25),
        "pool": (2, 3),
        "dropout": (0.0, 0.3),
        "learning_rate": (1e-3, 3e-3),
        "shift": (0, 4),
    },
)
