"""Uncertainty of each intensity: as given, or from counting and the scatter of the data."""

from __future__ import annotations

import numpy as np

from mlindex.patterns.peaksearch.background import running_mean

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
#: Growth over three points that only smoothing brings about: crowded peaks and merged detectors
#: reach 2.1, means and Savitzky-Golay filters of 3 to 9 points begin at 2.4. Growth over two points
#: beyond the second number is curvature (16 times): a pattern without noise.
_SMOOTHED, _NOISELESS = 2.25, 10.0
#: The largest excess believed of a smoothed pattern.
_MOST_SMOOTHED = 30.0
#: Errors whose squares lie within so many counts, or this share, of the intensity at all but a few
#: points are its square root, written with few digits, or with 1 in place of 0.
_COUNTS_OFF, _SHARE_OFF, _MOSTLY = 1.5, 0.1, 0.99


def robust_sigma(values: np.ndarray) -> float:
    """Standard deviation from the median absolute value, 0 for nothing."""
    return float(np.median(np.abs(values)) * _MAD_TO_SIGMA) if len(values) else 0.0


def standard_errors(y: np.ndarray, error: np.ndarray | None) -> np.ndarray:
    """Standard uncertainties (n,) of intensities (n,).

    Given ones count where they are positive, brought to the scatter of the data. Without them, or
    where they are only the roots of the intensities, the variance is proportional to the intensity,
    with the factor that the scatter of the quiet half of the pattern shows (1 for plain counts);
    where the background was taken off, it is a constant beside that.
    """
    usable = error is not None and np.mean(np.isfinite(error) & (error > 0)) > 0.5
    usable = usable and not are_of_counts(y, error)
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


def are_of_counts(y: np.ndarray, error: np.ndarray) -> bool:
    """Whether errors (n,) are the square roots of the intensities (n,), up to a factor.

    Such errors tell nothing that the intensities don't, but follow the noise of each point: those
    that are low by chance would weigh more. So a scan is the same with and without them.
    """
    known = np.isfinite(error) & (error > 0) & np.isfinite(y)
    seen = known & (y > 0)
    if not seen.any():
        return False
    # A count that was divided by a time has this value, and this over its intensity as variance.
    count = np.median(error[seen] ** 2 / y[seen])
    off = np.abs(error[known] ** 2 - count * y[known])
    near = off <= count * (_COUNTS_OFF * count + _SHARE_OFF * np.abs(y[known]))
    return bool(near.mean() >= _MOSTLY)


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


def growth(residual: np.ndarray, lags: int) -> np.ndarray:
    """Variance (lags,) of second differences over rising distances, of independent points 1.

    Only quiet stretches count, where backgrounds and wings of peaks are nearly straight.

    Args:
        residual: intensity over the background in units of its uncertainty (n,).
        lags: largest distance in points.
    """
    smooth = running_mean(residual, 2 * lags + 1)
    quiet = np.abs(smooth) <= np.quantile(np.abs(smooth), _QUIET)
    half = []
    for lag in range(1, lags + 1):
        middle, low, high = slice(lag, -lag), slice(None, -2 * lag), slice(2 * lag, None)
        second = residual[middle] - 0.5 * (residual[low] + residual[high])
        half.append(robust_sigma(second[quiet[middle]]) ** 2 / 1.5)
    return np.array(half)


def is_smoothed(residual: np.ndarray) -> bool:
    """Whether a pattern (n,), in units of its uncertainty, has noise that was smoothed."""
    half = growth(residual, 3)
    return bool(half.max() > _SMOOTHED * half[0] and half[1] < _NOISELESS * half[0])


def smoothing_excess(residual: np.ndarray, lags: int) -> tuple[float, float]:
    """:func:`correlation_excess` of a smoothed pattern: the reach of the filter is looked for.

    The difference over k points has the variance 1 - (4 r(k) - r(2k)) / 3 with the correlations r,
    which beyond the largest distance are taken as nothing.
    """
    half = growth(residual, lags)
    # Points as far apart as this are independent; the largest would be the most unlucky.
    plateau = np.mean(half[-2:])
    # Short patterns may have nothing quiet so far apart.
    if not plateau > half[0]:
        return correlation_excess(residual, min(lags, 3))
    r = np.zeros(2 * lags + 1)
    for k in range(lags, 0, -1):
        r[k] = (3 * (1 - half[k - 1] / plateau) + r[2 * k]) / 4
    spread = float(np.clip(np.sqrt(plateau), 1.0, _MOST_SMOOTHED))
    together = np.sqrt(max(1 + 2 * r.sum(), 1.0))
    return spread, float(min(together, _MOST_SMOOTHED / spread))


def correlation_excess(residual: np.ndarray, lags: int) -> tuple[float, float]:
    """By how much points, and sums over neighbours, scatter more than counting lets expect.

    Resampled patterns hold noise that goes together from point to point. Second differences over
    rising distances tell how far.

    Args:
        residual: intensity over the background in units of its uncertainty (n,).
        lags: largest distance in points, below the width of a peak.

    Returns:
        A factor on the scatter of each point, and what sums over neighbours scatter more than
        that; both at least 1, their product at most 6.
    """
    half = growth(residual, lags)
    plateau = max(half)
    if plateau < _CORRELATED * half[0]:
        return float(np.clip(np.sqrt(half[0]), 1.0, _MOST_EXCESS)), 1.0
    together = 1 + 2 * np.sum(1 - np.minimum(half / plateau, 1))
    spread = float(np.clip(np.sqrt(plateau), 1.0, _MOST_EXCESS))
    return spread, float(np.clip(np.sqrt(together), 1.0, _MOST_EXCESS / spread))
