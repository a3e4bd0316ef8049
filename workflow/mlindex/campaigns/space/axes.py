"""One quantity as an axis: its values as numbers (codes), and as features in the unit interval.

A code is the value itself where that is a number, else the place of the name in its list.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlindex.campaigns.space.settings import Categorical, Continuous, Discrete, Ordinal
from mlindex.campaigns.spelling import meant

#: What a laboratory can set apart where no step is given: digits after the first of the range, and
#: digits of a value on a logarithmic axis. Not tuned.
_DIGITS, _LOG_DIGITS = 2, 3
#: Names that an error lists.
_MOST_NAMES = 8


@dataclass(frozen=True)
class Number:
    """A continuous or discrete quantity.

    ``levels`` (k,) are its numbers in order, None where it is continuous; ``step`` is what can be
    set of a continuous one, None for three digits.
    """

    name: str
    low: float
    high: float
    logarithmic: bool
    step: float | None
    levels: np.ndarray | None
    unit: str = ""
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, given: Continuous | Discrete) -> Number:
        """The axis of a quantity.

        Raises:
            ValueError: bounds or numbers that can't be.
        """
        if isinstance(given, Discrete):
            levels = np.unique(np.array(given.values, dtype=float))
            if len(levels) < len(given.values):
                raise ValueError("values: a number is given twice")
            low, high, step = float(levels[0]), float(levels[-1]), None
        else:
            low, high, levels, step = given.low, given.high, None, given.step
            if low > high:
                raise ValueError(f"low {low:g} is above high {high:g}")
            if step is not None and step > high - low > 0:
                raise ValueError(f"step {step:g} is larger than the range, {low:g} to {high:g}")
            if not math.isfinite(high - low):
                raise ValueError("the bounds are too far apart")
            if step is None and not given.logarithmic and high > low:
                step = 10.0 ** (math.floor(math.log10(high - low)) - _DIGITS)
            if step is not None and high > low and (high - low) / step > 1e9:
                raise ValueError(f"step {step:g} is too small for the range")
        if given.logarithmic and low <= 0:
            raise ValueError("is logarithmic, so that its values must be above 0")
        return cls(name, low, high, given.logarithmic, step, levels, given.unit)

    @property
    def columns(self) -> int:
        """Columns of features."""
        return 1

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each column of features belongs to."""
        return (self.name,)

    @cached_property
    def count(self) -> float:
        """How many values it takes; infinite where they are too many to list."""
        if self.levels is not None:
            return len(self.levels)
        if self.low == self.high:
            return 1
        return math.inf if self.step is None else math.floor(self._steps) + 1

    @property
    def _steps(self) -> float:
        return (self.high - self.low) / self.step * (1 + 1e-12) if self.step else math.inf

    def code(self, cell: str | float) -> float:
        """The code of a value as a person or a table gives it.

        Raises:
            ValueError: it is no finite number.
        """
        try:
            value = float(cell)
        except (TypeError, ValueError):
            raise ValueError(f"expected a number, got {str(cell)[:40]!r}") from None
        if not math.isfinite(value):
            raise ValueError(f"expected a finite number, got {cell}")
        return value

    def value(self, code: float) -> float:
        """The value of a code, as written."""
        return float(f"{code:.12g}") + 0.0

    def snapped(self, codes: np.ndarray) -> np.ndarray:
        """The nearest codes that can be set, (n,) of (n,)."""
        if self.levels is not None:
            middles = (self._scaled_levels[1:] + self._scaled_levels[:-1]) / 2
            return self.levels[np.searchsorted(middles, self._scaled(codes))]
        codes = np.clip(codes, self.low, self.high)
        if self.step is not None:
            counted = np.clip(np.rint((codes - self.low) / self.step), 0, math.floor(self._steps))
            digits = max(0, 6 - math.floor(math.log10(self.step)))
            return np.round(self.low + counted * self.step, min(digits, 15)) + 0.0
        if self.low == self.high:
            return codes
        return np.clip(significant(codes, _LOG_DIGITS), self.low, self.high)

    @cached_property
    def _scaled_levels(self) -> np.ndarray:
        return self._scaled(self.levels)

    def _scaled(self, codes: np.ndarray) -> np.ndarray:
        """Codes in [0, 1] within the bounds, beyond them outside."""
        low, high = self.low, self.high
        if self.logarithmic:
            codes = np.log(np.maximum(codes, 1e-300))
            low, high = math.log(low), math.log(high)
        return (codes - low) / (high - low) if high > low else codes - low

    def features(self, codes: np.ndarray) -> np.ndarray:
        """Features (n, 1) of codes (n,)."""
        return self._scaled(codes)[:, None]

    def from_unit(self, shares: np.ndarray) -> np.ndarray:
        """Codes at shares (n,) of the way through the quantity, in [0, 1)."""
        if self.levels is not None:
            return self.levels[np.minimum((shares * len(self.levels)).astype(int), self.last)]
        if self.logarithmic:
            return self.snapped(self.low * (self.high / self.low) ** shares)
        return self.snapped(self.low + (self.high - self.low) * shares)

    @property
    def last(self) -> int:
        """Place of the last level."""
        return len(self.levels) - 1

    def all_codes(self) -> np.ndarray:
        """Every code, where they are finite in number."""
        if self.levels is not None:
            return self.levels
        if self.low == self.high:
            return np.array([self.low])
        return self.snapped(self.low + self.step * np.arange(int(self.count)))

    def moved(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Codes (n,) a little way off, some of them far."""
        scale = rng.choice([0.02, 0.1, 0.3], len(codes))
        at = self._scaled(codes) + scale * rng.standard_normal(len(codes))
        if self.levels is not None:
            places = np.searchsorted(self.levels, self.snapped(codes))
            step = rng.choice([-2, -1, 1, 2], len(codes))
            return self.levels[np.clip(places + step, 0, self.last)]
        at = np.clip(at, 0, 1)
        if self.logarithmic:
            return self.snapped(self.low * (self.high / self.low) ** at)
        return self.snapped(self.low + (self.high - self.low) * at)

    def inside(self, codes: np.ndarray) -> np.ndarray:
        """Whether codes (n,) may be proposed."""
        if self.levels is not None:
            return np.isin(codes, self.levels)
        slack = 1e-9 * max(abs(self.low), abs(self.high), 1e-300)
        return (codes >= self.low - slack) & (codes <= self.high + slack)

    def apart(self, one: float, others: np.ndarray) -> np.ndarray:
        """How far a code is from others (n,), as a share of the range."""
        return np.abs(self._scaled(np.array([one])) - self._scaled(others))


@dataclass(frozen=True)
class Names:
    """An ordinal or categorical quantity.

    ``described`` (names, k) are the descriptors of each name, scaled to [0, 1], and ``kinds``
    (k,) what each belongs to; ``texts`` say what a name is, for people.
    """

    name: str
    names: tuple[str, ...]
    ordered: bool
    described: np.ndarray | None = None
    described_kinds: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    unit: str = ""
    _place: dict[str, int] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        name: str,
        given: Ordinal | Categorical,
        described: np.ndarray | None = None,
        kinds: tuple[str, ...] = (),
        texts: tuple[str, ...] = (),
    ) -> Names:
        """The axis of a quantity.

        Raises:
            ValueError: no name, or one given twice.
        """
        names = tuple(given.values)
        if not names:
            raise ValueError("needs values, or a table of descriptors")
        place = {value: n for n, value in enumerate(names)}
        if len(place) < len(names):
            twice = next(value for value in names if names.count(value) > 1)
            raise ValueError(f"values: {twice!r} is given twice")
        ordered = isinstance(given, Ordinal)
        return cls(name, names, ordered, described, kinds, texts, "", place)

    @property
    def count(self) -> float:
        """How many values it takes."""
        return len(self.names)

    @property
    def columns(self) -> int:
        """Columns of features."""
        if self.described is not None:
            return self.described.shape[1]
        return 1 if self.ordered else len(self.names)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each column of features belongs to."""
        return self.described_kinds or (self.name,) * self.columns

    def code(self, cell: str | float) -> float:
        """The code of a name.

        Raises:
            ValueError: it is none of the names.
        """
        text = f"{cell:.12g}" if isinstance(cell, int | float) else str(cell).strip()
        if text in self._place:
            return float(self._place[text])
        alike = [known for known in self.names if known.casefold() == text.casefold()]
        if len(alike) == 1:
            return float(self._place[alike[0]])
        close = meant(text, self.names)
        hint = f"did you mean {close!r}?" if close else f"there are {self._listed()}"
        raise ValueError(
            f"{text[:40]!r} is none of its values; {hint}; a new one goes into space.yaml first"
        )

    def _listed(self) -> str:
        shown = ", ".join(self.names[:_MOST_NAMES])
        return shown if len(self.names) <= _MOST_NAMES else f"{shown} ..."

    def value(self, code: float) -> str:
        """The name of a code."""
        return self.names[int(code)]

    def snapped(self, codes: np.ndarray) -> np.ndarray:
        """The codes themselves."""
        return codes

    def features(self, codes: np.ndarray) -> np.ndarray:
        """Features (n, columns) of codes (n,)."""
        places = codes.astype(int)
        if self.described is not None:
            return self.described[places]
        if self.ordered:
            return (places / max(1, len(self.names) - 1))[:, None]
        return np.eye(len(self.names))[places]

    def from_unit(self, shares: np.ndarray) -> np.ndarray:
        """Codes at shares (n,) of the way through the names, in [0, 1)."""
        return np.minimum(np.floor(shares * len(self.names)), len(self.names) - 1.0)

    def all_codes(self) -> np.ndarray:
        """Every code."""
        return np.arange(len(self.names), dtype=float)

    def moved(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Other codes (n,): neighbours in an order, any where there is none."""
        if self.ordered:
            step = rng.choice([-1, 1], len(codes))
            return np.clip(codes + step, 0, len(self.names) - 1)
        return rng.integers(len(self.names), size=len(codes)).astype(float)

    def inside(self, codes: np.ndarray) -> np.ndarray:
        """Whether codes (n,) may be proposed."""
        return np.ones(len(codes), dtype=bool)

    def apart(self, one: float, others: np.ndarray) -> np.ndarray:
        """0 where others (n,) are the same name, infinite elsewhere."""
        return np.where(others == one, 0.0, np.inf)


Axis = Number | Names


def significant(values: np.ndarray, digits: int) -> np.ndarray:
    """Values rounded to so many significant digits, as if they had been written so."""
    size = np.where(values == 0, 1.0, np.abs(values))
    power = np.floor(np.log10(size)).astype(int) - (digits - 1)
    # Powers of ten below 1 are no floats: divided by their inverse, results are the nearest ones.
    up, down = 10.0 ** np.maximum(power, 0), 10.0 ** np.maximum(-power, 0)
    return np.rint(values / up * down) / down * up
