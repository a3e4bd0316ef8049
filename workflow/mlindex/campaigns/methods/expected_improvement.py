"""Expected improvement, by its logarithm (Ament et al. 2023, arXiv 2310.20708), of noisy scores.

What is to be improved on is the best of what is expected at measured rows: of noisy scores the
highest is one that was lucky.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.base.extras import needing
from mlindex.campaigns.methods.modelled import Modelled
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief

with needing("planning of experiments", "campaigns"):
    from scipy.special import log_ndtr, logsumexp


def log_improvement(z: np.ndarray) -> np.ndarray:
    """Logarithm of E max(0, z + x) for a standard normal x, without loss where z is far below 0.

    φ(z) + z Φ(z) = φ(z) (1 + z Φ(z) / φ(z)); far out, where that is the difference of nearly equal
    numbers, φ(z) / z² (its expansion).
    """
    density = -0.5 * z * z - 0.5 * np.log(2 * np.pi)
    near = np.maximum(z, -20.0)
    ratio = near * np.exp(log_ndtr(near) + 0.5 * near**2 + 0.5 * np.log(2 * np.pi))
    close = density + np.log1p(np.maximum(ratio, -1 + 1e-12))
    return np.where(z < -20, density - 2 * np.log(np.maximum(-z, 1.0)), close)


def value(belief: Belief, options: Options) -> np.ndarray:
    """Logarithm of the expected improvement (m,), in units of the targets."""
    z = (belief.means - belief.reached) / belief.deviations
    each = log_improvement(z) + np.log(belief.deviations)
    return logsumexp(each, axis=0, b=belief.weights[:, None])


def reason(belief: Belief, options: Options) -> Sequence[str]:
    """The chance that it is better than what is expected of the best so far."""
    return [f"chance {p:.0%} of an improvement" for p in belief.chance_above(belief.reached)]


def method(options: Options) -> Modelled:
    """The method with its options."""
    return Modelled(value, reason, options)
