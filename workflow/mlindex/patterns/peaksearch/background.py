"""Smooth background under peaks.

A penalized spline on the data points (Whittaker smoother; Eilers, Anal. Chem. 75 (2003) 3631),
with weights that fade where the data lie above it (after Baek et al., Analyst 140 (2015) 250),
judged by the known noise instead of the spread of the residuals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlindex.base.linear import solve_pentadiagonal

#: Excess over the background, in standard deviations of its local mean, that marks a peak.
_EXCESS = 2.5
_ITERATIONS = 30
#: Between peaks the refined background follows waves shorter by this factor; under them the
#: first one holds it with this weight.
_FINER = 0.4
_HOLD = 0.02
#: Relative, of sums of the penalty's numbers, with a margin.
_ROUNDING = 1e-12


def whittaker(x: np.ndarray, y: np.ndarray, weight: np.ndarray, period: float) -> np.ndarray:
    """Smooth y (n,) so that waves of that period, in the units of x, lose half their height.

    Args:
        x: rising positions (n,); steps may vary.
        y: values (n,).
        weight: non-negative weights (n,).
        period: period of half transmission.
    """
    n = len(x)
    if n < 3:
        return y.copy()
    step = np.diff(x)
    typical = np.median(step)
    # Gaps would otherwise give a penalty near zero and let the curve kink there.
    h = np.clip(step / typical, 0.2, 20.0)
    first, last = 2 / (h[:-1] * (h[:-1] + h[1:])), 2 / (h[1:] * (h[:-1] + h[1:]))
    middle = -(first + last)
    strength = (period / (2 * np.pi * typical)) ** 4
    scale = np.mean(weight)
    bands = np.zeros((3, n))
    bands[2] = weight / scale if scale > 0 else 1.0
    bands[2, :-2] += strength * first**2
    bands[2, 1:-1] += strength * middle**2
    bands[2, 2:] += strength * last**2
    bands[1, 1:-1] += strength * first * middle
    bands[1, 2:] += strength * middle * last
    bands[0, 2:] += strength * first * last
    right = (weight / scale if scale > 0 else 1.0) * y
    # Long stretches without weight are held by the penalty alone: keep the matrix regular.
    bands[2] += 1e-7
    right += 1e-7 * y
    smooth = right.copy()
    if solve_pentadiagonal(bands.copy(), smooth):
        return smooth
    # The penalty of a long period is rounded by more than that.
    bands[2] += _ROUNDING * strength
    smooth = right + _ROUNDING * strength * y
    if solve_pentadiagonal(bands, smooth):
        return smooth
    raise np.linalg.LinAlgError("the penalty of the background is singular")


def running_mean(y: np.ndarray, points: int) -> np.ndarray:
    """Centred mean (n,) over an odd number of points, fewer at the ends."""
    half = max(0, min(points, len(y)) // 2)
    total = np.concatenate([[0.0], np.cumsum(y)])
    index = np.arange(len(y))
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(y))
    return (total[high] - total[low]) / (high - low)


def _running(extreme: Callable[..., np.ndarray], y: np.ndarray, window: int) -> np.ndarray:
    """Least or largest value (n,) of a window about each point; ends are seen as in a mirror."""
    before = window // 2
    wide = np.pad(y, (before, window - 1 - before), mode="symmetric")
    return extreme(np.lib.stride_tricks.sliding_window_view(wide, window), axis=1)


def fit_background(
    x: np.ndarray, y: np.ndarray, sigma: np.ndarray, fwhm: float, period: float
) -> np.ndarray:
    """Background (n,) of a pattern.

    Args:
        x: 2theta in degrees (n,).
        y: intensities (n,), known peaks taken off or not.
        sigma: their standard uncertainties (n,).
        fwhm: typical width of the peaks in degrees.
        period: shortest wave that belongs to the background, in degrees.
    """
    step = np.median(np.diff(x))
    points = 2 * max(1, round(0.5 * fwhm / step)) + 1
    smooth = running_mean(y, points)
    error = sigma / np.sqrt(min(points, len(y)))
    # An opening passes below every peak narrower than its window.
    window = max(3, min(len(y), round(0.5 * period / step)))
    floor = _running(np.max, _running(np.min, smooth, window), window)
    current = running_mean(floor, window)
    for _ in range(_ITERATIONS):
        excess = np.clip((smooth - current) / error - _EXCESS, -40, 40)
        weight = 1 / (1 + np.exp(2 * excess)) / sigma**2
        previous, current = current, whittaker(x, y, weight, period)
        if np.max(np.abs(current - previous) / sigma) < 0.05:
            break
    return current


def refine_background(
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray,
    first: np.ndarray,
    under_peaks: np.ndarray,
    period: float,
) -> np.ndarray:
    """Background (n,) from the points without peaks, steep rises at low angles included.

    Args:
        x, y, sigma: 2theta, intensity and its uncertainty (n,).
        first: background (n,) of :func:`fit_background`.
        under_peaks: whether a peak adds to a point (n,).
        period: the period used for ``first``.
    """
    values = np.where(under_peaks, first, y)
    weight = np.where(under_peaks, _HOLD, 1.0) / sigma**2
    return whittaker(x, values, weight, _FINER * period)
