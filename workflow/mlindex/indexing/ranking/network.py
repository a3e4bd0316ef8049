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
from mlindex.learning.networks import DenseNetwork, read_arrays, write_arrays

#: Names of the two files of a model.
ARRAYS, CARD = "ranking.npz", "ranking.json"


def write_model(directory: Path, arrays: Mapping[str, np.ndarray], provenance: Mapping) -> None:
    """Write the arrays and a card with their provenance and digest."""
    write_arrays(directory / ARRAYS, arrays)
    card = {"sha256": file_digest(directory / ARRAYS), "made": provenance}
    with atomic_path(directory / CARD) as path:
        path.write_text(json.dumps(card, indent=1, sort_keys=True) + "\n", encoding="utf-8")


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

    def probabilities(self, standard: np.ndarray, support: np.ndarray) -> np.ndarray:
        """Probability (m,) of each candidate, from standardized features (m, F)."""
        scores = self.network(standard)[:, 0].astype(float) + self.share * support
        return softmax(np.append(scores, self.none))[:-1]


@dataclass(frozen=True)
class RankingModel:
    """Networks trained alike on different shares of the lists; their probabilities are averaged.

    ``mean`` and ``scale`` (F,) standardize the features.
    """

    members: tuple[Member, ...]
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def load(cls, path: str | Path) -> RankingModel:
        """From a file that training wrote.

        Raises:
            MlindexError: the file can't be read, or is of other features than this version's.
        """
        arrays = read_arrays(path)
        names = tuple(bytes(arrays["features"]).decode().split())
        if names != FEATURES:
            raise MlindexError(
                f"{path}: made for other features ({len(names)}, not these {len(FEATURES)}); "
                "train the ranking again with this version"
            )
        members = tuple(
            Member(DenseNetwork.from_arrays(arrays, f"{k}/score"), float(share), float(none))
            for k, (share, none) in enumerate(zip(arrays["share"], arrays["none"], strict=True))
        )
        return cls(members, arrays["mean"], arrays["scale"])

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Probability (m,) of each candidate of a list with features (m, F).

        What they lack of 1 is for "none of them".
        """
        if not len(features):
            return np.empty(0)
        standard = ((features - self.mean) / self.scale).astype(np.float32)
        log_support = support(np.asarray(features, dtype=float))
        return np.mean([m.probabilities(standard, log_support) for m in self.members], axis=0)
