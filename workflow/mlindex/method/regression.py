"""Variance networks: from peak positions to a distribution of cells (Moreau 2.2.1).

For every group three parallel networks predict mean, alpha and beta: the scaled cell parameter is
normal about the mean, its variance inverse gamma with alpha and beta (eqs. 20, 21; the beta-NLL is
of Seitzer et al. 2022). Mean and variance are two Keras models, each compiled once and used for all
cycles of all groups; what the one at rest predicts is handed to the other as data.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from mlindex.learning.lattices import n_peaks_of

from mlindex.learning.keras_trainer import (  # isort: skip  (sets Keras' backend before it is imported)
    Trainer,
    hidden_stack,
    stack_arrays,
)
import keras
import tensorflow as tf

from mlindex.base.provenance import generator
from mlindex.crystal.lattice import LatticeSystem
from mlindex.learning.arrays import write_arrays
from mlindex.learning.tables import METRICS, TRAINING
from mlindex.method.networks import ALPHA_MIN, BETA_MIN, VarianceNetwork
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Regression
from mlindex.method.training_data import (
    Examples,
    Samples,
    Trained,
    by_group,
    error_metrics,
    metric,
    parameter_names,
    regression_samples,
)

_LOG = logging.getLogger("mlindex.method.regression")
_ESTIMATOR = "network"


@dataclass(frozen=True)
class VarianceModels:
    """The two compiled models that all groups of a batch are trained with."""

    mean: Trainer
    variance: Trainer
    settings: Regression


def build_models(n_peaks: int, n_free: int, settings: Regression) -> VarianceModels:
    """Build and compile the mean and the variance model, once for a lattice system."""
    beta = settings.beta

    def mean_loss(mean: Any, target: Any, frozen_variance: Any) -> Any:
        alpha, scale = tf.split(frozen_variance, 2, axis=-1)
        return weighted_nll(target, mean, alpha, scale, beta)

    def variance_loss(variance: Any, target: Any, frozen_mean: Any) -> Any:
        alpha, scale = tf.split(variance, 2, axis=-1)
        return weighted_nll(target, frozen_mean, alpha, scale, 0.0)

    rate, size = settings.learning_rate, settings.batch_size
    return VarianceModels(
        Trainer(
            _mean_model(n_peaks, n_free, settings),
            mean_loss,
            (n_peaks,),
            (n_free, 2 * n_free),
            rate,
            size,
        ),
        Trainer(
            _variance_model(n_peaks, n_free, settings),
            variance_loss,
            (n_peaks,),
            (n_free, n_free),
            rate,
            size,
        ),
        settings,
    )


def weighted_nll(target: Any, mean: Any, alpha: Any, beta: Any, exponent: float) -> Any:
    """Eq. 20 (``exponent`` 0) or eq. 21, summed over the cell parameters: one value a row.

    Args:
        target: true values, shape (n, n_free), as are the mean, alpha and beta.
        exponent: power of the variance estimate beta/(alpha - 1) that weights each term and
            through which no gradient flows.
    """
    half = tf.constant(0.5)
    nll = (
        half * np.float32(np.log(2 * np.pi))
        - alpha * tf.math.log(beta)
        - tf.math.lgamma(alpha + half)
        + tf.math.lgamma(alpha)
        + (alpha + half) * tf.math.log(beta + half * tf.square(target - mean))
    )
    weight = tf.stop_gradient(tf.pow(beta / (alpha - 1), exponent))
    return tf.reduce_sum(weight * nll, axis=-1)


def train_regression(
    examples: Examples,
    groups: Sequence[str],
    system: LatticeSystem,
    scaling: Scaling,
    settings: Regression,
    seed: int,
    directory: str | Path,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Trained:
    """Train the variance networks of some groups and write ``{group}.npz`` for each.

    Training uses the training side, augmented entries included. Of the validation side one half
    of the parents stops the training, the other half, unaugmented entries only, gives the
    figures (:func:`mlindex.method.training_data.validation_halves`). A group with too few entries
    is not trained; METRICS and log say so.

    Args:
        examples: EXAMPLES of the lattice system.
        groups: the groups to train.
        seed: each group derives its own from it, so that results do not depend on the batch.
        directory: where the weights go.

    Returns:
        epochs and figures. Intervals are those of the predictive distribution, a Student t with
        2 alpha degrees of freedom and scale sqrt(beta / alpha) about the mean.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    models = build_models(n_peaks_of(system), system.n_free, settings)
    epochs: list[dict] = []
    metrics: list[dict] = []
    for group, rows in by_group(examples, progress(groups)):
        samples = regression_samples(rows, system, scaling)
        if reason := untrainable(samples, settings.min_train):
            _LOG.warning("%s: no network trained: %s", group, reason)
            metrics.append(metric(group, _ESTIMATOR, "not trained", samples.train.sum(), 0))
            continue
        epochs += train_group(models, samples, group, seed)
        path = directory / f"{group}.npz"
        write_arrays(path, network_arrays(models))
        metrics += _figures(VarianceNetwork.load(path), samples, group, system, scaling)
        _LOG.info("%s: network trained on %d entries", group, samples.train.sum())
    return Trained(
        pd.DataFrame(epochs, columns=TRAINING.names), pd.DataFrame(metrics, columns=METRICS.names)
    )


def untrainable(samples: Samples, min_train: int) -> str:
    """Why a group can't be trained, or nothing."""
    trained = int(samples.train.sum())
    if trained < min_train:
        return f"{trained} training entries, at least {min_train} needed (min_train)"
    return "" if samples.stopping.any() else "no validation entries"


def train_group(models: VarianceModels, samples: Samples, group: str, seed: int) -> list[dict]:
    """Train both models on one group, from new weights; gives rows of TRAINING."""
    settings = models.settings
    rng = generator(seed, "regression", group)
    models.mean.reset(rng)
    models.variance.reset(rng)
    train, stop = samples.train, samples.stopping
    x, target = samples.q2_scaled, samples.free_scaled
    rows: list[dict] = []
    for _ in range(settings.cycles):
        halves = (
            (models.mean, models.variance, "mean"),
            (models.variance, models.mean, "variance"),
        )
        for learning, resting, name in halves:
            frozen = resting.predict(x)
            history = learning.fit(
                lambda frozen=frozen: (x[train], target[train], frozen[train]),
                (x[stop], target[stop], frozen[stop]),
                settings.epochs,
                settings.patience,
                rng,
            )
            done = sum(row["network"] == name for row in rows)
            rows += [
                {
                    "model": group,
                    "network": name,
                    "epoch": done + number,
                    "loss": loss,
                    "validation_loss": validation_loss,
                }
                for number, (loss, validation_loss) in enumerate(history, start=1)
            ]
    return rows


def _mean_model(n_peaks: int, n_free: int, settings: Regression) -> keras.Model:
    q2 = keras.Input((n_peaks,))
    hidden = hidden_stack(q2, settings.mean_layers, settings.dropout, "mean")
    return keras.Model(q2, keras.layers.Dense(n_free, name="mean_output")(hidden))


def _variance_model(n_peaks: int, n_free: int, settings: Regression) -> keras.Model:
    q2 = keras.Input((n_peaks,))
    outputs = []
    for name, offset in (("alpha", ALPHA_MIN), ("beta", BETA_MIN)):
        hidden = hidden_stack(q2, settings.variance_layers, settings.dropout, name)
        raw = keras.layers.Dense(n_free, name=f"{name}_output")(hidden)
        positive = keras.layers.Activation("softplus", name=f"{name}_positive")(raw)
        outputs.append(keras.layers.Rescaling(1.0, offset, name=f"{name}_offset")(positive))
    return keras.Model(q2, keras.layers.Concatenate(name="variance")(outputs))


def network_arrays(models: VarianceModels) -> dict[str, np.ndarray]:
    """Weights under the names that :mod:`mlindex.learning.networks` reads."""
    settings = models.settings
    found: dict[str, np.ndarray] = {}
    for trainer, name, units in (
        (models.mean, "mean", settings.mean_layers),
        (models.variance, "alpha", settings.variance_layers),
        (models.variance, "beta", settings.variance_layers),
    ):
        found |= stack_arrays(trainer.model, name, len(units))
        output = trainer.model.get_layer(f"{name}_output")
        found[f"{name}/output/kernel"] = np.array(output.kernel)
        found[f"{name}/output/bias"] = np.array(output.bias)
    return found


def _figures(
    network: VarianceNetwork,
    samples: Samples,
    group: str,
    system: LatticeSystem,
    scaling: Scaling,
) -> list[dict]:
    chosen = samples.figures
    entries = int(chosen.sum())
    if not entries:
        return []
    mean, alpha, beta = (v.astype(float) for v in network.predict(samples.q2_scaled[chosen]))
    names, units = parameter_names(system, samples.unique_axis)
    errors = scaling.free_inverse(mean, system) - samples.free[chosen]
    rows = error_metrics(group, _ESTIMATOR, errors, names, units)
    deviation = np.abs(samples.free_scaled[chosen] - mean) / np.sqrt(beta / alpha)
    for sigmas in (1, 2):
        limit = t.ppf(norm.cdf(sigmas), 2 * alpha)
        shares = np.mean(deviation <= limit, axis=0)
        rows += [
            metric(group, _ESTIMATOR, f"inside {sigmas} sigma", share, entries, name)
            for share, name in zip(shares, names, strict=True)
        ]
    return rows
