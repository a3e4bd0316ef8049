"""What the model of space groups looks at: a stack's features, and what reasoning makes of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlindex.cbed.diffraction_groups import point_groups
from mlindex.cbed.evidence_names import EVIDENCE
from mlindex.cbed.features import FEATURE_NAMES, features_of_seen
from mlindex.cbed.group_evidence import group_evidence
from mlindex.cbed.reasoning import Reasoning, reasoning
from mlindex.cbed.seen import Seen, seen_in
from mlindex.cbed.stack import Stack

#: A point group that is less likely than the best one by more than this (nat) is ruled out.
_LEAST = -30.0
#: Names of the numbers of :func:`looked_at`, in order.
LOOKED_AT: tuple[str, ...] = (
    *FEATURE_NAMES,
    *(f"reasoning: {name}" for name in point_groups()),
    *EVIDENCE,
)


class Looked(NamedTuple):
    """``numbers`` float32 (n,) in the order of :data:`LOOKED_AT`, and the reasoning behind some."""

    numbers: np.ndarray
    reasoning: Reasoning


def looked_at(stack: Stack) -> Looked:
    """What the model sees of a stack, all finite."""
    zones = seen_in(stack)
    reasons = reasoning(zones)
    return Looked(numbers_of(zones, reasons, stack.energy_keV), reasons)


def numbers_of(zones: list[Seen | None], reasons: Reasoning, energy_keV: float) -> np.ndarray:
    """The numbers (n,) of :data:`LOOKED_AT`, of what was seen and what follows from it."""
    likely = np.maximum(reasons.log_likelihood, _LEAST)
    groups = group_evidence(zones, reasons.zones)
    return np.concatenate([features_of_seen(zones, energy_keV), likely, groups], dtype=np.float32)


def in_words(reasons: Reasoning) -> str:
    """Diffraction groups that agree with each pattern, point groups that agree with all."""
    zones = [
        f"zone {n}: {_listed(one.diffraction_groups) if one else 'no net of discs is seen'}"
        for n, one in enumerate(reasons.zones, start=1)
    ]
    return f"{'; '.join(zones)}. Point groups that agree: {_listed(reasons.point_groups)}."


def _listed(names: tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
