"""Miller-index assignment networks: which reference reflection each peak is (Moreau 2.3.2).

One network for each lattice system and noise level. Its input is eq. 22 of the differences between
the observed peaks and the reference reflections of a cell that is off by noise of that level.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlindex.learning.lattices import n_peaks_of

from mlindex.learning.keras_trainer import (  # isort: skip  (sets Keras' backend before it is imported)
    Trainer,
    hidden_stack,
    stack_arrays,
)
import keras
import tensorflow as tf

from mlindex.base.columns import cell_names
from mlindex.base.provenance import generator
from mlindex.base.schema import stack
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.learning.arrays import write_arrays
from mlindex.learning.tables import METRICS, TRAINING
from mlindex.method.draws import possible_cells
from mlindex.method.networks import AssignmentNetwork
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Assignment
from mlindex.method.training_data import Blocks, Trained, blocks_of, head, metric, sides

#: Columns of EXAMPLES that :func:`train_assignment` needs.
COLUMNS = (
    *("parent_id", "augmented", "side", "unique_axis"),
    *cell_names(""),
    *("q2_inv_A2", "label"),
)
_LOG = logging.getLogger("mlindex.method.assignment")
_ESTIMATORS = ("assignment network", "nearest")
_REDRAWS = 100
_JUDGED_ROWS = 256


@dataclass(frozen=True)
class AssignmentLines:
    """Entries with their peaks: all arrays have one row for each.

    ``free_scaled`` (n, n_free) are the scaled free parameters of the standard cell, ``q2_scaled``
    and ``label`` (n, n_peaks).
    """

    free_scaled: np.ndarray
    q2_scaled: np.ndarray
    label: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: np.ndarray) -> AssignmentLines:
        """Some of the entries."""
        return AssignmentLines(self.free_scaled[rows], self.q2_scaled[rows], self.label[rows])

    @staticmethod
    def joined(parts: list[AssignmentLines]) -> AssignmentLines:
        """All entries of several, in order."""
        fields = ("free_scaled", "q2_scaled", "label")
        return AssignmentLines(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in fields)
        )


@dataclass(frozen=True)
class _Noise:
    """Draws perturbed cells, other ones each time."""

    level: float
    system: LatticeSystem
    scaling: Scaling
    rng: np.random.Generator

    def on(self, lines: AssignmentLines) -> AssignmentLines:
        """The entries with perturbed cells."""
        free = perturb(lines.free_scaled, self.level, self.system, self.scaling, self.rng)
        return replace(lines, free_scaled=free)

    def arrays(self, lines: AssignmentLines) -> tuple[np.ndarray, ...]:
        """The network's inputs and targets of entries with perturbed cells."""
        x = reciprocal(self.on(lines).free_scaled, self.system, self.scaling)
        return lines.q2_scaled, x, lines.label


def train_assignment(
    examples: Blocks,
    reference_hkl: np.ndarray,
    system: LatticeSystem,
    scaling: Scaling,
    noise_level: float,
    epsilon: float,
    settings: Assignment,
    seed: int,
    path: str | Path,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Trained:
    """Train one assignment network and write it to ``path``.

    Only unaugmented entries are used. Each epoch sees every cell with a fresh perturbation. Half
    of the validation side, perturbed once, stops the training; the other half gives the figures
    (:func:`mlindex.method.training_data.validation_halves`): the share of peaks given the right
    label by the network and by the nearest reflection, under the same perturbed cells. With too few
    entries nothing is trained or written; METRICS and log say so.

    Args:
        examples: EXAMPLES of the lattice system, at least :data:`COLUMNS`, whole or in blocks.
        reference_hkl: reference Miller indices, shape (n_ref, 3), standard setting, the last row
            (0, 0, 0).
        noise_level: standard deviation of the noise on the scaled free cell parameters.
        epsilon: epsilon of eq. 22, in scaled q².
        progress: wraps the iterable of epochs.
    """
    model_name = f"{noise_level:g}"
    training, stop, judged = _gathered(examples, system, scaling)
    if len(training) < settings.min_train or not len(stop):
        return _untrained(model_name, len(training), len(stop) + len(judged), settings)
    rng = generator(seed, "assignment", model_name)
    trainer = build_trainer(reference_hkl, system, scaling, epsilon, settings)
    trainer.reset(rng)
    noise = _Noise(noise_level, system, scaling, rng)
    held_out = noise.arrays(stop)
    history = trainer.fit(
        lambda: noise.arrays(training), held_out, settings.epochs, settings.patience, rng, progress
    )
    write_arrays(path, network_arrays(trainer.model, settings, epsilon, noise_level))
    network = AssignmentNetwork.load(path)
    metrics = _figures(network, noise.on(judged), reference_hkl, system, scaling, model_name)
    return Trained(_history(model_name, history), pd.DataFrame(metrics, columns=METRICS.names))


def _gathered(examples: Blocks, system: LatticeSystem, scaling: Scaling) -> list[AssignmentLines]:
    """The unaugmented entries for training, stopping and figures."""
    heads, parts = [], []
    for block in blocks_of(examples):
        rows = block[~block["augmented"].to_numpy(dtype=bool)]
        heads.append(head(rows))
        parts.append(assignment_lines(rows, system, scaling))
    lines = AssignmentLines.joined(parts)
    return [lines.take(mask) for mask in sides(pd.concat(heads, ignore_index=True))]


def _untrained(model_name: str, count: int, validation: int, settings: Assignment) -> Trained:
    _LOG.warning(
        "noise %s: no assignment network trained: %d training entries (%d needed), %d "
        "validation entries",
        *(model_name, count, settings.min_train, validation),
    )
    row = metric(model_name, _ESTIMATORS[0], "not trained", count, 0)
    return Trained(pd.DataFrame(columns=TRAINING.names), pd.DataFrame([row]))


def _history(model_name: str, history: list[tuple[float, float]]) -> pd.DataFrame:
    rows = [
        (model_name, "assignment", number, *losses)
        for number, losses in enumerate(history, start=1)
    ]
    return pd.DataFrame(rows, columns=TRAINING.names)


def assignment_lines(
    examples: pd.DataFrame, system: LatticeSystem, scaling: Scaling
) -> AssignmentLines:
    """Scaled standard cells, scaled peaks and labels of EXAMPLES."""
    cells = examples[cell_names("")].to_numpy(dtype=float, copy=True)
    axes = examples["unique_axis"].to_numpy()
    shape = len(examples), n_peaks_of(system)
    for axis in set(axes):
        cells[axes == axis] = cell_to_standard(cells[axes == axis], system, axis)
    return AssignmentLines(
        scaling.free(system.free_from_cell(cells), system),
        scaling.q2(stack(examples["q2_inv_A2"]).reshape(shape)).astype(np.float32),
        stack(examples["label"], dtype=np.int32).reshape(shape),
    )


def perturb(
    free_scaled: np.ndarray,
    noise_level: float,
    system: LatticeSystem,
    scaling: Scaling,
    rng: np.random.Generator,
) -> np.ndarray:
    """Cells (n, n_free) with Gaussian noise added in scaled space.

    A draw that is no cell (a length not positive, impossible angles) is drawn again; one that
    never is within many draws stays as it was.
    """
    found = free_scaled + rng.normal(0.0, noise_level, free_scaled.shape)
    for _ in range(_REDRAWS):
        wrong = np.flatnonzero(~is_cell(found, system, scaling))
        if not len(wrong):
            return found
        noise = rng.normal(0.0, noise_level, (len(wrong), free_scaled.shape[1]))
        found[wrong] = free_scaled[wrong] + noise
    wrong = ~is_cell(found, system, scaling)
    found[wrong] = free_scaled[wrong]
    return found


def is_cell(free_scaled: np.ndarray, system: LatticeSystem, scaling: Scaling) -> np.ndarray:
    """Whether scaled free parameters (n, n_free) are those of a possible cell: (n,) bool."""
    return possible_cells(system.cell_from_free(scaling.free_inverse(free_scaled, system)))


def reciprocal(free_scaled: np.ndarray, system: LatticeSystem, scaling: Scaling) -> np.ndarray:
    """Free reciprocal parameters in 1/A², (n, n_free), of scaled free cell parameters."""
    cells = system.cell_from_free(scaling.free_inverse(free_scaled, system))
    return reciprocal_from_cell(cells)[..., list(system.pick)]


class Closeness(keras.layers.Layer):
    """Eq. 22 from scaled observed q² (n, n_peaks) and reciprocal parameters (n, n_free)."""

    def __init__(self, design: np.ndarray, mean: float, scale: float, epsilon: float):
        super().__init__(name="closeness")
        self._design = (design.T / scale).astype(np.float32)
        self._offset = np.float32(mean / scale)
        self._epsilon = np.float32(epsilon)

    def call(self, q2_scaled: Any, x: Any) -> Any:
        """Shape (n, n_peaks, n_ref)."""
        reference = tf.matmul(x, self._design) - self._offset
        difference = tf.abs(q2_scaled[:, :, None] - reference[:, None, :])
        return self._epsilon / (difference + self._epsilon)


class PeakHeads(keras.layers.Layer):
    """A dense layer of its own for each peak: (n, n_peaks, n_in) to (n, n_peaks, units)."""

    def __init__(self, units: int):
        super().__init__(name="heads")
        self._units = units

    def build(self, shape: tuple[int | None, ...]) -> None:
        """One kernel (n_in, units) and bias (units,) for each peak."""
        self.kernel = self.add_weight((shape[1], shape[2], self._units), name="kernel")
        self.bias = self.add_weight((shape[1], self._units), "zeros", name="bias")

    def call(self, x: Any) -> Any:
        """Logits of every peak."""
        peaks_first = tf.matmul(tf.transpose(x, (1, 0, 2)), self.kernel)
        return tf.transpose(peaks_first, (1, 0, 2)) + self.bias


def build_trainer(
    reference_hkl: np.ndarray,
    system: LatticeSystem,
    scaling: Scaling,
    epsilon: float,
    settings: Assignment,
) -> Trainer:
    """The network, compiled: inputs scaled q² and reciprocal parameters, target the labels."""
    q2 = keras.Input((n_peaks_of(system),))
    x = keras.Input((system.n_free,))
    zero, one = scaling.q2_inverse(np.array([0.0, 1.0]))
    near = Closeness(system.design_matrix(reference_hkl), zero, one - zero, epsilon)(q2, x)
    hidden = hidden_stack(near, settings.layers, settings.dropout, "shared")
    model = keras.Model([q2, x], PeakHeads(len(reference_hkl))(hidden))

    def loss(logits: Any, label: Any) -> Any:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(label, tf.int32), logits)
        return tf.reduce_mean(losses, axis=-1)

    return Trainer(
        model,
        loss,
        (n_peaks_of(system), system.n_free),
        (n_peaks_of(system),),
        settings.learning_rate,
        settings.batch_size,
    )


def network_arrays(
    model: keras.Model, settings: Assignment, epsilon: float, noise_level: float
) -> dict[str, np.ndarray]:
    """Weights under the names that :mod:`mlindex.learning.networks` reads."""
    heads = model.get_layer("heads")
    return {
        **stack_arrays(model, "shared", len(settings.layers)),
        "heads/kernel": np.array(heads.kernel),
        "heads/bias": np.array(heads.bias),
        "epsilon": np.array(epsilon),
        "noise_level": np.array(noise_level),
    }


def _figures(
    network: AssignmentNetwork,
    lines: AssignmentLines,
    reference_hkl: np.ndarray,
    system: LatticeSystem,
    scaling: Scaling,
    model_name: str,
) -> list[dict]:
    entries = len(lines)
    if not entries:
        return []
    design = system.design_matrix(reference_hkl)
    right = np.zeros(2)
    for start in range(0, entries, _JUDGED_ROWS):
        part = lines.take(np.arange(start, min(start + _JUDGED_ROWS, entries)))
        reference = scaling.q2(reciprocal(part.free_scaled, system, scaling) @ design.T)
        chosen = network.predict_proba(part.q2_scaled, reference).argmax(axis=-1)
        # The last label is no reflection, so that nothing can be nearest to it.
        difference = np.abs(part.q2_scaled[..., :, None] - reference[..., None, :-1])
        nearest = difference.argmin(axis=-1)
        right += [np.sum(chosen == part.label), np.sum(nearest == part.label)]
    shares = right / lines.label.size
    return [
        metric(model_name, estimator, "accuracy", share, entries)
        for estimator, share in zip(_ESTIMATORS, shares, strict=True)
    ]
