"""How wide the peaks are: a survey over all widths, and a smooth curve over 2theta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.patterns.peaksearch.kernels import matched_filter

#: Narrowest filter in steps of the pattern, ratio between filters, widest in degrees.
_NARROWEST_STEPS = 1.8
_LADDER = 1.4
_WIDEST_DEG = 3.0
#: Filters wider than this many points work on averaged points.
_POINTS = 6
#: Significance at which a feature counts in the survey.
_CLEAR = 8.0
#: A broad feature that holds two narrow ones of this share of its significance is a cluster.
_CLUSTER_SHARE = 0.25
_LARGEST_DEGREE = 2


@dataclass(frozen=True)
class Features:
    """Peak-like features (m,): position and width in degrees, significance; strongest first."""

    position: np.ndarray
    fwhm: np.ndarray
    significance: np.ndarray

    def take(self, keep: np.ndarray) -> Features:
        return Features(self.position[keep], self.fwhm[keep], self.significance[keep])


@dataclass(frozen=True)
class WidthCurve:
    """log(FWHM/degrees) as a polynomial of 2theta, constant outside [low, high]."""

    coefficients: np.ndarray
    low: float
    high: float

    def __call__(self, two_theta_deg: np.ndarray) -> np.ndarray:
        """FWHM in degrees, of the shape of the argument."""
        return np.exp(np.polyval(self.coefficients, np.clip(two_theta_deg, self.low, self.high)))


def local_maxima(x: np.ndarray, t: np.ndarray, radius: np.ndarray, above: float) -> np.ndarray:
    """Positions in the arrays (n,) of values above a limit, the largest within their radius."""
    inner = np.flatnonzero((t[1:-1] > above) & (t[1:-1] >= t[:-2]) & (t[1:-1] > t[2:])) + 1
    low = np.searchsorted(x, x[inner] - radius[inner])
    high = np.searchsorted(x, x[inner] + radius[inner], side="right")
    keep = [t[i] >= t[a:b].max() for i, a, b in zip(inner, low, high, strict=True)]
    return inner[np.array(keep, dtype=bool)]


def survey(x: np.ndarray, y: np.ndarray, sigma: np.ndarray) -> Features:
    """Features of any width: maxima of the matched filter over position and width."""
    step = np.median(np.diff(x))
    widest = min(_WIDEST_DEG, (x[-1] - x[0]) / 8)
    count = int(np.log(max(widest / (_NARROWEST_STEPS * step), 1.0)) / np.log(_LADDER)) + 1
    ladder = _NARROWEST_STEPS * step * _LADDER ** np.arange(count)
    levels = [_level(x, y, sigma, width, step) for width in ladder]
    # What is best seen by the widest filter is wider still: no peak.
    found = [_best_of_scale(levels, k) for k in range(len(levels) - 1)]
    if not found:
        return Features(*np.empty((3, 0)))
    position, width, t = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-t, kind="stable")
    return _without_clusters(Features(position[order], width[order], t[order]))


def _level(x, y, sigma, width, step):
    """The matched filter of one width on suitably averaged points: positions, values, width."""
    block = max(1, int(width / (_POINTS * step)))
    if block > 1:
        n = len(x) // block * block
        weight = 1 / sigma[:n].reshape(-1, block) ** 2
        total = weight.sum(axis=1)
        y = (y[:n].reshape(-1, block) * weight).sum(axis=1) / total
        x = x[:n].reshape(-1, block).mean(axis=1)
        sigma = 1 / np.sqrt(total)
    none = np.zeros(len(x))
    return x, matched_filter(x, y, sigma, np.full(len(x), width), none, 0.0, 1.5), width


def _best_of_scale(levels, k):
    x, t, width = levels[k]
    top = local_maxima(x, t, np.full(len(x), 0.5 * width), _CLEAR)
    keep = np.ones(len(top), dtype=bool)
    for other in (k - 1, k + 1):
        if 0 <= other < len(levels):
            near = np.interp(x[top], levels[other][0], levels[other][1])
            keep &= t[top] >= near
    top = top[keep]
    return x[top], np.full(len(top), width), t[top]


def _without_clusters(features: Features) -> Features:
    position, width, t = features.position, features.fwhm, features.significance
    keep = np.ones(len(t), dtype=bool)
    for i in range(len(t)):
        inside = (np.abs(position - position[i]) < width[i]) & (width < 0.7 * width[i])
        inside &= t > max(_CLEAR, _CLUSTER_SHARE * t[i])
        keep[i] = inside.sum() < 2
    features = features.take(keep)
    taken = np.ones(len(features.position), dtype=bool)
    for i in range(len(taken)):
        rivals = taken[:i] & (
            np.abs(features.position[:i] - features.position[i])
            < 0.7 * np.maximum(features.fwhm[:i], features.fwhm[i])
        )
        taken[i] = not rivals.any()
    return features.take(taken)


def fit_widths(position: np.ndarray, fwhm: np.ndarray, weight: np.ndarray) -> WidthCurve:
    """Robust curve through widths (m,) in degrees at positions (m,), m at least 1.

    Few widths or a short range allow a constant only. Outliers count little (Cauchy weights).
    """
    log = np.log(fwhm)
    order = np.argsort(log)
    total = np.cumsum(weight[order])
    median = log[order][np.searchsorted(total, 0.5 * total[-1])]
    near = np.abs(log - median) < np.log(3.5)
    degree = min(_LARGEST_DEGREE, (int(near.sum()) - 1) // 5)
    low, high = position[near].min(), position[near].max()
    coefficients = np.array([median])
    if degree > 0 and high - low > 20 * np.exp(median):
        coefficients = _robust_polynomial(position[near], log[near], weight[near], degree)
    return WidthCurve(coefficients, float(low), float(high))


def _robust_polynomial(x, y, weight, degree):
    robust = np.ones(len(x))
    for _ in range(15):
        coefficients = np.polyfit(x, y, degree, w=np.sqrt(weight * robust))
        residual = y - np.polyval(coefficients, x)
        robust = 1 / (1 + (residual / 0.15) ** 2)
    return coefficients
