"""From candidates to fitted groups, and what the residual still holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlindex.base.special import nonnegative_least_squares
from mlindex.patterns.peaksearch.calibrate import MISFIT, Calibration
from mlindex.patterns.peaksearch.doublet import Line
from mlindex.patterns.peaksearch.fit import Group, fit_group
from mlindex.patterns.peaksearch.kernels import matched_filter, profiles
from mlindex.patterns.peaksearch.widths import local_maxima

#: Peaks closer than this many FWHM are fitted together, and how far around them.
_TOGETHER = 2.5
#: Where tails stand out of the noise the fit sees them, up to the second number: they tell the
#: Lorentzian share, which the core alone leaves open.
_REACH, _FARTHEST = 2.5, 8.0
_LARGEST_GROUP = 8
#: Peaks closer than this many FWHM can't be resolved.
_CLOSEST = 0.45
#: Candidates may be this much weaker than what is asked of a peak.
_GENEROUS = 0.7
#: Beside strong peaks, this share of their profile counts as noise in the residual.
_RESIDUAL_MISFIT = 0.05
_ROUNDS = 4
#: Steps to each side of a point that hold five points.
_FIVE_POINTS = 2.01
#: Feet of strong peaks reach this many FWHM; how much their share of the height is doubted.
_FOOT, _DOUBT, _DOUBT_DRAGGED = 2.0, 0.1, 0.3


@dataclass(frozen=True)
class Data:
    """2theta, intensity over the background, its uncertainty and the expected FWHM, all (n,)."""

    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray
    width: np.ndarray


def fit_all(
    data: Data,
    calibration: Calibration,
    line: Line,
    significance: float,
    over: Callable[[], bool] = lambda: False,
) -> list[Group]:
    """Fit all peaks of at least that significance; further ones are sought in the residual.

    Once ``over`` says True, the groups fitted so far are given.

    Returns:
        The groups in order of 2theta.
    """
    groups: list[Group] = []
    starts = _candidates(data, data.y, data.sigma, calibration, line, significance)
    for number in range(_ROUNDS):
        groups = _fit_round(data, calibration, line, groups, starts, significance, over)
        if over():
            break
        model = total(data.x, groups)
        noise = np.hypot(data.sigma, _RESIDUAL_MISFIT * model)
        if number == _ROUNDS - 1:
            break
        # The round before the last only settles what overlaps; nothing new comes in.
        new = np.empty(0)
        if number < _ROUNDS - 2:
            new = _candidates(data, data.y - model, noise, calibration, line, significance)
        starts = _merged(_positions(groups), new, data)
    return groups


def refit(
    data: Data,
    calibration: Calibration,
    line: Line,
    groups: list[Group],
    significance: float,
    over: Callable[[], bool] = lambda: False,
) -> list[Group]:
    """Fit the peaks of the groups once more, over another background, if ``over`` is not True."""
    starts = _merged(_positions(groups), np.empty(0), data)
    return _fit_round(data, calibration, line, groups, starts, significance, over)


def _positions(groups: list[Group]) -> np.ndarray:
    return np.concatenate([g.position for g in groups]) if groups else np.empty(0)


def total(x: np.ndarray, groups: list[Group]) -> np.ndarray:
    """Sum of all profiles (n,); each is taken as far as its Lorentzian tails matter."""
    out = np.zeros(len(x))
    for group in groups:
        a, b = _window(x, group.position, group.fwhm, group.split, 25)
        out[a:b] += group.profile(x[a:b])
    return out


def _window(x, position, fwhm, split, reach):
    low = np.min(position - reach * fwhm)
    high = np.max(position + split + reach * fwhm)
    return np.searchsorted(x, (low, high))


def _candidates(data, y, sigma, calibration, line, significance):
    """Maxima of the matched filter, of the expected width and of a narrower one."""
    ratio = calibration.shape.ratio
    split = line.split(data.x, ratio)
    # The filter sees nothing of less than five points: where steps are coarse, it reaches farther.
    five = _FIVE_POINTS * float(np.median(np.diff(data.x))) / float(data.width.min())
    out = []
    for narrowing, reach, factor in ((1.0, max(1.5, five), _GENEROUS), (0.6, 1.3, _GENEROUS)):
        width = narrowing * data.width
        t = matched_filter(data.x, y, sigma, width, split, ratio, reach)
        top = local_maxima(data.x, t, 0.5 * width, factor * significance)
        out.append((data.x[top], t[top]))
    position, t = (np.concatenate(parts) for parts in zip(*out, strict=True))
    return _thinned(position, t, data)


def _thinned(position, t, data):
    """Positions in order, the stronger of any two that can't be resolved."""
    width = np.interp(position, data.x, data.width)
    keep: list[int] = []
    for i in np.argsort(-t, kind="stable"):
        apart = np.abs(position[keep] - position[i]) > _CLOSEST * width[i]
        if np.all(apart):
            keep.append(int(i))
    return np.sort(position[keep])


def _merged(known, found, data):
    width = np.interp(found, data.x, data.width)
    new = [
        p
        for p, w in zip(found, width, strict=True)
        if not len(known) or np.min(np.abs(known - p)) > _CLOSEST * w
    ]
    return np.sort(np.concatenate([known, new]))


def _split_into_groups(starts, data, split):
    """Lists of positions that are fitted together; doublets reach as far as they are split."""
    if not len(starts):
        return []
    gap = (np.diff(starts) - split[:-1]) / np.interp(starts[:-1], data.x, data.width)
    groups, pending = [], list(np.split(starts, np.flatnonzero(gap > _TOGETHER) + 1))
    while pending:
        members = pending.pop()
        if len(members) <= _LARGEST_GROUP:
            groups.append(members)
            continue
        inner = np.diff(members)[1:-1]
        cut = int(np.argmax(inner)) + 2
        pending += [members[:cut], members[cut:]]
    return sorted(groups, key=lambda members: members[0])


def _fit_round(data, calibration, line, before, starts, significance, over):
    """Fit every group with the profiles of the others, as far as known, taken off; those before
    where that is ended."""
    parts = {p: _single(g, k) for g in before for k, p in enumerate(g.position)}
    model = total(data.x, before)
    fitted: list[Group] = []
    lists = _split_into_groups(starts, data, line.split(starts, calibration.shape.ratio))
    ends = [-np.inf, *(m[-1] for m in lists)], [*(m[0] for m in lists), np.inf]
    for number, members in enumerate(lists):
        if over():
            return before or fitted
        own = [parts[p] for p in members if p in parts]
        rest = data.y - model + total(data.x, own)
        between = (ends[0][number] + members[0]) / 2, (ends[1][number + 1] + members[-1]) / 2
        group = _fit_members(data, rest, calibration, line, members, significance, between)
        new = [group] if group is not None else []
        fitted += new
        # The next group sees this one as it is now.
        model += total(data.x, new) - total(data.x, own)
    return fitted


def _single(group: Group, k: int) -> Group:
    one = slice(k, k + 1)
    return Group(
        group.position[one],
        group.height[one],
        group.fwhm[one],
        group.split[one],
        group.eta,
        group.asymmetry,
        group.ratio,
        group.position_error[one],
        group.height_error[one],
        group.fwhm_error[one],
        group.chi2,
        group.cost,
        group.evidence[one],
    )


def _fit_members(data, y, calibration, line, members, significance, between):
    """Fit a group, dropping its least significant peak until all count."""
    width = calibration.widths(members)
    split = line.split(members, calibration.shape.ratio)
    a, b = _window(data.x, members, width, split, _reach(data, y, members, calibration))
    # The middle between two groups is as far as a window goes: beyond, the other one is fitted.
    a = max(a, np.searchsorted(data.x, between[0]))
    b = min(b, np.searchsorted(data.x, between[1] + split[-1]))
    if b - a < 5:
        return None
    x, y = data.x[a:b], y[a:b]
    sigma = np.hypot(data.sigma[a:b], MISFIT * np.maximum(y, 0))
    members, height = _prune(
        x, y, sigma, members, width, split, calibration.shape_at(float(np.mean(members)))
    )
    line_sigma = 2 * float(np.min(data.sigma[a:b]))

    def fit(members, height):
        width = calibration.widths(members)
        split = line.split(members, calibration.shape.ratio)
        shape = calibration.shape_at(float(np.mean(members)))
        return fit_group(x, y, sigma, members, height, width, split, shape, line_sigma)

    return _needed(fit, members, height, significance)


def _reach(data, y, members, calibration):
    """How far (m,) in FWHM the profiles of these peaks stand out of the noise."""
    height = np.interp(members, data.x, y).clip(0)
    noise = np.interp(members, data.x, data.sigma)
    return np.clip(np.sqrt(calibration.shape.eta * height / noise) / 2, _REACH, _FARTHEST)


def _needed(fit, members, height, significance):
    """Fit with ever fewer peaks until the fit needs each of them."""
    if not len(members):
        return None
    group = fit(members, height)
    while True:
        drop, close = _to_drop(group, significance)
        if drop is None:
            return group
        less = None
        if len(group.position) > 1:
            less = fit(np.delete(group.position, drop), np.delete(group.height, drop))
        if not close:
            evidence = _evidence(group, less.cost) if less is not None else 0.0
            if evidence >= significance * _doubt(group)[drop]:
                group.evidence[drop] = evidence
                continue
        if less is None:
            return None
        group = less


def _evidence(group: Group, cost_without: float) -> float:
    gain = max(cost_without - group.cost, 0) / max(group.chi2, 1)
    return float(np.sqrt(gain))


def _prune(x, y, sigma, members, width, split, shape):
    """Leave out candidates without height when all are fitted with the expected shape."""
    none = np.empty((0, 0))
    columns = [
        _one_profile(x, members[k], width[k], split[k], shape, none) for k in range(len(members))
    ]
    arm = (x - x.mean()) / max(np.ptp(x) / 2, 1e-12)
    straight = [np.ones(len(x)), -np.ones(len(x)), arm, -arm]
    matrix = np.stack(columns + straight, axis=1) / sigma[:, None]
    height = nonnegative_least_squares(matrix, y / sigma)[: len(members)]
    keep = height > 0.01 * height.max() if len(height) else np.zeros(0, dtype=bool)
    return members[keep], height[keep]


def _one_profile(x, position, width, split, shape, none):
    """One profile of height 1 with the expected shape."""
    one = np.ones(1)
    return profiles(
        x,
        position * one,
        one,
        width * one,
        shape.eta,
        shape.asymmetry,
        split * one,
        shape.ratio,
        none,
    )


def _to_drop(group: Group, significance: float) -> tuple[int | None, bool]:
    """The peak to leave out next, if any, and whether for being too close to another."""
    t, position = group.significance, group.position
    for i in range(len(t) - 1):
        if position[i + 1] - position[i] < _CLOSEST * min(group.fwhm[i], group.fwhm[i + 1]):
            return (i if t[i] < t[i + 1] else i + 1), True
    share = t / _doubt(group)
    worst = int(np.argmin(share))
    return (worst if share[worst] < significance else None), False


def _doubt(group: Group) -> np.ndarray:
    """How much more significance (m,) a peak needs beside stronger ones, whose feet misfit."""
    ahead = group.position - group.position[:, None]
    # Behind a doublet the foot begins at its second line.
    away = np.where(ahead < 0, np.maximum(-ahead - group.split, 0), ahead)
    near = (away < _FOOT * group.fwhm) & (ahead != 0)
    # Axial divergence drags feet to low angles below 90 degrees, to high ones above.
    dragged = (ahead > 0) == (group.position < 90)
    doubt = np.where(dragged, _DOUBT_DRAGGED, _DOUBT)
    stronger = np.max(np.where(near, doubt * group.height, 0), axis=1, initial=0)
    return 1 + stronger / np.maximum(group.height, 1e-300)
