"""Query by committee: where the trees of a forest disagree (Seung et al. 1992)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.campaigns.methods.modelled import Modelled
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief


def value(belief: Belief, options: Options) -> np.ndarray:
    """The standard deviations (m,) of the trees."""
    return belief.deviations[0]


def reason(belief: Belief, options: Options) -> Sequence[str]:
    """The same for all."""
    return ["here the trees of the forest disagree most"] * len(belief.mean)


def method(options: Options) -> Modelled:
    """The method with its options; the model is a forest."""
    return Modelled(value, reason, options.model_copy(update={"model": "forest"}))
