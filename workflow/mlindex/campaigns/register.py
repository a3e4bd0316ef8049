"""The measurements of a campaign, found by name, by values, or by planned values nearby."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlindex.campaigns.experiments import OPEN, Experiment, Value
from mlindex.campaigns.space.space import Space

Key = tuple[str, int]


class Register:
    """What results may belong to; it grows as results are read."""

    def __init__(self, space: Space, known: Mapping[Key, Experiment]):
        self.space = space
        self._known: dict[Key, Experiment] = {}
        self._of: dict[str, list[Key]] = {}
        self._at: dict[bytes, list[Key]] = {}
        for one in known.values():
            self.put(one)
        planned = [(key, one.planned) for key, one in known.items() if one.planned is not None]
        self._planned = [key for key, _ in planned]
        self._codes = np.array([space.codes(values) for _, values in planned])
        self._open = np.array([known[key].status in OPEN for key in self._planned], dtype=bool)
        self._place = {key: n for n, key in enumerate(self._planned)}

    def put(self, one: Experiment) -> None:
        """Add a measurement, or take it for the one of its name and number."""
        if one.key not in self._known:
            self._of.setdefault(one.id, []).append(one.key)
        self._known[one.key] = one
        there = self._at.setdefault(self._key(one.values), [])
        if one.key not in there:
            there.append(one.key)

    def taken(self, key: Key) -> None:
        """Say that a planned measurement has its result."""
        if key in self._place:
            self._open[self._place[key]] = False

    def get(self, key: Key) -> Experiment | None:
        """A measurement by name and number."""
        return self._known.get(key)

    def __contains__(self, name: str) -> bool:
        return name in self._of

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all experiments."""
        return tuple(self._of)

    def of(self, name: str) -> list[Key]:
        """The measurements of an experiment, the first first."""
        return sorted(self._of.get(name, []))

    def at(self, values: Mapping[str, Value]) -> list[Key]:
        """The measurements at just these values."""
        return self._at.get(self._key(values), [])

    def planned_at(self, values: Mapping[str, Value]) -> Key | None:
        """The measurement that is planned at just these values and has no result yet."""
        key, apart = self._nearest(values)
        return key if apart == 0 else None

    def planned_near(self, values: Mapping[str, Value]) -> Key | None:
        """The measurement planned nearest to values, within the tolerance, without a result yet."""
        key, apart = self._nearest(values)
        return key if apart <= self.space.document.tolerance else None

    def _nearest(self, values: Mapping[str, Value]) -> tuple[Key | None, float]:
        waiting = np.flatnonzero(self._open)
        if not len(waiting):
            return None, np.inf
        codes, rows = self.space.codes(values), self._codes[waiting]
        each = [axis.apart(codes[n], rows[:, n]) for n, axis in enumerate(self.space.axes)]
        apart = np.max(each, axis=0)
        nearest = int(np.argmin(apart))
        return self._planned[waiting[nearest]], float(apart[nearest])

    def _key(self, values: Mapping[str, Value]) -> bytes:
        return self.space.keys(self.space.codes(values)[None])[0]
