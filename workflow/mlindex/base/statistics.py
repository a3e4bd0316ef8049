"""Intervals of shares."""

from __future__ import annotations

import numpy as np

#: A normal distribution has 95 % within so many standard deviations.
NORMAL_95 = 1.959963984540054


def wilson_interval(successes: int, entries: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
    share, z2 = successes / entries, NORMAL_95**2
    centre = (share + z2 / (2 * entries)) / (1 + z2 / entries)
    spread = share * (1 - share) / entries + z2 / (4 * entries**2)
    half = NORMAL_95 * np.sqrt(spread) / (1 + z2 / entries)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
