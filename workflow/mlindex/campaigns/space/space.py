"""The space of a campaign: rows of codes, a column an axis; lazy, whatever its size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.campaigns.reading import Rows, read_rows
from mlindex.campaigns.space.allowed import Ban, Bound, Sum
from mlindex.campaigns.space.axes import Axis, Names, Number, significant
from mlindex.campaigns.space.described import described
from mlindex.campaigns.space.document import checked, read_document
from mlindex.campaigns.space.settings import Categorical, Continuous, Discrete, Linear, SpaceFile
from mlindex.campaigns.spelling import meant
from mlindex.campaigns.tables import EXPERIMENTS, expectation_names

Value = str | float
#: Columns of the table of experiments, which a quantity or an objective can't have as its name.
RESERVED = frozenset(column.name for column in EXPERIMENTS.columns)
#: Digits in which two settings must differ.
_KEY_DIGITS = 10
#: Spaces up to this many combinations are listed, larger ones sampled.
LISTED = 20_000
#: Rows that are drawn before a space is said to hold nothing, and how many at a time.
_MOST_DRAWS, _DRAWS = 400_000, 20_000


@dataclass(frozen=True)
class Space:
    """What a campaign may do. Rows of codes are (n, axes); :mod:`.axes` says what codes are."""

    document: SpaceFile
    axes: tuple[Axis, ...]
    sums: tuple[Sum, ...]
    rules: tuple[Bound | Ban, ...]
    listed: np.ndarray | None
    folder: Path

    @classmethod
    def read(cls, path: str | Path) -> Space:
        """The space that a space.yaml describes.

        Raises:
            MlindexError: a line for each thing that is wrong in it, or in a table that it names.
        """
        path = Path(path)
        return cls.of(read_document(path), path.parent, str(path))

    @classmethod
    def from_dict(cls, given: Mapping[str, object], folder: str | Path = ".") -> Space:
        """The space of what a space.yaml would say; tables lie in the folder.

        Raises:
            MlindexError: a line for each thing that is wrong in it.
        """
        return cls.of(checked(given, "the space"), Path(folder), "the space")

    @classmethod
    def of(cls, document: SpaceFile, folder: Path, where: str) -> Space:
        """The space of a checked document.

        Raises:
            MlindexError: quantities, constraints or tables that don't go together.
        """
        problems = _names_wrong(document)
        axes: dict[str, Axis] = {}
        for name, given in document.quantities.items():
            try:
                axes[name] = _axis(name, given, folder)
            except ValueError as problem:
                problems.append(f"quantities.{name}: {problem}")
        if problems:
            raise _wrong(where, problems)
        places = {name: n for n, name in enumerate(axes)}
        steps = {name: getattr(q, "step", None) for name, q in document.quantities.items()}
        sums, rules = [], []
        for n, one in enumerate(document.mixtures):
            try:
                sums.append(Sum.of(one, axes, places, steps))
            except ValueError as problem:
                problems.append(f"mixtures.{n}: {problem}")
        for n, one in enumerate(document.constraints):
            kind = Bound if isinstance(one, Linear) else Ban
            try:
                rules.append(kind.of(one, axes, places))
            except ValueError as problem:
                problems.append(f"constraints.{n}: {problem}")
        if problems:
            raise _wrong(where, problems)
        space = cls(document, tuple(axes.values()), tuple(sums), tuple(rules), None, folder)
        if document.candidates is not None:
            listed = _candidates(space, read_rows(folder / document.candidates))
            space = cls(document, space.axes, space.sums, space.rules, listed, folder)
        space.require_some(where)
        return space

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities, in order."""
        return tuple(axis.name for axis in self.axes)

    @cached_property
    def size(self) -> float:
        """Combinations, constraints aside; infinite where they can't be counted."""
        if self.listed is not None:
            return len(self.listed)
        return math.prod(axis.count for axis in self.axes)

    @cached_property
    def groups(self) -> np.ndarray:
        """For each column of features the group that it belongs to, (d,)."""
        kinds = [(axis.name, kind) for axis in self.axes for kind in axis.kinds]
        number = {kind: n for n, kind in enumerate(dict.fromkeys(kinds))}
        return np.array([number[kind] for kind in kinds])

    @property
    def group_names(self) -> tuple[str, ...]:
        """What each group is called."""
        kinds = dict.fromkeys((axis.name, kind) for axis in self.axes for kind in axis.kinds)
        return tuple(kind if kind.startswith(name) else f"{name}: {kind}" for name, kind in kinds)

    def codes(self, values: Mapping[str, Value]) -> np.ndarray:
        """The codes (axes,) of a value for each quantity.

        Raises:
            ValueError: a quantity without a value, or with one that it can't have.
        """
        found = []
        for axis in self.axes:
            if axis.name not in values:
                raise ValueError(f"{axis.name} has no value")
            try:
                found.append(axis.code(values[axis.name]))
            except ValueError as problem:
                raise ValueError(f"{axis.name}: {problem}") from None
        return np.array(found)

    def values(self, codes: np.ndarray) -> dict[str, Value]:
        """The value of each quantity, from codes (axes,)."""
        return {a.name: a.value(code) for a, code in zip(self.axes, codes, strict=True)}

    def features(self, codes: np.ndarray) -> np.ndarray:
        """Features (n, d) of rows of codes; within [0, 1] where these are within the bounds."""
        columns = [axis.features(codes[:, n]) for n, axis in enumerate(self.axes)]
        return np.hstack(columns) if len(codes) else np.empty((0, len(self.groups)))

    def keys(self, codes: np.ndarray) -> list[bytes]:
        """What tells rows apart: the same for rows that can't be set differently."""
        # Minus zero is zero.
        blob = (significant(codes, _KEY_DIGITS) + 0.0).tobytes()
        width = 8 * len(self.axes)
        return [blob[n : n + width] for n in range(0, len(blob), width)]

    def allowed(self, codes: np.ndarray) -> np.ndarray:
        """Which rows (n,) keep the bounds and all constraints."""
        kept = np.ones(len(codes), dtype=bool)
        for n, axis in enumerate(self.axes):
            kept &= axis.inside(codes[:, n])
        for rule in (*self.sums, *self.rules):
            kept &= rule.kept(codes)
        if self.listed is not None and kept.any():
            known = set(self.keys(self.listed))
            kept &= np.array([key in known for key in self.keys(codes)])
        return kept

    @cached_property
    def everything(self) -> np.ndarray | None:
        """All allowed rows, where there are few enough; None where there are not."""
        if self.listed is not None:
            return self.listed
        if self.size > LISTED:
            return None
        rows = np.array(list(product(*(axis.all_codes() for axis in self.axes))), dtype=float)
        return rows[self.allowed(rows)]

    def from_unit(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Rows (n, axes) from shares (n, axes) in [0, 1) of the way through each axis; mixtures add
        up, other constraints may be broken."""
        rows = np.column_stack([a.from_unit(shares[:, n]) for n, a in enumerate(self.axes)])
        for one in self.sums:
            # Weights that are exponentially distributed spread evenly over the simplex.
            rows[:, one.parts] = one.filled(-np.log1p(-shares[:, one.parts]), rng)
        return rows

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Allowed rows by chance, each once; fewer where few are found."""
        if self.listed is not None:
            return self.listed[rng.permutation(len(self.listed))[:count]]
        found: dict[bytes, np.ndarray] = {}
        for n in range(0, _MOST_DRAWS, _DRAWS):
            before = len(found)
            for row, key in self._drawn(min(_DRAWS, 4 * count + 200), rng):
                found.setdefault(key, row)
            exhausted = before == len(found) > 0
            if len(found) >= count or exhausted or (n and not found and self._inner is not None):
                break
        if len(found) < count and self._inner is not None:
            walked = self._inner.walk(self, count - len(found), rng)
            found |= dict(zip(self.keys(walked), walked, strict=True))
        rows = list(found.values())[:count]
        return np.array(rows) if rows else np.empty((0, len(self.axes)))

    def _drawn(self, count: int, rng: np.random.Generator) -> zip:
        rows = self.from_unit(rng.random((count, len(self.axes))), rng)
        rows = rows[self.allowed(rows)]
        return zip(rows, self.keys(rows), strict=True)

    @cached_property
    def _inner(self):
        from mlindex.campaigns.space.narrow import Narrow

        return Narrow.of(self)

    def neighbours(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each row one that differs in a quantity or two, where that is allowed."""
        rows = codes.copy()
        parts = {int(place): one for one in self.sums for place in one.parts}
        for _ in range(2):
            chosen = rng.integers(len(self.axes), size=len(rows))
            again = rng.random(len(rows)) < 0.5
            for n, axis in enumerate(self.axes):
                here = np.flatnonzero((chosen == n) & again)
                if n in parts and len(here):
                    at = np.ix_(here, parts[n].parts)
                    rows[at] = parts[n].moved(rows[at], rng)
                elif len(here):
                    rows[here, n] = axis.moved(rows[here, n], rng)
        return rows[self.allowed(rows)]

    def require_some(self, where: str) -> None:
        """Raise MlindexError where nothing is allowed, with the constraint at fault if one is."""
        everything = self.everything
        rng = np.random.default_rng(0)
        if len(everything) if everything is not None else len(self.sample(1, rng)):
            return
        guilty = [
            rule.text
            for rule in self.rules
            if len(self._without(rule).sample(1, np.random.default_rng(0)))
        ]
        which = f"; without '{guilty[0]}' something would be" if guilty else ""
        raise MlindexError(f"{where}: the constraints leave nothing to do{which}")

    def _without(self, rule: Bound | Ban) -> Space:
        rules = tuple(one for one in self.rules if one is not rule)
        return Space(self.document, self.axes, self.sums, rules, self.listed, self.folder)

    def text(self, values: Mapping[str, Value]) -> str:
        """A row as a person says it: what cocktails hold is told too."""
        parts = []
        for axis in self.axes:
            value = values[axis.name]
            shown = f"{value:g}" if isinstance(value, float) else value
            if isinstance(axis, Names) and axis.texts:
                shown += f" ({axis.texts[int(axis.code(value))]})"
            parts.append(f"{axis.name} {shown}{' ' + axis.unit if axis.unit else ''}")
        return ", ".join(parts)


def _axis(name: str, given: object, folder: Path) -> Axis:
    if isinstance(given, Continuous | Discrete):
        return Number.of(name, given)
    if isinstance(given, Categorical) and given.descriptors is not None:
        table = described(folder / given.descriptors, name)
        if given.values:
            table = table.of(given.values, str(folder / given.descriptors))
        given = given.model_copy(update={"values": table.names})
        return Names.of(name, given, table.values, table.kinds, table.texts)
    return Names.of(name, given)


def _names_wrong(document: SpaceFile) -> list[str]:
    """Names that stand for two things, are taken, or are of no quantity."""
    problems = []
    names = [*document.quantities, *document.objectives]
    expected = {one for both in expectation_names(document.objectives).values() for one in both}
    taken = RESERVED | {one.casefold() for one in expected}
    folded: dict[str, str] = {}
    for name in names:
        if name.casefold() in taken or name.endswith("_planned") or name != name.strip():
            problems.append(
                f"{name!r} is a column of every table of experiments; name it otherwise"
            )
        elif name in folded.values():
            problems.append(f"{name!r} is the name of two things; name one otherwise")
        elif name.casefold() in folded:
            problems.append(
                f"{name!r} and {folded[name.casefold()]!r} are the same to spreadsheets"
            )
        folded.setdefault(name.casefold(), name)
    used: list[str] = []
    for n, one in enumerate(document.mixtures):
        problems += _unknown(f"mixtures.{n}.of", one.of, document)
        problems += [
            f"mixtures.{n}: {name!r} is in two mixtures" for name in one.of if name in used
        ]
        used += one.of
    for n, one in enumerate(document.constraints):
        inside = one.of if isinstance(one, Linear) else one.when
        problems += _unknown(f"constraints.{n}", tuple(inside), document)
    problems += _unknown("cost.of", tuple(document.cost.of), document)
    return problems + _scores_wrong(document)


def _scores_wrong(document: SpaceFile) -> list[str]:
    """Objectives whose scores are made from files, and which say what doesn't go with that."""
    problems = []
    for name, one in document.objectives.items():
        if one.score and (one.levels or one.direction == "minimize"):
            key = "levels" if one.levels else "direction: minimize"
            problems.append(f"objectives.{name}: {key} doesn't go with score: {one.score}")
        if not one.score and (one.wavelength_A is not None or one.known_phases):
            key = "known_phases" if one.known_phases else "wavelength_A"
            problems.append(f"objectives.{name}: {key} is for score: mlindex alone")
    return problems


def _unknown(where: str, names: tuple[str, ...], document: SpaceFile) -> list[str]:
    problems = []
    for name in names:
        if name not in document.quantities:
            close = meant(name, document.quantities)
            hint = f"did you mean {close!r}?" if close else "see quantities"
            problems.append(f"{where}: no quantity is named {name!r}; {hint}")
    return problems


def _wrong(where: str, problems: list[str]) -> MlindexError:
    return MlindexError(f"{where} is wrong:\n" + "\n".join(f"  {line}" for line in problems))


def _candidates(space: Space, rows: Rows) -> np.ndarray:
    """The rows of a table of candidates that the constraints allow, each once."""
    found: dict[bytes, np.ndarray] = {}
    for line, row in rows.rows:
        plain = {a.name: rows.number(row[a.name]) if isinstance(a, Number) and a.name in row
                 else row.get(a.name) for a in space.axes}  # fmt: skip
        try:
            codes = space.codes({name: cell for name, cell in plain.items() if cell is not None})
        except ValueError as problem:
            raise MlindexError(f"{rows.where(line)}: {problem}") from None
        found.setdefault(space.keys(codes[None])[0], codes)
    listed = np.array(list(found.values())) if found else np.empty((0, len(space.axes)))
    return listed[space.allowed(listed)] if len(listed) else listed
