"""The ranking network at work: probabilities from features, in numpy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import file_digest
from mlindex.base.special import softmax
from mlindex.indexing.ranking.meanings import EVIDENCE_UNIT, FEATURES, GAIN_UNIT
from mlindex.learning.arrays import source_of, write_arrays
from mlindex.learning.learner import Learner
from mlindex.learning.networks import DenseNetwork

#: Names of the two files of a model.
ARRAYS, CARD = "ranking.npz", "ranking.json"


def write_model(directory: Path, arrays: Mapping[str, np.ndarray], provenance: Mapping) -> None:
    """Write the arrays and a card with their provenance and digest."""
    write_arrays(directory / ARRAYS, arrays)
    card = {"sha256": file_digest(directory / ARRAYS), "made": provenance}
    with atomic_path(directory / CARD) as path:
        path.write_text(json.dumps(card, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def features_array() -> np.ndarray:
    """Names of the features as a model keeps them: bytes, uint8 (n,)."""
    return np.frombuffer(" ".join(FEATURES).encode(), dtype=np.uint8)


def support(features: np.ndarray) -> np.ndarray:
    """Log-evidence with what absences add to it (...,), from features (..., F)."""
    evidence, gain = (FEATURES.index(name) for name in ("evidence", "absences"))
    return EVIDENCE_UNIT * features[..., evidence] + GAIN_UNIT * features[..., gain]


@dataclass(frozen=True)
class Member:
    """One network from features to what it adds to the score, the share of the support in the
    score, and the score of "none of them"."""

    network: DenseNetwork
    share: float
    none: float

    def predict_proba(self, standard: np.ndarray, support: np.ndarray) -> np.ndarray:
        """Probability (m,) of each candidate, from standardized features (m, F)."""
        scores = self.network.predict(standard)[:, 0].astype(float) + self.share * support
        return softmax(np.append(scores, self.none))[:-1]


@dataclass(frozen=True)
class RankingModel(Learner):
    """Networks trained alike on different shares of the lists; their probabilities are averaged.

    ``mean`` and ``scale`` (F,) standardize the features.
    """

    members: tuple[Member, ...]
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> RankingModel:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or it has other features than this
                version's.
        """
        names = tuple(bytes(arrays["features"]).decode().split())
        if names != FEATURES:
            raise MlindexError(
                f"{source_of(arrays)}: made for other features ({len(names)}, not these "
                f"{len(FEATURES)}); train the ranking again with this version"
            )
        members = tuple(
            Member(DenseNetwork.from_arrays(arrays, f"{k}/score"), float(share), float(none))
            for k, (share, none) in enumerate(zip(arrays["share"], arrays["none"], strict=True))
        )
        return cls(members, arrays["mean"], arrays["scale"])

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        arrays = {
            "mean": self.mean,
            "scale": self.scale,
            "features": features_array(),
            "share": np.array([member.share for member in self.members]),
            "none": np.array([member.none for member in self.members]),
        }
        for k, member in enumerate(self.members):
            arrays |= member.network.arrays(f"{k}/score")
        return arrays

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Probability (m,) of each candidate of a list with features (m, F).

        What they lack of 1 is for "none of them".

        Raises:
            ValueError: there are other features than in training.
        """
        if not len(features):
            return np.empty(0)
        if np.shape(features)[1:] != self.mean.shape:
            raise ValueError(f"expected {len(self.mean)} features, got {np.shape(features)}")
        standard = ((features - self.mean) / self.scale).astype(np.float32)
        log_support = support(np.asarray(features, dtype=float))
        return np.mean([m.predict_proba(standard, log_support) for m in self.members], axis=0)
