"""What a pattern shows without any cell: peak shapes, and how well profiles can fit at all.

The peaks of the peak search are fitted at their positions, with widths and shapes that all share.
What is left tells the scatter of the points and the share of a peak that no profile explains; both
make up the uncertainties that all candidates are judged by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.patterns.peaksearch.background import running_mean, whittaker
from mlindex.patterns.peaksearch.calibrate import MISFIT
from mlindex.patterns.peaksearch.found import FoundPeaks
from mlindex.patterns.peaksearch.noise import robust_sigma
from mlindex.wholepattern.data import Data
from mlindex.wholepattern.fit import Expected, minimize
from mlindex.wholepattern.kernels import add_up
from mlindex.wholepattern.model import N_SHIFTS, Layout, Peaks, Solution
from mlindex.wholepattern.shape import Angles

#: How far the shared shape may be from what the peak search found: log widths (constant, linear,
#: square over the range), Lorentzian fraction (constant, linear), asymmetry at 45 degrees.
SHAPE_SIGMA = np.array([0.2, 0.2, 0.1, 0.25, 0.15, 0.03])
#: The same as candidates may use it, at least: what the peaks found tell, and this.
SHAPE_FLOOR = np.array([0.05, 0.05, 0.05, 0.1, 0.1, 0.01])
#: Share of a peak's height that counts as noise at first, and at least and at most after a look.
_FIRST_MISFIT, _LEAST_MISFIT, _MOST_MISFIT = 0.03, MISFIT, 0.2
#: What is left is also looked at over this many widths on each side.
_LOCAL_FWHM = 2.0
#: Points where peaks add more than this many standard uncertainties tell how well they fit.
_CLEAR = 10.0
_ROUNDS = 3
#: Profiles misfit within this many widths of a peak.
_MISFIT_FWHM = 1.0
#: Tails are followed to this share of the noise, within these numbers of widths.
_TAIL, _NEAREST, _FARTHEST = 0.3, 3.0, 25.0
#: Where the noise between peaks is looked for, in widths.
_AROUND_FWHM = np.array([-6.0, 6.0])
#: Waves of the background that are longer than this many widths are kept.
_PERIOD_FWHM = 50.0
_FEWEST_POINTS = 20
#: The scatter of points is at least this share of what counting lets expect.
_LEAST_SCATTER = 0.03
_OUTLIER = 5.0
#: Neighbouring residuals go together over no more than this many widths.
_LONGEST_FWHM = 2.0


@dataclass(frozen=True)
class Reference:
    """The points with their final uncertainties, and the shape that the peaks found share.

    Attributes:
        data: the points.
        angles: range of the polynomials of the shape.
        shape: parameters of the shape (6,).
        shape_sigma: their uncertainties as candidates may use them (6,).
        misfit: share of a peak's height that no profile explains about it.
        together: how many neighbouring points err as one.
    """

    data: Data
    angles: Angles
    shape: np.ndarray
    shape_sigma: np.ndarray
    misfit: float
    together: float

    @property
    def independent(self) -> float:
        """Points that count as independent."""
        return len(self.data) / self.together


def reference(data: Data, found: FoundPeaks) -> Reference:
    """Fit the peaks found with one shape over the pattern."""
    layout = Layout(0, Angles(float(data.x[0]), float(data.x[-1])))
    start = np.concatenate([np.zeros(N_SHIFTS), layout.angles.start(found.calibration)])
    sigma = np.concatenate([np.zeros(N_SHIFTS), SHAPE_SIGMA])
    expected = Expected(start, sigma, np.full(len(start), np.inf))
    position = found.two_theta_deg[found.two_theta_deg < data.x[-1]]
    p = start
    data = data.with_sigma(np.hypot(data.noise, _FIRST_MISFIT * np.maximum(data.y, 0.0)))
    for _ in range(_ROUNDS):
        peaks = Peaks(np.empty((0, 0)), position, reach(data, position, p, layout))
        fitted = minimize(data, peaks, layout, expected, p)
        p = fitted.p
        data, misfit = judged(data, fitted.solution, layout, p)
        data = _lowered(data, fitted.solution, layout, p)
    fitted = minimize(data, peaks, layout, expected, p, most=2)
    residual = fitted.solution.residual
    together = correlation(data, residual, layout, fitted.p)
    spread = np.sqrt(together * np.diag(np.linalg.inv(fitted.information[N_SHIFTS:, N_SHIFTS:])))
    return Reference(
        data,
        layout.angles,
        layout.shape(fitted.p),
        np.minimum(np.hypot(spread, SHAPE_FLOOR), SHAPE_SIGMA),
        misfit,
        together,
    )


def judged(data: Data, solution: Solution, layout: Layout, p: np.ndarray) -> tuple[Data, float]:
    """The points with uncertainties as a fit shows them, and the share of a peak that misfits."""
    peak = np.zeros(len(data))
    add_up(solution.placed.columns, solution.values, solution.height, peak)
    peak *= data.sigma
    rest = solution.residual * data.sigma
    scale = _scatter(data, rest, peak)
    fwhm = float(np.median(layout.angles.shape(layout.shape(p), data.x, 1.0).fwhm))
    points = fwhm / np.median(np.diff(data.x))
    near = highest_near(peak, int(np.ceil(_MISFIT_FWHM * points)))
    misfit = _misfit(data, rest, near, scale)
    sigma = np.hypot(scale * data.noise, misfit * near)
    # Where a background is steep, or one peak is of another shape, that alone must decide nothing.
    local = running_mean((rest / sigma) ** 2, 2 * int(np.ceil(_LOCAL_FWHM * points)) + 1)
    return data.with_sigma(sigma * np.sqrt(np.maximum(local, 1.0))), misfit


def _lowered(data: Data, solution: Solution, layout: Layout, p: np.ndarray) -> Data:
    """The points over a background from which the tails of the peaks have been taken.

    That of the peak search climbs into the tails where it takes them for its own.
    """
    peak = np.zeros(len(data))
    add_up(solution.placed.columns, solution.values, solution.height, peak)
    observed = data.y + data.base
    fwhm = float(np.median(layout.angles.shape(layout.shape(p), data.x, 1.0).fwhm))
    peak *= data.sigma
    below = observed - peak
    smooth = whittaker(data.x, below, 1 / data.sigma**2, _PERIOD_FWHM * fwhm)
    # A steep background is no tail: where no peak adds anything, nothing is taken off.
    base = np.clip(smooth, data.base - peak, data.base)
    return replace(data, y=observed - base, base=base)


def highest_near(peak: np.ndarray, points: int) -> np.ndarray:
    """Largest value (n,) within so many points on each side."""
    wide = np.pad(peak, points, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(wide, 2 * points + 1).max(axis=1)


def reach(data: Data, position: np.ndarray, p: np.ndarray, layout: Layout) -> np.ndarray:
    """How far peaks (m,) are to be followed, in widths: as far as their tails matter.

    No peak is higher than what is seen at its position.
    """
    shape = layout.angles.shape(layout.shape(p), position, 1.0)
    low = np.searchsorted(data.x, position - shape.fwhm / 2)
    high = np.searchsorted(data.x, position + shape.fwhm / 2)
    ends = np.clip(np.stack([low, high + 1], axis=1), 0, len(data))
    ends[:, 0] = np.minimum(ends[:, 0], len(data) - 1)
    # Every second of the stretches from one end to the next is about a peak.
    seen = np.append(np.maximum(data.y, 0.0), 0.0)
    height = np.maximum.reduceat(seen, ends.ravel())[::2] if len(ends) else np.empty(0)
    around = np.searchsorted(data.x, position[:, None] + shape.fwhm[:, None] * _AROUND_FWHM)
    around = np.clip(around, 0, len(data))
    around[:, 0] = np.minimum(around[:, 0], len(data) - 1)
    level = np.append(data.noise, np.inf)
    noise = np.minimum.reduceat(level, around.ravel())[::2] if len(around) else np.empty(0)
    return np.clip(np.sqrt(shape.eta * height / (_TAIL * noise)) / 2, _NEAREST, _FARTHEST)


def _scatter(data: Data, rest: np.ndarray, peak: np.ndarray) -> float:
    """Scatter of the points between peaks over what was assumed."""
    quiet = peak < data.noise
    if quiet.sum() < _FEWEST_POINTS:
        quiet = peak <= np.quantile(peak, 0.3)
    return max(robust_sigma((rest / data.noise)[quiet]), _LEAST_SCATTER)


def _misfit(data: Data, rest: np.ndarray, peak: np.ndarray, scale: float) -> float:
    """Share of the peaks that no profile explains."""
    clear = peak > _CLEAR * data.noise
    if clear.sum() < _FEWEST_POINTS:
        return _FIRST_MISFIT
    noise = np.median((scale * data.noise[clear] / peak[clear]) ** 2)
    found = robust_sigma(rest[clear] / peak[clear]) ** 2 - noise
    return float(np.clip(np.sqrt(max(found, 0.0)), _LEAST_MISFIT, _MOST_MISFIT))


def correlation(data: Data, residual: np.ndarray, layout: Layout, p: np.ndarray) -> float:
    """How many neighbouring points err as one: 1 + 2 times the sum of their correlations."""
    fwhm = float(np.median(layout.angles.shape(layout.shape(p), data.x, 1.0).fwhm))
    lags = int(np.clip(_LONGEST_FWHM * fwhm / np.median(np.diff(data.x)), 1, len(residual) // 4))
    bounded = np.clip(residual, -_OUTLIER, _OUTLIER)
    power = bounded @ bounded
    if not power > 0:
        return 1.0
    total = 1.0
    for lag in range(1, lags + 1):
        r = (bounded[lag:] @ bounded[:-lag]) / power
        if not r > 0:
            break
        total += 2 * r
    return float(total)
