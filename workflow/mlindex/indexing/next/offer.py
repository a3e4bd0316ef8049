"""What a diffractometer offers: wavelengths, range of 2theta, counting times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import given_as, tube_named
from mlindex.patterns.radiation import check_given

#: Range of 2theta that most laboratory diffractometers reach, degrees.
USUAL_RANGE_DEG = (5.0, 140.0)
#: Counting time that people put up with, in multiples of that of the first scan: a quarter of the
#: noise.
LONGEST_TIME = 16.0
#: A cell is decided from this probability on.
DECIDED = 0.95


@dataclass(frozen=True)
class Offer:
    """What can be measured.

    Attributes:
        wavelengths_A: on offer, in A or as the name of a tube (its K-alpha1); that of the list if
            there is none.
        range_deg: first and last 2theta that can be reached, degrees.
        longest_time: the longest counting time, in multiples of that of the first scan.
        resolution_deg: lines nearer than this are one, degrees of 2theta; as the list implies if
            None.
        decided: a cell is decided from this probability on.

    Raises:
        MlindexError: a value can't be right.
    """

    wavelengths_A: tuple[float, ...] = ()
    range_deg: tuple[float, float] = USUAL_RANGE_DEG
    longest_time: float = LONGEST_TIME
    resolution_deg: float | None = None
    decided: float = DECIDED

    def __post_init__(self) -> None:
        given = self.wavelengths_A
        several = given if isinstance(given, (tuple, list)) else (given,)
        object.__setattr__(self, "wavelengths_A", tuple(wavelength_A(one) for one in several))
        object.__setattr__(self, "range_deg", interval("range of 2theta", self.range_deg))
        _in("longest counting time", self.longest_time, 1, 10_000, "times that of the scan")
        _in("probability that decides", self.decided, 0.5, 0.999, "")
        if self.resolution_deg is not None:
            _in("resolution", self.resolution_deg, 0.001, 5, "degrees")

    @property
    def times(self) -> tuple[float, ...]:
        """Counting times that are considered: each is four times the last, so that lines half as
        strong are seen."""
        steps = int(math.log(self.longest_time, 4) + 1e-9)
        times = [4.0**step for step in range(steps + 1)]
        return tuple(times if times[-1] == self.longest_time else [*times, self.longest_time])


def wavelength_A(given: float | str) -> float:
    """A wavelength on offer in A; of a tube that is named, K-alpha1.

    Raises:
        MlindexError: it can't be one.
    """
    read = given_as(given)
    if isinstance(read, str):
        return tube_named(read).lines_A[0]
    if read is None or not math.isfinite(read):
        raise MlindexError(f"wavelength {given!r}: give a number in A, such as 1.5406")
    check_given(f"wavelength {given}", read)
    return float(read)


def interval(noun: str, given: Sequence[float]) -> tuple[float, float]:
    """Two ends in degrees of 2theta, the lower one first.

    Raises:
        MlindexError: they are not.
    """
    ends = tuple(given) if isinstance(given, Iterable) else (given,)
    numbers = len(ends) == 2 and all(
        isinstance(one, Real) and not isinstance(one, bool) and math.isfinite(one) for one in ends
    )
    if not numbers or not 0 <= ends[0] < ends[1] <= 180:
        seen = " to ".join(str(one) for one in ends)
        raise MlindexError(
            f"{noun} {seen} degrees: give its first and its last 2theta, such as 5 140"
        )
    return float(ends[0]), float(ends[1])


def _in(noun: str, value: float, low: float, high: float, unit: str) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise MlindexError(f"{noun} {value}: give a number from {low:g} to {high:g} {unit}".strip())
