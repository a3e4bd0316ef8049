"""The model that tells the space group from a stack's features, as plain arrays in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
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


@dataclass(frozen=True)
class CbedModel(Learner):
    """A fitted learner of space groups, numbered from 0.

    ``kind`` is its kind, ``temperature`` that by which its probabilities are calibrated, ``names``
    those of the features that it sees, in order.
    """

    kind: str
    learner: Classifier
    temperature: float
    names: tuple[str, ...]

    what = "model of space groups"

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> CbedModel:
        """The model with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they are no such model.
        """
        kind, temperature, names = (arrays[name] for name in ("kind", "temperature", "names"))
        texts = kind.dtype.kind == "U" and names.dtype.kind == "U"
        sound = texts and kind.shape == () and names.ndim == 1 and str(kind) in KINDS
        if not (sound and temperature.shape == () and 0.01 < float(temperature) < 100):
            raise MlindexError(f"{source_of(arrays)}: no {cls.what}; remove it and train again")
        own = {
            name.removeprefix(_OF_LEARNER): value
            for name, value in arrays.items()
            if name.startswith(_OF_LEARNER)
        }
        learner = learner_of(str(kind)).from_arrays(Arrays(source_of(arrays), own))
        return cls(str(kind), learner, float(temperature), tuple(str(n) for n in names))

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes."""
        return {
            "kind": np.array(self.kind),
            "temperature": np.array(self.temperature),
            "names": np.array(self.names),
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
        found = warmed(self.learner.predict_proba(Inputs(x)), self.temperature)
        if found.shape[1] != N_GROUPS:
            raise ValueError(f"the learner knows {found.shape[1]} classes, not {N_GROUPS}")
        return found


def answers(probability: np.ndarray) -> dict[str, np.ndarray]:
    """Probability of each class (n, k) of every level, from that of each space group (n, 230)."""
    return {level: at_level(probability, level) for level in LEVELS}
