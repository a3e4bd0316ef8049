"""Regions of 2theta, by what is expected of measuring them and what that costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.indexing.next.information import (
    alone_bits,
    chance_right,
    entropy_bits,
    information_bits,
    most_telling,
)
from mlindex.indexing.next.places import Places, Setting

#: Widths of regions that are tried, degrees, and what is measured beside the outermost line, for
#: the background: degrees, and multiples of the resolution.
_WIDTHS_DEG = (1.0, 2.0, 4.0, 8.0)
_MARGIN_DEG, _MARGIN_RESOLUTIONS = 0.2, 2.0
#: Ends of regions are rounded outward to this.
_ROUNDED_DEG = 0.1
#: Regions whose information is calculated exactly: the best by an upper bound, per cost.
_MOST_EXACT = 40
#: What tells less is not worth a measurement, bits.
LEAST_BITS = 0.01


@dataclass(frozen=True, eq=False)
class Region:
    """A region of 2theta to measure, and what is expected of it.

    ``cost_deg`` is degrees times counting time; ``bits`` the expected information of it alone and
    ``more_bits`` beyond the regions chosen before it; ``chance_right`` how probable it is, once
    these are measured, that the most probable cell is right; ``left_bits`` the entropy that is
    expected to remain.
    """

    setting: Setting
    first_deg: float
    last_deg: float
    places: Places
    bits: float
    more_bits: float
    chance_right: float
    left_bits: float

    @property
    def cost_deg(self) -> float:
        """Degrees times counting time."""
        return (self.last_deg - self.first_deg) * self.setting.time

    @property
    def ends_inv_A2(self) -> tuple[float, float]:
        """Its ends as q², 1/A²."""
        ends = np.array([self.first_deg, self.last_deg])
        low, high = q2_from_two_theta(ends, self.setting.wavelength_A).tolist()
        return low, high


@dataclass(frozen=True, eq=False)
class Prior:
    """Probabilities (h + 1,) of the hypotheses, the last for none of them, and the number of the
    answer (h + 1,) that each is for: cells that no position tells apart are one answer."""

    shares: np.ndarray
    answers: np.ndarray

    @property
    def of_answers(self) -> np.ndarray:
        """Probability (a,) of each answer."""
        return np.bincount(self.answers, self.shares)

    @property
    def if_one_is_right(self) -> Prior:
        """The same, given that one of the cells is right."""
        shares = np.append(self.shares[:-1], 0.0)
        return Prior(shares / max(shares.sum(), 1e-12), self.answers)


@dataclass(frozen=True, eq=False)
class _Window:
    setting: Setting
    first_deg: float
    last_deg: float
    places: Places
    most_bits: float

    @property
    def cost_deg(self) -> float:
        return (self.last_deg - self.first_deg) * self.setting.time


def regions(
    prior: Prior,
    sets: Sequence[tuple[Setting, Places]],
    range_deg: tuple[float, float],
    decided: float,
    most: int,
) -> tuple[Region, ...]:
    """Regions to measure, in the order in which each tells most for its cost beyond those before.

    Greedy, which comes near to the best set where outcomes are independent (Krause and Guestrin
    2005, Near-optimal nonmyopic value of information, UAI). It ends where the cells are expected to
    be decided, or where nothing else tells them apart.

    Args:
        prior: what is known.
        sets: the places of each setting.
        range_deg: what can be reached.
        decided: chance of being right that is enough.
        most: regions at most.
    """
    known = np.empty((len(prior.shares), 0))
    chosen: list[Region] = []
    # First which of the cells is right; then, if that is in doubt, whether any is.
    for asked in (prior.if_one_is_right, prior):
        windows = [
            window
            for setting, places in sets
            for window in _windows(asked, setting, places, range_deg)
        ]
        windows = [one for one in windows if not any(_overlaps(one, r) for r in chosen)]
        while len(chosen) < most and _chance(asked, known) < decided:
            best = _best(asked, windows, known)
            if best is None:
                # Where cells can't be told apart it is of no use whether one of them is right.
                return tuple(chosen)
            chosen.append(_region(prior, best, known))
            both = np.hstack([known, best.places.seen])
            known = most_telling(prior.shares, prior.answers, both)
            windows = [one for one in windows if not _overlaps(one, chosen[-1])]
    return tuple(chosen)


def _chance(prior: Prior, known: np.ndarray) -> float:
    return chance_right(prior.shares, prior.answers, known)


def _windows(
    prior: Prior, setting: Setting, places: Places, range_deg: tuple[float, float]
) -> Iterator[_Window]:
    """Regions that begin at each place that tells something: the place alone, and wider ones."""
    alone = alone_bits(prior.shares, prior.answers, places.seen)
    telling = np.flatnonzero(alone > LEAST_BITS / 10)
    margin = max(_MARGIN_DEG, _MARGIN_RESOLUTIONS * setting.resolution_deg)
    low, high = places.low_deg - margin, places.high_deg + margin
    for place in telling:
        for width in (0.0, *_WIDTHS_DEG):
            first = _outward(max(low[place], range_deg[0]), down=True)
            last = _outward(min(max(first + width, high[place]), range_deg[1]), down=False)
            inside = telling[(low[telling] >= first - 1e-9) & (high[telling] <= last + 1e-9)]
            # A place at the end of the range has no margin there.
            inside = np.union1d(inside, [place])
            if last > first:
                bits = float(alone[inside].sum())
                yield _Window(setting, first, last, places.only(inside), bits)


def _outward(angle: float, down: bool) -> float:
    steps = angle / _ROUNDED_DEG
    whole = math.floor(steps + 1e-6) if down else math.ceil(steps - 1e-6)
    return round(whole * _ROUNDED_DEG, 6)


def _best(prior: Prior, windows: Sequence[_Window], known: np.ndarray) -> _Window | None:
    """The region that tells most for its cost beyond the places known (h + 1, k)."""
    before = information_bits(prior.shares, prior.answers, known)
    order = sorted(windows, key=lambda one: -one.most_bits / one.cost_deg)[:_MOST_EXACT]
    best, most = None, -np.inf
    for window in order:
        if window.most_bits / window.cost_deg <= most:
            break
        both = np.hstack([known, window.places.seen])
        more = information_bits(prior.shares, prior.answers, both) - before
        if more >= LEAST_BITS and more / window.cost_deg > most:
            best, most = window, more / window.cost_deg
    return best


def _region(prior: Prior, window: _Window, known: np.ndarray) -> Region:
    both = np.hstack([known, window.places.seen])
    before = information_bits(prior.shares, prior.answers, known)
    together = information_bits(prior.shares, prior.answers, both)
    return Region(
        window.setting,
        window.first_deg,
        window.last_deg,
        window.places,
        information_bits(prior.shares, prior.answers, window.places.seen),
        max(0.0, together - before),
        chance_right(prior.shares, prior.answers, both),
        max(0.0, entropy_bits(prior.of_answers) - together),
    )


def _overlaps(window: _Window, region: Region) -> bool:
    """Whether a region has lines that another shows already, maybe at another wavelength."""
    wavelength = window.setting.wavelength_A
    low = q2_from_two_theta(window.places.low_deg, wavelength)
    high = q2_from_two_theta(window.places.high_deg, wavelength)
    first, last = region.ends_inv_A2
    return bool(np.any((low < last) & (high > first)))
