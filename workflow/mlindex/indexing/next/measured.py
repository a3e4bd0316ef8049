"""What was measured so far: ranges of q² with their counting times, and the lines seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.lines import nearest_index
from mlindex.indexing.shift import LineShift

#: A reflection within this many errors of an observed line is explained by it, or hidden.
NEAR_SIGMAS = 3.0


@dataclass(frozen=True, eq=False)
class Measured:
    """Ranges that were measured and lines that were seen in them.

    ``first_inv_A2`` and ``last_inv_A2`` (r,) are the ends of each range in q², ``time`` (r,) its
    counting time in multiples of that of the first scan. ``q2_inv_A2`` (n,), rising, are the lines
    seen, as observed at ``wavelength_A`` (n,), ``sigma_inv_A2`` (n,) their errors.
    """

    first_inv_A2: np.ndarray
    last_inv_A2: np.ndarray
    time: np.ndarray
    q2_inv_A2: np.ndarray
    sigma_inv_A2: np.ndarray
    wavelength_A: np.ndarray

    def without(self, shift: LineShift) -> Measured:
        """The same with a shift taken off the lines."""
        if shift.zero_deg == 0 and shift.displacement_deg == 0:
            return self
        angle = two_theta_from_q2(self.q2_inv_A2, self.wavelength_A)
        q2 = q2_from_two_theta(shift.taken_off(angle), self.wavelength_A)
        order = np.argsort(q2, kind="stable")
        return replace(
            self,
            q2_inv_A2=q2[order],
            sigma_inv_A2=self.sigma_inv_A2[order],
            wavelength_A=self.wavelength_A[order],
        )

    def time_of(self, q2_inv_A2: np.ndarray) -> np.ndarray:
        """The longest counting time that each q² (m,) was measured with, 0 where it was not."""
        inside = q2_inv_A2[:, None] >= self.first_inv_A2
        inside &= q2_inv_A2[:, None] <= self.last_inv_A2
        return np.max(np.where(inside, self.time, 0.0), axis=1, initial=0.0)

    def near(self, q2_inv_A2: np.ndarray, error_inv_A2: np.ndarray) -> np.ndarray:
        """Whether each predicted line (m,), with its error, is so near to a line seen that this may
        be it: bool (m,)."""
        if not len(self.q2_inv_A2):
            return np.zeros(len(q2_inv_A2), dtype=bool)
        nearest = nearest_index(q2_inv_A2, self.q2_inv_A2)
        error = np.hypot(self.sigma_inv_A2[nearest], error_inv_A2)
        return np.abs(q2_inv_A2 - self.q2_inv_A2[nearest]) <= NEAR_SIGMAS * error

    def explained(self, q2_inv_A2: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Which predicted lines (m,), rising, are the nearest to a line seen, of those ``near``."""
        found = np.zeros(len(q2_inv_A2), dtype=bool)
        if len(self.q2_inv_A2) and len(q2_inv_A2):
            found[nearest_index(self.q2_inv_A2, q2_inv_A2)] = True
        return found & near

    def with_range(
        self,
        ends_inv_A2: tuple[float, float],
        time: float,
        q2_inv_A2: np.ndarray,
        sigma_inv_A2: np.ndarray,
        wavelength_A: float,
    ) -> Measured:
        """The same after another range was measured, in which lines (k,) were seen; lines that were
        known before stay as they are."""
        new = ~self.near(q2_inv_A2, sigma_inv_A2)
        both = np.append(self.q2_inv_A2, q2_inv_A2[new])
        order = np.argsort(both, kind="stable")
        waves = np.append(self.wavelength_A, np.full(int(new.sum()), wavelength_A))
        return Measured(
            np.append(self.first_inv_A2, ends_inv_A2[0]),
            np.append(self.last_inv_A2, ends_inv_A2[1]),
            np.append(self.time, time),
            both[order],
            np.append(self.sigma_inv_A2, sigma_inv_A2[new])[order],
            waves[order],
        )


def first_scan(
    q2_inv_A2: np.ndarray,
    sigma_inv_A2: np.ndarray,
    wavelength_A: float,
    ends_inv_A2: tuple[float, float],
) -> Measured:
    """What the first scan has shown: lines (n,) in one range of q²."""
    n = len(q2_inv_A2)
    waves = np.full(n, wavelength_A)
    ends = (np.array([end]) for end in ends_inv_A2)
    return Measured(*ends, np.ones(1), q2_inv_A2, sigma_inv_A2, waves)
