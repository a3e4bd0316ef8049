"""Training of the ranking network with Keras."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlindex.learning.keras_trainer import Trainer, hidden_stack, stack_arrays  # isort: skip

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.indexing.ranking.judging import lists_of
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.network import features_array, support
from mlindex.indexing.ranking.settings import Ranking
from mlindex.learning.sides import TRAIN

_ABSENT = -1e9
#: Of the support in the score, before training.
_SHARE = 0.5
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


class _Scores(keras.layers.Layer):
    """Logits (n, k + 1): a share of the support, what the network adds (n, k each), and "none".

    A network that adds nothing leaves the ranking to the evidence.
    """

    def build(self, shape: Any) -> None:
        """Two numbers."""
        self.share = self.add_weight((1,), "zeros", name="share")
        self.none = self.add_weight((1,), "zeros", name="none")

    def call(self, added: Any, support: Any, present: Any) -> Any:
        """Absent candidates are sunk."""
        scores = added + (_SHARE + self.share) * support + (1 - present) * _ABSENT
        none = tf.broadcast_to(self.none, (tf.shape(scores)[0], 1))
        return tf.concat([scores, none], axis=1)


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
    listed = lists_of(examples[examples["side"] == TRAIN])
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
    """Arrays that :class:`.network.RankingModel` loads, and losses of each epoch.

    The loss of a list is -ln of the probability given to what is right, "none" included. Each
    member of the ensemble keeps out another share of the lists to stop in time.
    """
    rows = lists.features[lists.present > 0]
    mean = rows.mean(axis=0)
    scale = np.maximum(rows.std(axis=0), settings.least_spread)
    trainer = _trainer(lists.features.shape[1], settings)
    arrays = {
        "mean": mean,
        "scale": scale,
        "features": features_array(),
    }
    history: list[tuple[float, float]] = []
    shares, nones = [], []
    for member in progress(range(settings.members)):
        rng = np.random.default_rng(derive_seed(seed, "ranking", member))
        order = rng.permutation(len(lists))
        n_kept = max(1, int(settings.held_out * len(lists)))
        used, kept = (
            _arrays(lists.take(part), mean, scale) for part in (order[n_kept:], order[:n_kept])
        )
        trainer.reset(rng)
        history += trainer.fit(
            lambda used=used: used, kept, settings.epochs, settings.patience, rng
        )
        arrays |= {
            f"{member}/{name}": values
            for name, values in _network_arrays(trainer.model, len(settings.layers)).items()
        }
        scores = trainer.model.get_layer("scores")
        shares.append(_SHARE + float(np.array(scores.share)[0]))
        nones.append(float(np.array(scores.none)[0]))
    return arrays | {"share": np.array(shares), "none": np.array(nones)}, history


def _network_arrays(model: keras.Model, n_layers: int) -> dict[str, np.ndarray]:
    output = model.get_layer("score_output")
    return stack_arrays(model, "score", n_layers) | {
        "score/output/kernel": np.array(output.kernel),
        "score/output/bias": np.array(output.bias),
    }


def _trainer(width: int, settings: Ranking) -> Trainer:
    flat = keras.Input((width * len(FEATURES),))
    support = keras.Input((width,))
    present = keras.Input((width,))
    x = keras.layers.Reshape((width, len(FEATURES)))(flat)  # (n, k, F)
    x = hidden_stack(x, settings.layers, settings.dropout, "score")
    x = keras.layers.Dense(1, name="score_output")(x)  # (n, k, 1)
    added = keras.layers.Reshape((width,))(x)
    logits = _Scores(name="scores")(added, support, present)
    model = keras.Model([flat, support, present], logits)

    def loss(logits: Any, right: Any) -> Any:
        log_probability = tf.nn.log_softmax(logits)
        return -tf.reduce_logsumexp(log_probability + (1 - right) * _ABSENT, axis=1)

    return Trainer(
        model,
        loss,
        (width * len(FEATURES), width, width),
        (width + 1,),
        settings.learning_rate,
        settings.batch_size,
    )


def _arrays(lists: Lists, mean: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
    standard = (lists.features - mean) / scale * lists.present[..., None]
    flat = standard.reshape(len(lists), -1)
    return flat, support(lists.features) * lists.present, lists.present, lists.right
