"""What strong, isolated peaks show: widths over 2theta, profile shape, K-alpha2."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.patterns.peaksearch.doublet import Line, is_doublet
from mlindex.patterns.peaksearch.fit import Group, ProfileShape, fit_group
from mlindex.patterns.peaksearch.widths import Features, WidthCurve, fit_widths

#: Peaks looked at, and how strong a neighbour may be.
_AT_MOST = 30
_NEIGHBOUR_SHARE = 0.15
#: Half window of a single peak in FWHM.
_REACH = 3.0
_FEWEST_POINTS = 10
#: Largest asymmetry expected anywhere, and peaks needed to tell it.
_MOST = 0.5
_FEWEST_PEAKS = 4
#: Doublets show where they are split by this share of the width.
_SPLIT_SHARE = 0.15
#: Profiles never fit perfectly: this share of the height counts as noise.
MISFIT = 0.02
_LOOSE = {"eta_sigma": 0.5, "asymmetry_sigma": 0.4, "log_width_sigma": 0.7}


@dataclass(frozen=True)
class Calibration:
    """Width curve and profile shape; the shape's ratio is 0 for a single line.

    ``axial`` is the asymmetry at 45 degrees; that of axial divergence goes with the cotangent of
    2theta (Finger, Cox & Jephcoat, J. Appl. Cryst. 27 (1994) 892).
    """

    widths: WidthCurve
    shape: ProfileShape
    axial: float = 0.0

    def shape_at(self, two_theta_deg: float) -> ProfileShape:
        """The shape at one 2theta, with the asymmetry expected there."""
        asymmetry = np.clip(self.axial * _cotangent(two_theta_deg), -_MOST, _MOST)
        # Where asymmetry is large the cotangent is a rough guide.
        sigma = self.shape.asymmetry_sigma + 0.5 * abs(asymmetry)
        return replace(self.shape, asymmetry=float(asymmetry), asymmetry_sigma=float(sigma))


def calibrate(
    x: np.ndarray, y: np.ndarray, sigma: np.ndarray, features: Features, line: Line
) -> Calibration:
    """Fit the clearest features one by one, as single lines and as doublets.

    Args:
        x, y, sigma: 2theta, intensity over the background and its uncertainty (n,).
        features: what the survey saw, at least one.
        line: the radiation.
    """
    weight = np.minimum(features.significance, 100)
    curve = fit_widths(features.position, features.fwhm, weight)
    chosen = _lonely(features, curve)
    single = [_fit_one(x, y, sigma, features, i, curve, line, 0.0) for i in chosen]
    groups = [g for g in single if g is not None]
    shape = ProfileShape()
    if line.second_A is not None:
        double = [_fit_one(x, y, sigma, features, i, curve, line, line.ratio) for i in chosen]
        if is_doublet(line, *_misfits(single, double)):
            groups = [g for g in double if g is not None]
            shape = ProfileShape(ratio=line.ratio)
    if not groups:
        return Calibration(curve, shape)
    return Calibration(_refined(groups, curve), _shape_of(groups, shape.ratio), _axial(groups))


def _lonely(features: Features, curve: WidthCurve) -> np.ndarray:
    position, t = features.position, features.significance
    width = curve(position)
    keep = []
    for i in range(len(position)):
        near = np.abs(position - position[i]) < 4 * width[i]
        near[i] = False
        typical = abs(np.log(features.fwhm[i] / width[i])) < np.log(2.5)
        if typical and not np.any(t[near] > _NEIGHBOUR_SHARE * t[i]):
            keep.append(i)
    return np.array(keep[:_AT_MOST], dtype=int)


def _fit_one(x, y, sigma, features, i, curve, line, ratio) -> Group | None:
    start = features.position[i : i + 1]
    width = curve(start)
    split = line.split(start, ratio)
    low, high = start[0] - _REACH * width[0], start[0] + _REACH * width[0]
    # The window is that of the doublet for both, so that their misfits compare.
    high += line.split(start, line.ratio)[0]
    a, b = np.searchsorted(x, (low, high))
    if b - a < _FEWEST_POINTS or not y[a:b].max() > 0:
        return None
    height = y[a:b].max()
    error = np.hypot(sigma[a:b], MISFIT * np.maximum(y[a:b], 0))
    window = x[a:b], y[a:b], error
    shape = ProfileShape(ratio=ratio, **_LOOSE)
    line_sigma = 0.1 * height
    return fit_group(*window, start, np.array([height]), width, split, shape, line_sigma)


def _misfits(single: list[Group | None], double: list[Group | None]) -> tuple[float, float]:
    """Mean logarithmic misfits of both views as factors, over peaks where they differ."""
    logs = [
        (np.log(s.chi2), np.log(d.chi2))
        for s, d in zip(single, double, strict=True)
        if s is not None and d is not None and d.split[0] > _SPLIT_SHARE * d.fwhm[0]
    ]
    if not logs:
        return 1.0, 1.0
    first, second = np.mean(logs, axis=0)
    return float(np.exp(first)), float(np.exp(second))


def _refined(groups: list[Group], curve: WidthCurve) -> WidthCurve:
    position = np.concatenate([g.position for g in groups])
    fwhm = np.concatenate([g.fwhm for g in groups])
    weight = np.minimum(np.concatenate([g.significance for g in groups]), 50) + 1e-3
    ordinary = np.abs(np.log(fwhm / curve(position))) < np.log(3.5)
    if ordinary.sum() < 1:
        return curve
    return fit_widths(position[ordinary], fwhm[ordinary], weight[ordinary])


def _shape_of(groups: list[Group], ratio: float) -> ProfileShape:
    eta = float(np.median([g.eta for g in groups]))
    return ProfileShape(eta=eta, eta_sigma=0.25 if len(groups) > 3 else 0.4, ratio=ratio)


def _cotangent(two_theta_deg):
    return 1 / np.tan(np.radians(np.clip(two_theta_deg, 1.0, 179.0)))


def _axial(groups: list[Group]) -> float:
    """Slope of the asymmetry over the cotangent, robust against overlaps taken for single peaks."""
    clear = [g for g in groups if g.significance[0] > 15]
    if len(clear) < _FEWEST_PEAKS:
        return 0.0
    cotangent = _cotangent(np.array([g.position[0] for g in clear]))
    asymmetry = np.array([g.asymmetry for g in clear])
    weight = np.abs(cotangent)
    # Weighted median of the ratios: low angles tell most.
    ratio = asymmetry / cotangent
    order = np.argsort(ratio)
    total = np.cumsum(weight[order])
    return float(ratio[order][np.searchsorted(total, 0.5 * total[-1])])
