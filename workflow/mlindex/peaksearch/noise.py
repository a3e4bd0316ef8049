"""Uncertainty of each intensity: as given, or from counting and the scatter of the data."""

from __future__ import annotations

import numpy as np

from mlindex.peaksearch.background import running_mean

_MAD_TO_SIGMA = 1 / 0.6745
#: Patterns cleaned of all noise still have errors of this fraction of the strongest peak.
_FLOOR_REL = 5e-4
#: Fraction of exact zeros above which the background was taken off and clipped.
_CLIPPED = 0.2
#: Share of the points that counts as quiet, and the largest excess believed.
_QUIET = 0.3
_MOST_EXCESS = 6.0
#: Growth of the differences with distance, in variance, below which points are independent.
_CORRELATED = 1.3


def robust_sigma(values: np.ndarray) -> float:
    """Standard deviation from the median absolute value, 0 for nothing."""
    return float(np.median(np.abs(values)) * _MAD_TO_SIGMA) if len(values) else 0.0


def standard_errors(y: np.ndarray, error: np.ndarray | None) -> np.ndarray:
    """Standard uncertainties (n,) of intensities (n,).

    Given ones count where they are positive, brought to the scatter of the data. Without them
    the variance is proportional to the intensity, with the factor that the scatter of the quiet
    half of the pattern shows (1 for plain counts); where the background was taken off, it is a
    constant beside that.
    """
    usable = error is not None and np.mean(np.isfinite(error) & (error > 0)) > 0.5
    if usable:
        good = np.isfinite(error) & (error > 0)
        shape = np.where(good, error, np.median(error[good]))
    else:
        smooth = np.maximum(running_mean(y, 5), 0)
        level = np.median(smooth)
        shape = np.sqrt(np.maximum(smooth, 0.2 * level))
    # A pattern of nothing but zeros needs some unit of noise: a count.
    floor = _FLOOR_REL * float(np.max(y)) if np.max(y) > 0 else 1.0
    if not usable and (np.mean(y <= 0) > _CLIPPED or not level > 0):
        return np.hypot(np.maximum(_scatter(y, y > 0), floor), 0.02 * smooth)
    factor = _scale(y, shape)
    # Smoothing hides scatter between neighbours without adding information: never below 0.5.
    factor = max(factor, 0.5) if usable else factor
    return shape * factor if factor > 0 else np.full(len(y), floor)


def _differences(y: np.ndarray) -> np.ndarray:
    return (y[1:-1] - 0.5 * (y[2:] + y[:-2])) / np.sqrt(1.5)


def _scatter(y: np.ndarray, used: np.ndarray) -> float:
    inner = used[1:-1] & used[2:] & used[:-2]
    inner &= y[1:-1] < (np.quantile(y[used], 0.5) if used.any() else 0)
    return robust_sigma(_differences(y)[inner])


def _scale(y: np.ndarray, shape: np.ndarray) -> float:
    if len(y) < 5:
        return 1.0
    smooth = running_mean(y, 5)[1:-1]
    quiet = smooth <= np.median(smooth)
    return robust_sigma((_differences(y) / shape[1:-1])[quiet])


def correlation_excess(residual: np.ndarray, lags: int) -> tuple[float, float]:
    """By how much points, and sums over neighbours, scatter more than counting lets expect.

    Smoothed and resampled patterns hold noise that goes together from point to point. Second
    differences over rising distances tell how far; backgrounds and wings of peaks are nearly
    straight over a few points.

    Args:
        residual: intensity over the background in units of its uncertainty (n,).
        lags: largest distance in points, below the width of a peak.

    Returns:
        A factor on the scatter of each point, and what sums over neighbours scatter more than
        that; both at least 1, their product at most 6.
    """
    smooth = running_mean(residual, 2 * lags + 1)
    quiet = np.abs(smooth) <= np.quantile(np.abs(smooth), _QUIET)
    half = []
    for lag in range(1, lags + 1):
        middle, low, high = slice(lag, -lag), slice(None, -2 * lag), slice(2 * lag, None)
        second = residual[middle] - 0.5 * (residual[low] + residual[high])
        half.append(robust_sigma(second[quiet[middle]]) ** 2 / 1.5)
    plateau = max(half)
    if plateau < _CORRELATED * half[0]:
        return float(np.clip(np.sqrt(half[0]), 1.0, _MOST_EXCESS)), 1.0
    together = 1 + 2 * np.sum(1 - np.minimum(np.array(half) / plateau, 1))
    spread = float(np.clip(np.sqrt(plateau), 1.0, _MOST_EXCESS))
    return spread, float(np.clip(np.sqrt(together), 1.0, _MOST_EXCESS / spread))
