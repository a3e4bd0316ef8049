"""What of a space is allowed: mixtures, linear bounds, forbidden combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.space.axes import Axis, Number
from mlindex.campaigns.space.settings import Between, Forbidden, Linear, Mixture

#: Sums are compared to this share of the terms in them: what adding floats loses.
_SLACK = 1e-9
#: Parts of tables are rounded, so that they add up to their sum but for this share of it.
_ROUNDED = 2e-3
#: Digits of a sum that parts are set in where they have no step.
_DIGITS = (2, 3, 4, 5)


@dataclass(frozen=True)
class Sum:
    """Parts (places of axes) of a whole; all are set in multiples of ``step`` above ``low``."""

    parts: np.ndarray
    total: float
    step: float
    low: np.ndarray
    high: np.ndarray
    at_most: int
    text: str

    @classmethod
    def of(
        cls,
        given: Mixture,
        axes: Mapping[str, Axis],
        places: Mapping[str, int],
        steps: Mapping[str, float | None],
    ) -> Sum:
        """The parts of a mixture; ``steps`` are what was given of each quantity.

        Raises:
            ValueError: parts that are not continuous, or can't add up to the sum.
        """
        parts = [axes[name] for name in given.of]
        few = f", at most {given.at_most} of them" if given.at_most is not None else ""
        text = f"{' + '.join(given.of)} = {given.sum:g}{few}"
        for part in parts:
            if not isinstance(part, Number) or part.levels is not None or part.logarithmic:
                raise ValueError(
                    f"{part.name} must be continuous and not logarithmic; give it a step in place "
                    "of values"
                )
        wanted = {steps[name] for name in given.of if steps[name] is not None}
        if len(wanted) > 1:
            raise ValueError(f"the steps of {', '.join(given.of)} must be the same")
        low, high = (np.array([getattr(part, end) for part in parts]) for end in ("low", "high"))
        if low.sum() > given.sum * (1 + _SLACK) or high.sum() < given.sum * (1 - _SLACK):
            raise ValueError(
                f"{text} can't be: the parts add up to {low.sum():g} at least and {high.sum():g} "
                "at most"
            )
        left = given.sum - low.sum()
        # Finer ones where lower bounds are no multiples of the first.
        tried = wanted or [10.0 ** (np.floor(np.log10(given.sum)) - n) for n in _DIGITS]
        step = next((s for s in tried if abs(left / s - round(left / s)) <= 1e-6), None)
        if step is None:
            raise ValueError(f"{text} can't be reached in steps of {min(tried):g}")
        most = len(parts) if given.at_most is None else given.at_most
        at = np.array([places[name] for name in given.of])
        return cls(at, given.sum, float(step), low, high, most, text)

    def kept(self, codes: np.ndarray) -> np.ndarray:
        """Which rows (n,) add up."""
        parts = codes[:, self.parts]
        used = (parts > self.low + self.step / 2).sum(axis=1)
        off = np.abs(parts.sum(axis=1) - self.total)
        return (off <= _ROUNDED * self.total) & (used <= self.at_most)

    def filled(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Parts (n, k) that add up, from weights (n, k); few parts as often as many."""
        n, k = shares.shape
        most = min(k, self.at_most)
        order = rng.permuted(np.tile(np.arange(k), (n, 1)), axis=1)
        used = order < rng.integers(1, most + 1, n)[:, None]
        room = np.floor((self.high - self.low) / self.step + 1e-6)
        left = np.full(n, round((self.total - self.low.sum()) / self.step), dtype=float)
        counted = np.zeros((n, k))
        for _ in range(k + 1):
            # What one part has no room for goes to the others, first to those that are used.
            free = room - counted
            weights = np.where(used & (free > 0), shares + 1e-12, 0)
            none = weights.sum(axis=1) == 0
            weights[none] = np.where(free[none] > 0, shares[none] + 1e-12, 0)
            total = np.maximum(weights.sum(axis=1), 1e-300)
            more = np.minimum(np.floor(left[:, None] * weights / total[:, None]), free)
            counted, left = counted + more, left - more.sum(axis=1)
        for _ in range(k):
            # Less than a step for each part is left over.
            fits = (counted < room) & (used | ~((counted < room) & used).any(axis=1)[:, None])
            largest = np.where(fits, shares, -1).argmax(axis=1)
            one = np.minimum(left, room[largest] - counted[np.arange(n), largest])
            counted[np.arange(n), largest] += np.maximum(one, 0)
            left -= np.maximum(one, 0)
        return self._amounts(counted)

    def rounded(self, above: np.ndarray) -> np.ndarray:
        """Parts (n, k) that can be set, from amounts above their lower bounds that add up."""
        counted = np.floor(above / self.step + 1e-9)
        left = np.rint((self.total - self.low.sum()) / self.step) - counted.sum(axis=1)
        # The largest remainders get what is left over.
        rank = np.argsort(np.argsort(counted - above / self.step, axis=1), axis=1)
        return self._amounts(counted + (rank < left[:, None]))

    def moved(self, parts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Parts (n, k) of which some went from one to another."""
        n, k = parts.shape
        counted = np.rint((parts - self.low) / self.step)
        room = np.floor((self.high - self.low) / self.step + 1e-6)
        each = np.arange(n)
        giver = np.where(counted > 0, rng.random((n, k)), -1).argmax(axis=1)
        taker = (giver + rng.integers(1, k, n)) % k
        most = np.minimum(counted[each, giver], room[taker] - counted[each, taker])
        amount = np.rint(most * rng.random(n) ** 2)
        # All of it at times: what is left out altogether matters most.
        amount = np.maximum(np.where(rng.random(n) < 0.2, most, amount), 0)
        counted[each, giver] -= amount
        counted[each, taker] += amount
        return self._amounts(counted)

    def _amounts(self, counted: np.ndarray) -> np.ndarray:
        digits = max(0, 6 - int(np.floor(np.log10(self.step))))
        return np.round(self.low + counted * self.step, min(digits, 15))


@dataclass(frozen=True)
class Bound:
    """``low <= weights . codes <= high`` over all axes; ``weights`` (axes,)."""

    weights: np.ndarray
    low: float
    high: float
    text: str

    @classmethod
    def of(cls, given: Linear, axes: Mapping[str, Axis], places: Mapping[str, int]) -> Bound:
        """The bound of a constraint.

        Raises:
            ValueError: it bounds nothing, or a quantity that is no number.
        """
        if given.at_least is None and given.at_most is None:
            raise ValueError("needs at_least or at_most")
        weights = np.zeros(len(places))
        for name, weight in given.of.items():
            if not isinstance(axes[name], Number):
                raise ValueError(f"{name} has no numbers to add up")
            weights[places[name]] = weight
        low = -np.inf if given.at_least is None else given.at_least
        high = np.inf if given.at_most is None else given.at_most
        terms = " + ".join(f"{weight:g} {name}" for name, weight in given.of.items())
        ends = [f">= {low:g}"] * (low > -np.inf) + [f"<= {high:g}"] * (high < np.inf)
        return cls(weights, low, high, f"{terms} {' and '.join(ends)}")

    def kept(self, codes: np.ndarray) -> np.ndarray:
        """Which rows (n,) it allows."""
        at = codes @ self.weights
        slack = _SLACK * np.maximum(np.abs(codes) @ np.abs(self.weights), 1e-12)
        return (at >= self.low - slack) & (at <= self.high + slack)


@dataclass(frozen=True)
class Ban:
    """What must not be together: for axes (places) the codes, or a range of them."""

    sets: tuple[tuple[int, np.ndarray], ...]
    ranges: tuple[tuple[int, float, float], ...]
    text: str

    @classmethod
    def of(cls, given: Forbidden, axes: Mapping[str, Axis], places: Mapping[str, int]) -> Ban:
        """The ban of a constraint.

        Raises:
            ValueError: a value that a quantity doesn't have.
        """
        sets, ranges, parts = [], [], []
        for name, what in given.when.items():
            axis, place = axes[name], places[name]
            if isinstance(what, Between):
                low = -np.inf if what.at_least is None else what.at_least
                high = np.inf if what.at_most is None else what.at_most
                if not isinstance(axis, Number):
                    raise ValueError(f"{name} has no order of numbers; list its values")
                ranges.append((place, low, high))
                parts.append(f"{name} from {low:g} to {high:g}")
            else:
                values: Sequence = what if isinstance(what, tuple) else (what,)
                try:
                    sets.append((place, np.array([axis.code(value) for value in values])))
                except ValueError as problem:
                    raise ValueError(f"{name}: {problem}") from None
                outside = ~axis.inside(sets[-1][1])
                if outside.any():
                    raise ValueError(f"{name} never is {np.array(values)[outside][0]}")
                parts.append(f"{name} {' or '.join(map(str, values))}")
        return cls(tuple(sets), tuple(ranges), "not " + " with ".join(parts))

    def kept(self, codes: np.ndarray) -> np.ndarray:
        """Which rows (n,) it allows."""
        hit = np.ones(len(codes), dtype=bool)
        for place, values in self.sets:
            hit &= np.isin(codes[:, place], values)
        for place, low, high in self.ranges:
            hit &= (codes[:, place] >= low) & (codes[:, place] <= high)
        return ~hit
