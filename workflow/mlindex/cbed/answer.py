"""What can be said of the symmetry of the crystal that a stack is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.diffraction_groups import point_group_of, point_groups
from mlindex.cbed.explaining import explained
from mlindex.cbed.looked import LOOKED_AT, numbers_of
from mlindex.cbed.model import LEAST_EVIDENCE, parted
from mlindex.cbed.potential import wavelength_A
from mlindex.cbed.reasoning import Reasoning, reasoning
from mlindex.cbed.seen import seen_in
from mlindex.cbed.stack import Stack
from mlindex.crystal.symmetry_classes import N_GROUPS, prior_of_groups


class Model(Protocol):
    """What predicts space groups: the ``names`` of its features, and probabilities (n, 230)."""

    names: tuple[str, ...]

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Probability of each space group (n, 230) from features (n, m)."""
        ...


@dataclass(frozen=True)
class Answer:
    """Space groups of a stack.

    ``probability`` (230,): of each; ``learnt`` says whether a model gave it, or only reasoning and
    how often groups are met among known structures. ``evidence`` (230,): logarithm of how well each
    group agrees with the lattice, the operations and the rows that the patterns show, the best one
    0, all 0 where that can't be told. ``why``: sentences.
    """

    probability: np.ndarray
    learnt: bool
    reasons: Reasoning
    evidence: np.ndarray
    why: tuple[str, ...]

    @property
    def seen(self) -> bool:
        """Whether any pattern shows a net; else the answer knows nothing of the patterns."""
        return any(one is not None for one in self.reasons.zones)

    @property
    def point_group_probability(self) -> dict[str, float]:
        """Probability of each point group: the sum over its space groups."""
        found = dict.fromkeys(point_groups(), 0.0)
        for number in range(1, N_GROUPS + 1):
            found[point_group_of(number)] += float(self.probability[number - 1])
        return found


def require_known_features(model: Model) -> None:
    """Refuse a model that sees features which are not measured now.

    Raises:
        MlindexError: some of its names are unknown.
    """
    unknown = [name for name in model.names if name not in LOOKED_AT]
    if unknown:
        raise MlindexError(
            f"the model sees {len(unknown)} features that this version does not measure, such as "
            f"{unknown[0]!r}; train it again"
        )


def probabilities(model: Model, features: np.ndarray) -> np.ndarray:
    """Probability of each space group (n, 230) from numbers (n, m) as of ``LOOKED_AT``."""
    columns = {name: i for i, name in enumerate(LOOKED_AT)}
    return model.predict_proba(features[:, [columns[name] for name in model.names]])


def answer_of(stack: Stack, model: Model | None = None) -> Answer:
    """The symmetry of a stack, from a model if there is one, and the reasons.

    Args:
        stack: the patterns; what it says of the crystal is not looked at.
        model: one whose features are known, see :func:`require_known_features`.
    """
    zones = seen_in(stack)
    reasons = reasoning(zones)
    numbers = numbers_of(zones, reasons, stack.energy_keV)
    evidence = parted(numbers[None], LOOKED_AT)[1][0]
    if model is None:
        names = list(point_groups())
        rows = [names.index(point_group_of(number)) for number in range(1, N_GROUPS + 1)]
        told = evidence if evidence.any() else reasons.log_likelihood[rows]
        weight = prior_of_groups() * np.exp(np.maximum(told, LEAST_EVIDENCE))
        probability = weight / weight.sum()
    else:
        probability = probabilities(model, numbers[None])[0]
    why = explained(zones, reasons, wavelength_A(stack.energy_keV))
    return Answer(np.asarray(probability), model is not None, reasons, evidence, tuple(why))
