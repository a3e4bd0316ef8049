"""Results as people give them, and which experiments they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.base.names import printable
from mlindex.campaigns.experiments import (
    EXCLUDED,
    FAILED,
    MEASURED,
    OPEN,
    PENDING,
    PROPOSED,
    Experiment,
)
from mlindex.campaigns.folder import FORMULA
from mlindex.campaigns.objectives import complete, level_of, score_of
from mlindex.campaigns.reading import Cell, Rows
from mlindex.campaigns.register import Key, Register
from mlindex.campaigns.space.axes import Number
from mlindex.campaigns.space.space import Space, Value
from mlindex.campaigns.spelling import meant
from mlindex.campaigns.tables import expectation_names

#: Words for what happened to an experiment.
_WORDS = {
    **dict.fromkeys(("measured", "done", "ok", "finished", "success"), MEASURED),
    **dict.fromkeys(("failed", "fail", "failure", "broken"), FAILED),
    **dict.fromkeys(("excluded", "exclude", "abandoned", "dropped", "cancelled"), EXCLUDED),
    **dict.fromkeys(("pending", "running", "started", "in progress"), PENDING),
}
#: Columns beside those of the space that say something; others of our own tables say nothing new.
_READ = ("id", "replicate", "status", "cost", "note")
_OURS = frozenset({"round", "expected", "error", "better", "why", "said_by", "said_at"})
#: Problems that are told at once.
_MOST_PROBLEMS = 10


class Telling:
    """Matches the rows of a table of results to experiments, one after the other."""

    def __init__(
        self, space: Space, known: Mapping[tuple[str, int], Experiment], rows: Rows, replaces: bool
    ):
        self.space, self.rows, self.replaces = space, rows, replaces
        self.objectives = space.document.objectives
        self.register = Register(space, known)
        self._used: set[Key] = set()
        # Number of the next experiment of someone's own.
        self._own = 1
        self.skipped = 0
        self.ignored = _ignored(space, rows)

    def told(self) -> list[dict[str, Any]]:
        """What is new, as fields of experiments.

        Raises:
            MlindexError: up to ten problems; nothing of the table counts then.
        """
        found, problems = [], []
        for line, row in self.rows.rows:
            try:
                new = self._row(row)
            except ValueError as problem:
                problems.append(f"line {line}: {printable(str(problem))}")
                continue
            if new is None:
                self.skipped += 1
            else:
                found.append(new)
        if problems:
            more = len(problems) - _MOST_PROBLEMS
            shown = problems[:_MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
            raise MlindexError(
                f"{self.rows.path}: nothing was taken, for\n"
                + "\n".join(f"  {text}" for text in shown)
            )
        return found

    def _row(self, row: Mapping[str, Cell]) -> dict[str, Any] | None:
        """A row as fields of an experiment; None where it says nothing new."""
        scores, status, values = self._scores(row), self._status(row), self._values(row)
        if not scores and status is None:
            return None
        if status is None:
            status = MEASURED if complete(scores, tuple(self.objectives)) else PENDING
        if status == MEASURED and not complete(scores, tuple(self.objectives)):
            missing = ", ".join(name for name in self.objectives if name not in scores)
            raise ValueError(f"is said to be measured, but has no {missing}")
        if status == FAILED and scores:
            raise ValueError(
                f"is said to have failed, but has {', '.join(scores)}; leave that empty, or take "
                "the status away if it is a result"
            )
        key, values = self._key(row, values, scores, status)
        one = self.register.get(key)
        if status == EXCLUDED and one is not None and not scores:
            scores = dict(one.scores)
        if one is not None and one.status == status and dict(one.scores) == scores:
            self._use(key)
            return None
        new = {
            "id": key[0],
            "replicate": key[1],
            "status": status,
            "values": values,
            "scores": {**(one.scores if one and one.status in OPEN else {}), **scores},
            "cost": self._cost(row),
            "note": str(row["note"]) if "note" in row else None,
        }
        if status == PENDING and complete(new["scores"], tuple(self.objectives)):
            # The last objective has come after the others.
            new["status"] = MEASURED
        self._keep(key, new)
        return new

    def _keep(self, key: Key, new: Mapping[str, Any]) -> None:
        """What later rows of the same table are compared with."""
        before = self.register.get(key)
        planned = before.planned if before is not None else None
        status, values = new["status"], new["values"]
        self.register.put(Experiment(*key, status, values, planned, scores=new["scores"]))
        self._use(key)

    def _use(self, key: Key) -> None:
        self._used.add(key)
        self.register.taken(key)

    def _scores(self, row: Mapping[str, Cell]) -> dict[str, float]:
        found = {}
        for name, given in self.objectives.items():
            if name in row:
                try:
                    found[name] = score_of(given, row[name], self.rows)
                except ValueError as problem:
                    raise ValueError(f"{name}: {problem}") from None
        return found

    def _status(self, row: Mapping[str, Cell]) -> str | None:
        word = str(row.get("status", PROPOSED)).strip().lower()
        if word == PROPOSED:
            return None
        if word not in _WORDS:
            raise ValueError(f"status {word!r}: say measured, failed, pending or excluded")
        return _WORDS[word]

    def _cost(self, row: Mapping[str, Cell]) -> float | None:
        if "cost" not in row:
            return None
        value = self.rows.number(row["cost"])
        if value < 0:
            raise ValueError("cost: is below 0")
        return value

    def _values(self, row: Mapping[str, Cell]) -> dict[str, Value]:
        """Values of quantities that the row gives, as they are written in the space."""
        found: dict[str, Value] = {}
        for axis in self.space.axes:
            if axis.name not in row:
                continue
            try:
                cell = row[axis.name]
                code = self.rows.number(cell) if isinstance(axis, Number) else axis.code(cell)
                # As measured, not as it could be set.
                found[axis.name] = float(code) if isinstance(axis, Number) else axis.value(code)
                if isinstance(axis, Number) and axis.logarithmic and code <= 0:
                    raise ValueError("must be above 0, for it is logarithmic")
            except ValueError as problem:
                raise ValueError(f"{axis.name}: {problem}") from None
        return found

    def _key(
        self, row: Mapping[str, Cell], values: dict[str, Value], scores: dict, status: str
    ) -> tuple[Key, dict[str, Value]]:
        """Which measurement a row belongs to, and all its values."""
        name = _text(row["id"]) if "id" in row else None
        number = self._replicate(row)
        if name is not None and name in self.register:
            key = self._of_id(name, number, scores, status)
            one = self.register.get(key) or self.register.get(self.register.of(name)[0])
            return key, {**one.values, **values}
        missing = [axis.name for axis in self.space.axes if axis.name not in values]
        if missing:
            raise ValueError(self._incomplete(name, values, missing))
        if name is None:
            return self._of_values(values, scores, status, number), values
        if name.startswith(FORMULA):
            raise ValueError(f"the name {name!r} would be a formula to spreadsheets; take another")
        planned = self.register.planned_at(values)
        if planned is not None:
            # A new name at what is planned under another: one of them is a slip.
            raise ValueError(
                f"no experiment is called {name!r}, but its values are those of {planned[0]}; did "
                "you mean that?"
            )
        return (name, number or 1), values

    def _replicate(self, row: Mapping[str, Cell]) -> int | None:
        if "replicate" not in row:
            return None
        value = self.rows.number(row["replicate"])
        if value != int(value) or not 1 <= value <= 10_000:
            raise ValueError(f"replicate: expected a whole number from 1 on, got {value:g}")
        return int(value)

    def _of_id(self, name: str, number: int | None, scores: dict, status: str) -> Key:
        """The measurement of a known experiment that a row is of."""
        known = {key: self.register.get(key) for key in self.register.of(name)}
        if number is not None:
            key = (name, number)
            if key in known and not self._may_take(known[key], scores, status):
                raise ValueError(self._twice(known[key]))
            return key
        unused = [key for key in known if key not in self._used]
        same = [key for key in unused if self._same(known[key], scores, status)]
        chosen = same or [key for key in unused if known[key].status in OPEN]
        if chosen:
            return chosen[0]
        only = next(iter(known)) if len(known) == 1 else None
        if only is not None and self._may_take(known[only], scores, status):
            return only
        raise ValueError(self._twice(list(known.values())[-1]))

    def _same(self, one: Experiment, scores: dict, status: str) -> bool:
        return one.status == status and (dict(one.scores) == scores or status == EXCLUDED)

    def _may_take(self, one: Experiment, scores: dict, status: str) -> bool:
        if one.key in self._used:
            return self._same(one, scores, status)
        if one.status in OPEN or status == EXCLUDED or self.replaces:
            return True
        return self._same(one, scores, status)

    def _twice(self, one: Experiment) -> str:
        if one.key in self._used:
            return (
                f"{one.id}: two results for one experiment in this table; number them in a column "
                "replicate if both are right"
            )
        scores = (f"{n} {level_of(self.objectives[n], s)}" for n, s in one.scores.items())
        had = ", ".join(scores) or one.status
        by = f" (by {one.said_by}, {one.said_at})" if one.said_by else ""
        return (
            f"{one.id}: has a result already, {had}{by}; --replace corrects it, a new number in a "
            "column replicate adds a further one"
        )

    def _incomplete(self, name: str | None, values: Mapping, missing: list[str]) -> str:
        if name is not None and not values:
            close = meant(name, self.register.names)
            hint = f"; did you mean {close}?" if close else ""
            return f"no experiment is called {name!r}{hint}"
        if name is not None:
            return f"{name!r} is new, but has no {', '.join(missing)}"
        return f"has no id, and no {', '.join(missing)}"

    def _of_values(
        self, values: dict[str, Value], scores: dict, status: str, number: int | None
    ) -> Key:
        """The planned measurement nearest to some values, one told before, or a new one."""
        same = self.register.at(values)
        for key in same:
            if key not in self._used and self._same(self.register.get(key), scores, status):
                return key
        planned = self.register.planned_near(values)
        if planned is not None:
            return planned
        if same:
            name = same[0][0]
            taken = {key[1] for key in self.register.of(name)}
            return name, number if number and number not in taken else max(taken) + 1
        return self._new_name(), number or 1

    def _new_name(self) -> str:
        while f"P{self._own:04d}" in self.register:
            self._own += 1
        return f"P{self._own:04d}"


def _text(cell: Cell) -> str:
    text = f"{cell:.12g}" if isinstance(cell, float) else str(cell)
    return printable(text.strip())[:80]


def _ignored(space: Space, rows: Rows) -> tuple[str, ...]:
    """Columns of a table that say nothing here.

    Raises:
        MlindexError: none of its columns is an objective or a status, so that it has no results.
    """
    document = space.document
    known = {*_READ, *document.objectives, *document.quantities}
    if not known & {"status", *document.objectives} & set(rows.names):
        wanted = ", ".join(document.objectives)
        close = [one for name in document.objectives if (one := meant(name, rows.names))]
        hint = f"; is it {close[0]!r}?" if close else f"; its columns are {', '.join(rows.names)}"
        raise MlindexError(f"{rows.path}: no column is named {wanted} or status{hint[:300]}")
    own = {f"{name}_planned" for name in document.quantities} | _OURS
    own.update(*expectation_names(document.objectives).values())
    return tuple(n for n in rows.names if n and n not in known | own)


def as_rows(given: Iterable[Mapping[str, Any]], where: str = "rows") -> Rows:
    """Rows of a table from dictionaries; None and NaN are no value."""
    rows = []
    names: dict[str, None] = {}
    for n, row in enumerate(given, 1):
        cells = {}
        for name, value in row.items():
            names[str(name)] = None
            # NaN of a frame is an empty cell.
            if value is not None and value == value and value != "":
                cells[str(name)] = value if isinstance(value, str) else _plain(value)
        rows.append((n, cells))
    return Rows(where, tuple(names), tuple(rows))


def _plain(value: Any) -> Cell:
    return float(value) if isinstance(value, int | float | np.number) else str(value)
