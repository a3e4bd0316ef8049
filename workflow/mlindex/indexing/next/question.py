"""The question which cell is right, and what measurements make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, q2_per_radian
from mlindex.indexing.next.information import updated
from mlindex.indexing.next.measured import Measured
from mlindex.indexing.next.offer import Offer
from mlindex.indexing.next.places import Places, Setting, found_at, places_of
from mlindex.indexing.next.predicted import Hypothesis, calibrated
from mlindex.indexing.next.regions import Prior, Region, regions
from mlindex.indexing.next.rivals import Rival
from mlindex.indexing.search.lines import STRAY


@dataclass(frozen=True, eq=False)
class Question:
    """Which cell is right: what is known, and what can be measured.

    ``shares`` (h + 1,) are the probabilities of the hypotheses, the last of none of them.
    ``groups`` (r,) is the number of the answer of each rival: cells that no position tells apart
    have the same one. ``wavelengths_A`` are on offer.
    """

    rivals: tuple[Rival, ...]
    groups: np.ndarray
    hypotheses: tuple[Hypothesis, ...]
    shares: np.ndarray
    measured: Measured
    offer: Offer
    wavelengths_A: tuple[float, ...]
    error_deg: float
    resolution_deg: float

    @cached_property
    def prior(self) -> Prior:
        """What is known; the last answer is that none of the cells is right."""
        of_rival = np.array([one.answer for one in self.hypotheses], dtype=int)
        none = int(self.groups.max(initial=-1)) + 1
        return Prior(self.shares, np.append(self.groups[of_rival], none))

    @cached_property
    def predictions(self) -> tuple[Hypothesis, ...]:
        """The hypotheses with how strong their lines are by all that was measured."""
        return tuple(calibrated(one, self.measured) for one in self.hypotheses)

    @cached_property
    def of_rivals(self) -> np.ndarray:
        """Probability (r + 1,) of each rival now, the last for none of them."""
        of_rival = [one.answer for one in self.hypotheses]
        return np.bincount([*of_rival, len(self.rivals)], self.shares, len(self.rivals) + 1)

    def setting(self, wavelength_A: float, time: float) -> Setting:
        """How a region is measured at a wavelength and counting time."""
        return Setting(wavelength_A, time, self.error_deg, self.resolution_deg)

    def settings(self) -> list[Setting]:
        """All settings on offer."""
        return [self.setting(w, time) for w in self.wavelengths_A for time in self.offer.times]

    def places(self, setting: Setting) -> Places:
        """Where the cells predict lines in the range of the diffractometer."""
        return places_of(
            self.predictions, self.shares, self.measured, setting, self.offer.range_deg
        )

    def regions(self, most: int) -> tuple[Region, ...]:
        """What to measure, at most so many regions; nothing where one cell is decided already."""
        sets = [(setting, self.places(setting)) for setting in self.settings()]
        return regions(self.prior, sets, self.offer.range_deg, self.offer.decided, most)

    def after(
        self, setting: Setting, first_deg: float, last_deg: float, lines_deg: Sequence[float]
    ) -> Question:
        """The question once a region was measured and these lines (k,) of 2theta were seen there.

        Lines where no cell has one are strays to all of them, and speak for none of them.
        """
        lines = np.sort(np.asarray(lines_deg, dtype=float))
        lines = lines[(lines >= first_deg) & (lines <= last_deg)]
        every = self.places(setting)
        middle = (every.low_deg + every.high_deg) / 2
        places = every.only((middle >= first_deg) & (middle <= last_deg))
        shares = updated(self.shares, places.seen, found_at(places, lines))
        q2 = q2_from_two_theta(lines, setting.wavelength_A)
        slope = np.radians(q2_per_radian(np.radians(lines), setting.wavelength_A))
        sigma = slope * setting.error_deg
        inside = (lines[:, None] >= every.low_deg) & (lines[:, None] <= every.high_deg)
        strays = int(np.sum(~inside.any(axis=1) & ~self.measured.near(q2, sigma)))
        shares[:-1] *= STRAY**strays
        ends = q2_from_two_theta(np.array([first_deg, last_deg]), setting.wavelength_A)
        return replace(
            self,
            shares=shares / shares.sum(),
            measured=self.measured.with_range(
                (float(ends[0]), float(ends[1])), setting.time, q2, sigma, setting.wavelength_A
            ),
        )
