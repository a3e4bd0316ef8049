"""Places of 2theta where the cells in question predict lines that can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlindex.crystal.bragg import q2_per_radian, two_theta_from_q2
from mlindex.indexing.next.measured import Measured
from mlindex.indexing.next.predicted import LEAST_SEEN, MOST_SEEN, Hypothesis

#: Positions are told apart that are more than so many standard errors of a measured line and of the
#: prediction apart: 2 on each side.
APART_SIGMAS = 4.0
#: Hypotheses are improbable that have less than this share of the most probable one.
_IMPROBABLE = 0.05
#: Wavelengths that differ less, relatively, are one.
_SAME_WAVELENGTH_REL = 1e-4
#: Lines at random are counted over so many degrees, to say how probable one is by chance.
_AROUND_DEG = 10.0


@dataclass(frozen=True)
class Setting:
    """How a region is measured: wavelength (A), counting time in multiples of that of the first
    scan, error of a line's position and how far apart lines must be to be two, degrees."""

    wavelength_A: float
    time: float
    error_deg: float
    resolution_deg: float


class Places(NamedTuple):
    """Places (m,), 2theta rising, and what is predicted there.

    ``low_deg``, ``high_deg`` (m,): lines between these are of this place. ``seen`` (h + 1, m):
    probability by each hypothesis, the last by none of them, that a line shows there.
    ``predicted`` (h, m): whether a hypothesis has a line there at all.
    """

    low_deg: np.ndarray
    high_deg: np.ndarray
    seen: np.ndarray
    predicted: np.ndarray

    def only(self, which: np.ndarray) -> Places:
        """Some of the places, by their numbers or a mask."""
        return Places(
            self.low_deg[which],
            self.high_deg[which],
            self.seen[:, which],
            self.predicted[:, which],
        )


def places_of(
    hypotheses: Sequence[Hypothesis],
    shares: np.ndarray,
    measured: Measured,
    setting: Setting,
    range_deg: tuple[float, float],
) -> Places:
    """All places in a range of 2theta.

    Lines are of one place where positions are not told apart, in a chain: neighbours at less than
    :data:`APART_SIGMAS` errors, and lines of one hypothesis nearer than the resolution with all
    between, since they make one line somewhere there. Improbable hypotheses join no places of
    others: their many lines would join all. Lines that all have in common are as probable in each.

    Args:
        hypotheses: what they predict.
        shares: their probabilities (h,) or more.
        measured: what is known.
        setting: how it is measured.
        range_deg: first and last 2theta.
    """
    lines = [_lines(one, measured, setting, range_deg) for one in hypotheses]
    if not sum(map(np.size, lines)):
        nothing = np.empty(0)
        none = np.empty((len(lines) + 1, 0))
        return Places(nothing, nothing, none, np.empty((len(lines), 0), dtype=bool))
    at, spread, seen = np.hstack(lines)
    of = np.repeat(np.arange(len(lines)), [one.shape[1] for one in lines])
    order = np.argsort(at, kind="stable")
    at, spread, seen, of = at[order], spread[order], seen[order], of[order]
    reach = APART_SIGMAS / 2 * np.hypot(spread, setting.error_deg)
    few = shares[: len(lines)] < _IMPROBABLE * shares[: len(lines)].max(initial=0.0)
    place, low, high = _joined(at, reach, of, few[of], setting.resolution_deg)
    missed, predicted = (np.ones((len(lines), len(low))) for _ in range(2))
    np.multiply.at(missed, (of, place), 1 - seen)
    np.multiply.at(predicted, (of, place), 0)
    predicted = predicted == 0
    chance = np.where(predicted, 1 - missed, LEAST_SEEN)
    # How strong a line is in one cell and in another is not known so well that it tells.
    common = predicted.all(axis=0)
    if common.any():
        chance[:, common] = chance[:, common].mean(axis=0)
    anyhow = _at_random(low, high, chance)
    known = two_theta_from_q2(measured.q2_inv_A2, setting.wavelength_A)
    anyhow[np.any((known[:, None] >= low) & (known[:, None] <= high), axis=0)] = MOST_SEEN
    order = np.argsort(low, kind="stable")
    every = Places(low, high, np.vstack([chance, anyhow]), predicted)
    return every.only(order)


def _joined(
    at: np.ndarray, reach: np.ndarray, of: np.ndarray, few: np.ndarray, resolution_deg: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The number of the place of each line (k,), and the ends (m,) of places.

    Args:
        at: 2theta (k,), rising.
        reach: how far from there it may be seen (k,).
        of: its hypothesis (k,).
        few: whether that one is improbable (k,).
        resolution_deg: lines of one hypothesis nearer than this are one.
    """
    place = np.full(len(at), -1)
    place[~few], low, high = _chained(at[~few], reach[~few], of[~few], resolution_deg)
    if len(low):
        # Ends of places rise as the places do.
        into = np.clip(np.searchsorted(low, at, side="right") - 1, 0, len(low) - 1)
        inside = few & (at >= low[into]) & (at <= high[into])
        place[inside] = into[inside]
    rest = place < 0
    own, low_of_rest, high_of_rest = _chained(at[rest], reach[rest], of[rest], 0.0)
    place[rest] = own + len(low)
    return place, np.append(low, low_of_rest), np.append(high, high_of_rest)


def _chained(
    at: np.ndarray, reach: np.ndarray, of: np.ndarray, resolution_deg: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number (k,) of the place of each line and ends (m,) of the places, see :func:`places_of`."""
    if not len(at):
        return np.empty(0, dtype=int), np.empty(0), np.empty(0)
    apart = np.diff(at) > 2 * np.maximum(reach[1:], reach[:-1])
    for one in np.unique(of):
        own = np.flatnonzero(of == one)
        for near in np.flatnonzero(np.diff(at[own]) < resolution_deg):
            apart[own[near] : own[near + 1]] = False
    place = np.concatenate([[0], np.cumsum(apart)])
    low, high = np.full(place[-1] + 1, np.inf), np.full(place[-1] + 1, -np.inf)
    np.minimum.at(low, place, at - reach)
    np.maximum.at(high, place, at + reach)
    return place, low, high


def _lines(
    one: Hypothesis, measured: Measured, setting: Setting, range_deg: tuple[float, float]
) -> np.ndarray:
    """Where lines of a hypothesis are observed, the errors of that, and how probably they are seen:
    (3, k)."""
    angle = one.shift.put_on(two_theta_from_q2(one.q2_inv_A2, setting.wavelength_A))
    number = one.shown_by(measured)
    # A line that was seen will be where it was, whatever the cell: that is known already.
    at = two_theta_from_q2(measured.q2_inv_A2, setting.wavelength_A)
    same = np.abs(measured.wavelength_A / setting.wavelength_A - 1) < _SAME_WAVELENGTH_REL
    there = (number >= 0) & np.append(same, False)[number]
    angle[there] = at[number[there]]
    seen = one.seen_now(measured, setting.time)
    strays, stray_error = one.strays(measured).T
    angle = np.append(angle, two_theta_from_q2(strays, setting.wavelength_A))
    error = np.append(one.q2_error_inv_A2, stray_error)
    seen = np.append(seen, np.full(len(strays), MOST_SEEN))
    used = (angle >= range_deg[0]) & (angle <= range_deg[1])
    slope = np.radians(q2_per_radian(np.radians(angle[used]), setting.wavelength_A))
    return np.stack([angle[used], error[used] / slope, seen[used]])


def _at_random(low: np.ndarray, high: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Probability (m,) of a line at each place by chance, where lines are as dense around it as the
    hypotheses have them on average."""
    middle, expected = (low + high) / 2, chance.mean(axis=0)
    near = np.abs(middle[:, None] - middle) < _AROUND_DEG / 2
    density = near @ expected / _AROUND_DEG
    return np.clip(-np.expm1(-density * (high - low)), LEAST_SEEN, 0.9)


def found_at(places: Places, two_theta_deg: np.ndarray) -> np.ndarray:
    """Which places (m,) show one of the lines observed at these angles (k,): each that of the
    nearest place that it lies in."""
    found = np.zeros(len(places.low_deg), dtype=bool)
    if not len(found):
        return found
    half = (places.high_deg - places.low_deg) / 2
    off = np.abs(two_theta_deg[:, None] - places.low_deg - half) / half
    nearest = off.argmin(axis=1)
    found[nearest[off.min(axis=1) <= 1]] = True
    return found
