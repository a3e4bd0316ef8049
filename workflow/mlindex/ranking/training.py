"""Training of the ranking network with Keras."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlindex.training_tools import Trainer, hidden_stack, stack_arrays  # isort: skip

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from mlindex.errors import MlindexError
from mlindex.provenance import derive_seed
from mlindex.ranking.features import FEATURES
from mlindex.ranking.judging import lists_of
from mlindex.settings.ranking import Ranking

_ABSENT = -1e9
_FEWEST_LISTS = 10
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lists:
    """Lists of candidates as arrays of one shape.

    ``features`` (l, k, F), 0 where a list has fewer than k candidates; ``present`` (l, k), 1 for
    candidates; ``right`` (l, k + 1), 1 for right ones, the last for "none of them".
    """

    features: np.ndarray
    present: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, features: Sequence[np.ndarray], right: Sequence[np.ndarray], width: int) -> Lists:
        """From the features (m, F) and labels (m,) of each list, its first ``width`` candidates."""
        shape = len(features), width
        made = cls(
            np.zeros((*shape, len(FEATURES))), np.zeros(shape), np.zeros((len(right), width + 1))
        )
        for i, (rows, labels) in enumerate(zip(features, right, strict=True)):
            m = min(len(rows), width)
            made.features[i, :m] = rows[:m]
            made.present[i, :m] = 1.0
            made.right[i, :m] = labels[:m]
            made.right[i, width] = float(not np.any(labels[:m]))
        return made

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: np.ndarray) -> Lists:
        """Some of the lists."""
        return Lists(self.features[rows], self.present[rows], self.right[rows])


class _None(keras.layers.Layer):
    """Scores (n, k) of candidates, absent ones sunk, with a learned one for "none": (n, k + 1)."""

    def build(self, shape: Any) -> None:
        """One number."""
        self.bias = self.add_weight((1,), "zeros", name="bias")

    def call(self, scores: Any, present: Any) -> Any:
        """Logits."""
        none = tf.broadcast_to(self.bias, (tf.shape(scores)[0], 1))
        return tf.concat([scores + (1 - present) * _ABSENT, none], axis=1)


def train(
    examples: pd.DataFrame,
    settings: Ranking,
    seed: int,
    progress: Callable[[Iterable], Iterable] = iter,
) -> dict[str, np.ndarray]:
    """Arrays of the network, trained on the training side of RANKING_EXAMPLES.

    Raises:
        MlindexError: there are too few lists.
    """
    listed = lists_of(examples[examples["side"] == "train"])
    if len(listed) < _FEWEST_LISTS:
        raise MlindexError(
            f"{len(listed)} training lists are too few, {_FEWEST_LISTS} are needed: raise "
            "ranking_examples.entries"
        )
    width = max(len(features) for features, _ in listed)
    lists = Lists.of(*zip(*listed, strict=True), width)
    arrays, history = train_ranking(lists, settings, seed, progress)
    _LOG.info("%d lists, %d epochs, last losses %s", len(lists), len(history), history[-1])
    return arrays


def train_ranking(
    lists: Lists,
    settings: Ranking,
    seed: int,
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[dict[str, np.ndarray], list[tuple[float, float]]]:
    """Arrays that :class:`mlindex.ranking.network.RankingModel` loads, and losses of each epoch.

    The loss of a list is -ln of the probability given to what is right, "none" included. A share
    of the lists is kept out to stop in time.
    """
    rng = np.random.default_rng(derive_seed(seed, "ranking"))
    order = rng.permutation(len(lists))
    held_out = max(1, int(settings.held_out * len(lists)))
    used, kept = lists.take(order[held_out:]), lists.take(order[:held_out])
    rows = used.features[used.present > 0]
    mean = rows.mean(axis=0)
    scale = np.maximum(rows.std(axis=0), settings.least_spread)
    trainer = _trainer(lists.features.shape[1], settings)
    trainer.reset(rng)
    training, validation = (_arrays(part, mean, scale) for part in (used, kept))
    history = trainer.fit(
        lambda: training, validation, settings.epochs, settings.patience, rng, progress
    )
    output = trainer.model.get_layer("score_output")
    arrays = {
        **stack_arrays(trainer.model, "score", len(settings.layers)),
        "score/output/kernel": np.array(output.kernel),
        "score/output/bias": np.array(output.bias),
        "mean": mean,
        "scale": scale,
        "none": np.array(trainer.model.get_layer("none").bias)[0],
        "features": np.frombuffer(" ".join(FEATURES).encode(), dtype=np.uint8),
    }
    return arrays, history


def _trainer(width: int, settings: Ranking) -> Trainer:
    flat = keras.Input((width * len(FEATURES),))
    present = keras.Input((width,))
    x = keras.layers.Reshape((width, len(FEATURES)))(flat)  # (n, k, F)
    x = hidden_stack(x, settings.layers, settings.dropout, "score")
    x = keras.layers.Dense(1, name="score_output")(x)  # (n, k, 1)
    scores = keras.layers.Reshape((width,))(x)
    model = keras.Model([flat, present], _None(name="none")(scores, present))

    def loss(logits: Any, right: Any) -> Any:
        log_probability = tf.nn.log_softmax(logits)
        return -tf.reduce_logsumexp(log_probability + (1 - right) * _ABSENT, axis=1)

    return Trainer(
        model,
        loss,
        (width * len(FEATURES), width),
        (width + 1,),
        settings.learning_rate,
        settings.batch_size,
    )


def _arrays(lists: Lists, mean: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
    standard = (lists.features - mean) / scale * lists.present[..., None]
    return standard.reshape(len(lists), -1), lists.present, lists.right
