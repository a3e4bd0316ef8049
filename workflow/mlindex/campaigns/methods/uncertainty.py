"""Uncertainty: where the models know least, to learn the whole and not only the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.campaigns.methods.modelled import Modelled
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief


def value(belief: Belief, options: Options) -> np.ndarray:
    """The standard deviations (m,) of what is expected."""
    return belief.deviation


def reason(belief: Belief, options: Options) -> Sequence[str]:
    """The same for all."""
    return ["here is known least"] * len(belief.mean)


def method(options: Options) -> Modelled:
    """The method with its options."""
    return Modelled(value, reason, options)
