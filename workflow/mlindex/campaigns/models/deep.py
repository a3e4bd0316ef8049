"""Deep kernel learning for rows with a spectrum or an image (Wilson et al. 2016, arXiv 1511.02222).

A small convolutional network turns the many columns of a spectrum into a few numbers, and the
Gaussian process sees these in their place. Network and kernel are trained together by the marginal
likelihood, which TensorFlow differentiates as it is. With few rows that alone would let the network
bring any rows together that are alike in their targets (Ober et al. 2021, arXiv 2102.12108). So
there are several networks: each is trained without a part of the rows, until it no longer predicts
them better. The process then learns its scales from the numbers of all networks; how wrong each was
about the rows held out stretches its deviations, and stands for its left-out predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing
from mlindex.campaigns.models.contract import Prediction
from mlindex.campaigns.models.gaussian import Gaussian

if TYPE_CHECKING:
    from mlindex.learning.keras_trainer import Trainer

#: A group of so many columns is a spectrum: the descriptors of a substance are fewer.
SPECTRUM = 64
#: With fewer rows the network is not trained, and the process sees all columns as they are.
FEWEST = 12
#: Networks, each with as large a part of the rows held out.
_NETWORKS = 4
#: Numbers that a spectrum becomes; filters of each convolution, their width and step; columns that
#: are then pooled to one; dense units. Chosen on made spectra of 128 columns (100 rows, 2 draws)
#: whose targets are the place of a peak, the splitting of two or the width of one.
_OUTPUTS, _FILTERS, _WIDTH, _STEP, _POOLED, _DENSE = 4, 16, 9, 2, 4, 32
#: Means over a whole spectrum are small beside its peaks: they count by so much.
_OF_MEANS = 8.0
#: Of training: Adam's step, epochs at most, epochs without a better prediction. The step was chosen
#: as above: smaller ones end too early.
_RATE, _EPOCHS, _PATIENCE = 1e-2, 200, 30
#: Middle of the priors of scale and noise, and widths of the logarithms of scales, signal and noise
#: as :mod:`.gaussian` has them.
_SCALE, _NOISE, _PRIORS = 0.7, 0.3, (0.8, 0.5, 1.0)
#: More rows than there can be: a marginal likelihood is of all rows or of none.
_BATCH = 1 << 20


@dataclass(frozen=True)
class Encoder:
    """A trained network for spectra of columns ``spectrum``, the other columns left as they are.

    ``others`` (o,) are these, in groups ``kinds`` (o,) from 0 on; ``middle`` (columns,) and
    ``spread`` standardize the spectra, ``weights`` are the network's; ``kept`` (n,) tells the rows
    that it was trained with.
    """

    spectrum: np.ndarray
    others: np.ndarray
    kinds: tuple[int, ...]
    middle: np.ndarray
    spread: float
    weights: tuple[np.ndarray, ...]
    kept: np.ndarray

    def standard(self, features: np.ndarray) -> np.ndarray:
        """Spectra and then other columns of features (m, d), as the network takes them."""
        spectra = (features[:, self.spectrum] - self.middle) / self.spread
        return np.hstack([spectra, features[:, self.others]]).astype(np.float32)

    def numbers(self, features: np.ndarray) -> np.ndarray:
        """The network's numbers (m, outputs) of features (m, d)."""
        trainer = _trainer(len(self.spectrum), self.kinds)
        trainer.model.set_weights(self.weights)
        return trainer.predict(self.standard(features))[:, :_OUTPUTS].astype(float)


def encoded(encoders: Sequence[Encoder], features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of networks and the other columns (m, outputs * networks + o), and their groups.

    Squared distances of the numbers are means over the networks.
    """
    numbers = np.hstack([one.numbers(features) for one in encoders]) / np.sqrt(len(encoders))
    others, kinds = features[:, encoders[0].others], np.array(encoders[0].kinds, dtype=int)
    groups = np.append(np.zeros(numbers.shape[1], dtype=int), 1 + kinds)
    return np.hstack([numbers, others]), groups


@dataclass(frozen=True)
class Deep(Gaussian):
    """A Gaussian process of what networks make of the features.

    ``out`` are the rows as networks predict them that were not trained with them.
    """

    encoders: tuple[Encoder, ...]
    out: Prediction

    def covariance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Covariance (a, b) of what is expected at two sets of features before any row is seen."""
        return super().covariance(encoded(self.encoders, a)[0], encoded(self.encoders, b)[0])

    def left_out(self) -> Prediction:
        """Each row as a network predicts it that was not trained with it, with noise."""
        return self.out


def deep(
    features: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray,
    noise: float | None = None,
    seed: int = 0,
) -> Gaussian:
    """Train networks and a Gaussian process on rows; the same for the same rows and seed.

    Args:
        features: (n, d), with a group of :data:`SPECTRUM` columns or more.
        targets: (n,), of variance about 1.
        groups: (d,) integers.
        noise: standard deviation of the targets' noise where it is known.
        seed: of the weights at the start, and of the rows that are held out.

    Raises:
        MlindexError: no group is a spectrum, or Keras is not installed.
    """
    names, number, count = np.unique(groups, return_inverse=True, return_counts=True)
    if count.max(initial=0) < SPECTRUM:
        raise MlindexError(
            f"model: deep is for rows with a spectrum or an image, {SPECTRUM} columns of one "
            f"quantity or more; the largest of {len(names)} has {count.max(initial=0)}: take "
            "another model"
        )
    with needing("model: deep"):
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
    if len(targets) < FEWEST or np.ptp(targets) == 0:
        return Gaussian.learnt(features, targets, groups, noise=noise)
    rows = np.ascontiguousarray(features, dtype=float).tobytes(), targets.tobytes()
    is_spectrum = (count[number] >= SPECTRUM).tobytes()
    encoders = _encoders(*rows, is_spectrum, tuple(map(int, number)), seed)
    out = _held_out(encoders, features, targets, noise)
    stretch = max(0.1, float(np.sqrt(np.mean(((targets - out.mean) / out.deviation) ** 2))))
    inner = _process(encoders, features, targets, noise)
    stretched = replace(
        inner,
        features=features,
        signal=stretch * inner.signal,
        noise=stretch * inner.noise,
        root=stretch * inner.root,
        alpha=inner.alpha / stretch**2,
    )
    out = Prediction(out.mean, stretch * out.deviation)
    return Deep(**vars(stretched), encoders=encoders, out=out)


def _process(
    encoders: Sequence[Encoder], features: np.ndarray, targets: np.ndarray, noise: float | None
) -> Gaussian:
    """A Gaussian process of the numbers of networks."""
    x, groups = encoded(encoders, features)
    return Gaussian.learnt(x, targets, groups, noise=noise, early=targets)


def _held_out(
    encoders: Sequence[Encoder], features: np.ndarray, targets: np.ndarray, noise: float | None
) -> Prediction:
    """Each row by the network that was not trained with it, and by the rows that this was."""
    mean, deviation = np.empty(len(targets)), np.empty(len(targets))
    for one in encoders:
        process = _process([one], features[one.kept], targets[one.kept], noise)
        found = process.predict(encoded([one], features[~one.kept])[0])
        mean[~one.kept] = found.mean
        deviation[~one.kept] = np.hypot(found.deviation, process.noise)
    return Prediction(mean, deviation)


@lru_cache(maxsize=16)
def _encoders(
    features: bytes, targets: bytes, is_spectrum: bytes, groups: tuple[int, ...], seed: int
) -> tuple[Encoder, ...]:
    """Networks by what they are trained with: one question asks for the same ones several times."""
    y, chosen = np.frombuffer(targets), np.frombuffer(is_spectrum, dtype=bool)
    x = np.frombuffer(features).reshape(len(y), len(chosen))
    spectrum, others = np.flatnonzero(chosen), np.flatnonzero(~chosen)
    kinds = np.unique(np.array(groups, dtype=int)[others], return_inverse=True)[1]
    middle = x[:, spectrum].mean(axis=0)
    spread = float((x[:, spectrum] - middle).std()) or 1.0
    kept = np.ones(len(y), dtype=bool)
    raw = Encoder(spectrum, others, tuple(map(int, kinds)), middle, spread, (), kept)
    rng = np.random.default_rng(seed)
    part = rng.permutation(len(y)) % _NETWORKS
    return tuple(_trained(raw, x, y, part != number, rng) for number in range(_NETWORKS))


def _trained(
    raw: Encoder, x: np.ndarray, y: np.ndarray, kept: np.ndarray, rng: np.random.Generator
) -> Encoder:
    """A network trained with the rows that are kept, stopped by the others."""
    trainer = _trainer(len(raw.spectrum), raw.kinds)
    trainer.reset(rng)
    rows, wanted = raw.standard(x), (y - y[kept].mean()).astype(np.float32)[:, None]
    given = kept.astype(np.float32)[:, None]
    training = rows[kept], wanted[kept], np.zeros_like(given[kept])
    trainer.fit(lambda: training, (rows, wanted, given), _EPOCHS, _PATIENCE, rng)
    return replace(raw, weights=tuple(trainer.model.get_weights()), kept=kept)


@lru_cache(maxsize=4)
def _trainer(columns: int, kinds: tuple[int, ...]) -> Trainer:
    """The network for spectra of so many columns and other columns of some groups.

    Its output are the numbers (outputs), the other columns over their scales, and the logarithms of
    signal and noise over their prior's middle, which are the same in each row.
    """
    with needing("model: deep"):
        from mlindex.learning.keras_trainer import Trainer, keras

    layers, groups = keras.layers, len(set(kinds))

    class Hyperparameters(layers.Layer):
        """Rows of logarithms of scales (groups), signal and noise, 0 at first."""

        def build(self, shape: Any) -> None:
            self.logs = self.add_weight(
                shape=(groups + 2,), initializer="zeros", name="logs", trainable=True
            )

        def call(self, rows: Any) -> Any:
            return keras.ops.zeros_like(rows[:, :1]) + self.logs[None]

    row = keras.Input((columns + len(kinds),))
    x = layers.Reshape((columns, 1))(row[:, :columns])
    for _ in range(2):
        x = layers.Conv1D(_FILTERS, _WIDTH, strides=_STEP, padding="same", activation="gelu")(x)
    means = layers.GlobalAveragePooling1D()(x)
    x = layers.Flatten()(layers.AveragePooling1D(_POOLED, padding="same")(x))
    x = layers.Dense(_DENSE, activation="gelu")(x)
    x = layers.Concatenate()([x, _OF_MEANS * means])
    parts = [layers.Dense(_OUTPUTS)(x), row[:, columns:], Hyperparameters()(row)]
    model = keras.Model(row, layers.Concatenate()(parts))
    loss = _loss(kinds)
    return Trainer(model, loss, [columns + len(kinds)], [1, 1], _RATE, _BATCH)


def _loss(kinds: Sequence[int]) -> Any:
    """Minus the logarithm of the density of targets, the same for each row of an output.

    That of the rows where ``given`` is 0, as those where it is 1 predict them. The prior of the
    hyperparameters is added.
    """
    import tensorflow as tf

    groups = len(set(kinds))
    width = tf.constant([_PRIORS[0]] * groups + list(_PRIORS[1:]), tf.float32)
    scale = _SCALE * np.sqrt(1 + groups)

    def density(k: Any, y: Any, among: Any) -> Any:
        """Minus its logarithm for the rows where ``among`` is 1, but for a constant."""
        covariance = among * k * tf.transpose(among) + tf.linalg.diag(1 - among[:, 0])
        root = tf.linalg.cholesky(covariance)
        half = tf.linalg.triangular_solve(root, among * y)
        return 0.5 * tf.reduce_sum(half**2) + tf.reduce_sum(tf.math.log(tf.linalg.diag_part(root)))

    def loss(output: Any, y: Any, given: Any) -> Any:
        logs = tf.clip_by_value(output[0, _OUTPUTS + len(kinds) :], -3.0, 3.0)
        numbers = output[:, : _OUTPUTS + len(kinds)]
        if kinds:
            own = tf.gather(tf.exp(-logs[:groups]), tf.constant(list(kinds)))
            numbers *= tf.concat([tf.ones(_OUTPUTS), own], axis=0)
        numbers /= scale
        square = tf.reduce_sum(numbers**2, axis=1)
        d2 = square[:, None] + square - 2 * tf.matmul(numbers, numbers, transpose_b=True)
        r = tf.sqrt(5 * tf.maximum(d2, 1e-8))
        signal2, noise2 = tf.exp(2 * logs[-2]), _NOISE**2 * tf.exp(2 * logs[-1])
        k = signal2 * (1 + r + r**2 / 3) * tf.exp(-r)
        k += (noise2 + 1e-4 * signal2) * tf.eye(tf.shape(y)[0])
        away = 0.5 * tf.reduce_sum((logs / width) ** 2)
        value = density(k, y, tf.ones_like(y)) - density(k, y, given)
        return (value + away) / tf.reduce_sum(1 - given) * tf.ones_like(y[:, 0])

    return loss
