"""How far rounding may have moved the positions of a list.

Printed lists give d to two or three decimals. At high angles that is a larger error than that of
the measurement, and only the number of decimals shows it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Further decimals make no difference to any list.
_MOST_DECIMALS = 4
_FEWEST_LINES = 4
_EXACT = 1e-6
#: Spread of numbers that lie anywhere in an interval, over its width.
_UNIFORM = 12**-0.5


def decimals(values: np.ndarray) -> int | None:
    """Decimals that all values (n,) are rounded to; None where they have more than 4.

    So few lines that it may be by chance count as not rounded.
    """
    if len(values) < _FEWEST_LINES:
        return None
    for places in range(_MOST_DECIMALS + 1):
        scaled = np.asarray(values) * 10.0**places
        if np.all(np.abs(scaled - np.rint(scaled)) <= _EXACT):
            return places
    return None


def rounding_error(
    values: np.ndarray, to_q2: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray | None:
    """Standard error of q² (n,) in 1/A² that rounding of the positions makes; None if none does.

    Args:
        values: positions (n,), in any quantity.
        to_q2: from positions to q².
    """
    places = decimals(values)
    if places is None:
        return None
    # A value not much larger than the step would reach 0 or less.
    half = np.minimum(0.5 * 10.0**-places, 0.5 * values)
    return np.abs(to_q2(values + half) - to_q2(values - half)) * _UNIFORM
