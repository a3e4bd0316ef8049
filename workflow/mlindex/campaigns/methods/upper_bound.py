"""Upper confidence bound: what is expected, and a share of its error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.campaigns.methods.modelled import Modelled
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief


def value(belief: Belief, options: Options) -> np.ndarray:
    """The bound (m,), in units of the targets."""
    return belief.mean + options.exploration * belief.deviation


def reason(belief: Belief, options: Options) -> Sequence[str]:
    """The bound in words."""
    return [f"among the highest of expectation + {options.exploration:g} errors"] * len(belief.mean)


def method(options: Options) -> Modelled:
    """The method with its options."""
    return Modelled(value, reason, options)
