"""Free peaks: those of the peaks found that the lines of a cell leave unexplained."""

from __future__ import annotations

import numpy as np

from mlindex.wholepattern.data import Data
from mlindex.wholepattern.kernels import KINDS, fill, gains
from mlindex.wholepattern.model import Layout, Solution, columns_at
from mlindex.wholepattern.solve import factor, forward

#: No free peak is added nearer to another than this share of a width.
_APART_FWHM = 0.5


def unexplained(
    data: Data, solution: Solution, layout: Layout, p: np.ndarray, least: float, had: np.ndarray
) -> np.ndarray:
    """Positions (m,) in degrees where a further peak would take enough off chi².

    Overlaps hide peaks from the peak search that stand out once the lines are taken off.

    Args:
        data, solution, layout, p: the fit so far.
        least: what it is to take off, at least.
        had: positions of the free peaks that there are (s,).
    """
    columns = columns_at(data, layout, p, data.x)
    values, slopes = np.empty(columns.offset[-1]), np.empty((KINDS, columns.offset[-1]))
    fill(data.x, 1 / data.sigma, columns, values, slopes)
    gain = gains(columns, values, solution.residual)
    chosen = list(had)
    enough = np.flatnonzero(gain > least)
    for i in enough[np.argsort(-gain[enough], kind="stable")]:
        if all(abs(data.x[i] - at) > _APART_FWHM * columns.fwhm[i] for at in chosen):
            chosen.append(data.x[i])
    return np.array(chosen[len(had) :])


def needed(solution: Solution, which: np.ndarray) -> np.ndarray:
    """What chi² would grow by without each of some peaks (m,), by their place in the columns."""
    chosen = np.flatnonzero(solution.height > 0)
    lower, inner, begin = factor(solution.normal, solution.first, solution.start, chosen)
    place = np.searchsorted(chosen, which)
    right = np.zeros((len(chosen), len(which)))
    there = solution.height[which] > 0
    right[place[there], np.flatnonzero(there)] = 1.0
    forward(lower, inner, begin, right)
    variance = np.sum(right**2, axis=0)
    return np.where(there, solution.height[which] ** 2 / np.maximum(variance, 1e-300), 0.0)
