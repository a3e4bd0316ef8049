"""Active search for the best: the chance that a candidate is among the best 5 % of all.

Garnett et al. 2012 (ICML), of whose policies this is the greedy one. What the best 5 % are is not
known before: they are above the level that 5 % of all, measured and not, are expected to exceed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.campaigns.methods.modelled import Modelled
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief


def value(belief: Belief, options: Options) -> np.ndarray:
    """The chance (m,) that each is above the level."""
    return belief.chance_above(belief.level)


def reason(belief: Belief, options: Options) -> Sequence[str]:
    """The chance in words."""
    best = f"of being among the best {options.best_share:.0%}"
    return [f"chance {p:.0%} {best}" for p in belief.chance_above(belief.level)]


def method(options: Options) -> Modelled:
    """The method with its options."""
    return Modelled(value, reason, options)
