"""The shift of all lines of a pattern: of the zero of 2theta, and of the sample.

Observed 2theta = true 2theta + zero shift + displacement * cos(theta). The displacement is that of
a flat sample in reflection (Bragg-Brentano): a sample that lies too high by h on a goniometer of
radius R has 2 h / R radians. Without the radius the height is not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_STEPS = 6
#: The error of the shift that was not refined, as a share of the other, from which it is possible:
#: the root of its probability, 4 %.
_OPEN_SHARE = 0.2


@dataclass(frozen=True)
class LineShift:
    """Zero shift and displacement in degrees of 2theta, and their standard errors.

    Where only one of the two was refined, the other is 0; its error is what the lines leave open.
    """

    zero_deg: float = 0.0
    displacement_deg: float = 0.0
    zero_error_deg: float = 0.0
    displacement_error_deg: float = 0.0

    @property
    def low_deg(self) -> float:
        """Both together at small angles."""
        return self.zero_deg + self.displacement_deg

    @property
    def undecided(self) -> bool:
        """Whether only one of the two was refined, and the other is possible as well."""
        zero, other = self.zero_deg, self.displacement_deg
        errors = self.zero_error_deg, self.displacement_error_deg
        if (zero == 0) == (other == 0):
            return False
        return (errors[1] if zero else errors[0]) > _OPEN_SHARE * abs(zero or other)

    def plus(self, other: LineShift) -> LineShift:
        """Both together."""
        return LineShift(
            self.zero_deg + other.zero_deg,
            self.displacement_deg + other.displacement_deg,
            math.hypot(self.zero_error_deg, other.zero_error_deg),
            math.hypot(self.displacement_error_deg, other.displacement_error_deg),
        )

    def put_on(self, two_theta_deg: np.ndarray) -> np.ndarray:
        """Where lines of true 2theta (...) in degrees are observed."""
        cosine = np.cos(np.radians(two_theta_deg) / 2)
        return two_theta_deg + self.zero_deg + self.displacement_deg * cosine

    def taken_off(self, two_theta_deg: np.ndarray) -> np.ndarray:
        """True 2theta (...) of lines observed at 2theta (...), in degrees."""
        true = two_theta_deg - self.zero_deg
        # The cosine is that of the true angle; each step leaves a thousandth of the error.
        for _ in range(_STEPS if self.displacement_deg else 0):
            cosine = np.cos(np.radians(true) / 2)
            true = two_theta_deg - self.zero_deg - self.displacement_deg * cosine
        return true


NO_SHIFT = LineShift()
