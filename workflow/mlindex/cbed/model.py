"""The model that tells the space group from a stack's features, as plain arrays in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.evidence_names import EVIDENCE
from mlindex.crystal.symmetry_classes import N_GROUPS
from mlindex.learning.arrays import Arrays, source_of
from mlindex.learning.labels import at_level
from mlindex.learning.learner import Learner
from mlindex.learning.learners.contract import Classifier, Inputs
from mlindex.learning.learners.registry import KINDS, learner_of
from mlindex.learning.scores import warmed

#: Levels that it answers at, each by sums over space groups, so that none contradicts another.
LEVELS = ("space_group", "point_group", "crystal_system")
_OF_LEARNER = "learner."
#: A group that agrees less than the best covered one by more than this (nat) counts as one that
#: agrees by this: in one stack of five the nets tell a wrong lattice. Of -3, -4, -6 and -8 the two
#: in the middle had the least log-loss, on 96 stacks of 48 crystals that no model had learnt from.
LEAST_EVIDENCE = -6.0
_EVIDENCE_PLACES = frozenset(EVIDENCE)


@dataclass(frozen=True)
class CbedModel(Learner):
    """A fitted learner of space groups, numbered from 0.

    ``kind`` is its kind, ``temperature`` that by which its probabilities are calibrated, ``names``
    those of the numbers that it sees, in order: features, which the learner takes, and, if
    ``evidence_weight`` isn't 0, the ``EVIDENCE`` of each space group. ``covered`` (230,): the
    groups that it has learnt, which alone it names. Probabilities are those of the learner, of
    which it may be wrong a share ``floor``, times exp(evidence), the latter to the power of its
    weight.
    """

    kind: str
    learner: Classifier
    temperature: float
    names: tuple[str, ...]
    covered: np.ndarray
    evidence_weight: float = 0.0
    floor: float = 0.0

    what = "model of space groups"

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> CbedModel:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no such model.
        """
        kind, temperature, names = (arrays[name] for name in ("kind", "temperature", "names"))
        covered, weight, floor = (arrays[name] for name in ("covered", "evidence_weight", "floor"))
        texts = kind.dtype.kind == "U" and names.dtype.kind == "U"
        sound = texts and kind.shape == () and names.ndim == 1 and str(kind) in KINDS
        sound &= covered.shape == (N_GROUPS,) and covered.dtype == bool and bool(covered.any())
        sound &= all(number.shape == () for number in (temperature, weight, floor))
        ranges = ((temperature, 0.01, 100.0), (weight, 0.0, 100.0), (floor, 0.0, 1.0))
        if not (sound and all(low <= float(number) <= high for number, low, high in ranges)):
            raise MlindexError(f"{source_of(arrays)}: no {cls.what}; remove it and train again")
        own = {
            name.removeprefix(_OF_LEARNER): value
            for name, value in arrays.items()
            if name.startswith(_OF_LEARNER)
        }
        learner = learner_of(str(kind)).from_arrays(Arrays(source_of(arrays), own))
        made = cls(str(kind), learner, float(temperature), tuple(str(n) for n in names), covered)
        return replace(made, evidence_weight=float(weight), floor=float(floor))

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {
            "kind": np.array(self.kind),
            "temperature": np.array(self.temperature),
            "names": np.array(self.names),
            "covered": self.covered,
            "evidence_weight": np.array(self.evidence_weight),
            "floor": np.array(self.floor),
            **{f"{_OF_LEARNER}{name}": value for name, value in self.learner.arrays().items()},
        }

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Probability of each space group, shape (n, 230).

        Args:
            x: features (n, m) in the order of ``names``, NaN where unknown.

        Raises:
            ValueError: they are no table of so many features.
        """
        if np.ndim(x) != 2 or np.shape(x)[1] != len(self.names):
            raise ValueError(f"expected rows of {len(self.names)} features, got {np.shape(x)}")
        features, evidence = parted(np.asarray(x), self.names)
        found = self.learner.predict_proba(Inputs(features))
        if found.shape[1] != N_GROUPS:
            raise ValueError(f"the learner knows {found.shape[1]} classes, not {N_GROUPS}")
        found = warmed(found, self.temperature)
        if not self.evidence_weight:
            return found
        return weighed(found, evidence, self.covered, self.evidence_weight, self.floor)


def parted(x: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """What a learner takes of numbers (n, m) with these names, and the evidence (n, 230).

    The evidence is none at all, 0, where the names lack it.
    """
    own = [i for i, name in enumerate(names) if name not in _EVIDENCE_PLACES]
    columns = {name: i for i, name in enumerate(names)}
    if not columns.keys() >= _EVIDENCE_PLACES:
        return x[:, own], np.zeros((len(x), N_GROUPS))
    return x[:, own], x[:, [columns[name] for name in EVIDENCE]].astype(float)


def weighed(
    found: np.ndarray, evidence: np.ndarray, covered: np.ndarray, weight: float, floor: float
) -> np.ndarray:
    """A learner's probabilities (n, 230) with the evidence (n, 230), see :class:`CbedModel`."""
    even = covered / covered.sum()
    among = evidence - evidence[:, covered].max(axis=1, keepdims=True)
    total = np.log(np.maximum((1 - floor) * found + floor * even, 1e-300))
    total = total + weight * np.clip(among, LEAST_EVIDENCE, 0.0)
    odds = np.exp(total - total.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def answers(probability: np.ndarray) -> dict[str, np.ndarray]:
    """Probability of each class (n, k) of every level, from that of each space group (n, 230)."""
    return {level: at_level(probability, level) for level in LEVELS}
