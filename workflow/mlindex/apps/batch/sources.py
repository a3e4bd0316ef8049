"""What a batch is to index: files, folders, patterns of names, tables of peak lists."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlindex.apps.batch import table
from mlindex.apps.batch.content import unexpected
from mlindex.apps.batch.found import files, is_named, is_pattern, special
from mlindex.apps.batch.passed import Kind, PassedOver
from mlindex.apps.batch.results import is_result, refused
from mlindex.apps.batch.task import Task
from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.files.opening import kind_of


@dataclass(frozen=True)
class Sources:
    """What was asked for, checked to be there; its samples are looked up as they are needed."""

    given: tuple[str, ...]
    wavelength_known: bool
    #: Files that are no input, whatever folder they lie in: where the results go.
    left_out: frozenset[str]
    #: What :meth:`tasks` met that is no sample.
    passed: PassedOver = field(default_factory=PassedOver, compare=False)

    @staticmethod
    def of(given: Sequence[str], wavelength_known: bool, left_out: Iterable[Path]) -> Sources:
        """Sources in the order given.

        Raises:
            MlindexError: something is not there, or there is no sample in all of it.
        """
        if not given:
            raise MlindexError("nothing to index was given: give files, folders or a table")
        sources = Sources(
            tuple(given), wavelength_known, frozenset(str(p.resolve()) for p in left_out)
        )
        empty = []
        for one in given:
            passed = PassedOver()
            if next(sources._files(one, passed), None) is None:
                empty.append(_nothing(one, passed))
                # A slip in a name ends it; results and pipes stand among names that a shell made.
                if not os.path.exists(one):
                    raise MlindexError(empty[-1])
        if len(empty) == len(given):
            raise MlindexError(empty[0])
        return sources

    def tasks(self) -> Iterator[Task]:
        """Every sample once, in order; one that was met before is left out, or reported if it was a
        part of a table.
        """
        for path, columns in self._inputs(self.passed):
            if columns is None:
                yield Task(shown(path), path=path)
            elif isinstance(columns, MlindexError):
                yield Task(shown(path), error=str(columns))
            else:
                yield from self._of_table(path, columns)

    def _of_table(self, path: str, columns: table.Columns) -> Iterator[Task]:
        seen: set[int] = set()
        for task in table.tasks(Path(path), columns):
            name = task.sample if self._single else f"{shown(path)}:{task.sample}"
            if not _new(name, seen):
                task = Task(name, error=f"{shown(path)}: its rows do not stand together; sort them")
            yield Task(name, None, task.lines, task.error)

    def count(self, most: int | None = None) -> int:
        """The number of samples, or ``most`` if there are more; only tables are opened."""
        total = 0
        for path, columns in self._inputs(PassedOver()):
            one = columns is None or isinstance(columns, MlindexError)
            total += 1 if one else table.count(Path(path), columns)
            if most is not None and total >= most:
                return most
        return total

    @property
    def _single(self) -> bool:
        return len(self.given) == 1 and os.path.isfile(self.given[0])

    def _inputs(
        self, passed: PassedOver
    ) -> Iterator[tuple[str, table.Columns | MlindexError | None]]:
        seen: set[int] = set()
        for one in self.given:
            empty = True
            for path in self._files(one, passed):
                empty = False
                if _new(_place(path), seen):
                    yield path, self._columns(path)
            if empty and os.path.isdir(one):
                passed.add(Kind.EMPTY, one)

    def _columns(self, path: str) -> table.Columns | MlindexError | None:
        try:
            return table.columns_of(Path(path), self.wavelength_known)
        except MlindexError as error:
            return error
        except Exception as error:
            # One file among thousands must not end the others.
            return MlindexError(f"{shown(path)}: {unexpected(error)}")

    def _files(self, given: str, passed: PassedOver) -> Iterator[str]:
        named = is_named(given)

        def own(path: str) -> bool:
            if os.path.realpath(path) in self.left_out:
                return True
            return refused(path) is not None if named else is_result(path)

        return files(given, own, passed)


def _place(path: str) -> str:
    """A file by the folder in which it lies, which has several names, such as ``./scans``.

    A link to a file stays what it is: it may be a sample of its own.
    """
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _nothing(given: str, passed: PassedOver) -> str:
    """Why there is no sample in a source, and what to give instead."""
    name, lines = shown(given), "; ".join(passed.lines())
    over = f"; passed over: {lines}" if lines else ""
    if os.path.isdir(given):
        return f"{name}: holds nothing to index{over}; 'mlindex formats' lists what can be read"
    if is_pattern(given):
        return (
            f"{name}: matches nothing to index{over}"
            if lines
            else f"{name}: no file has such a name"
        )
    if os.path.islink(given) and not os.path.exists(given):
        where = "in a circle" if special(given) is Kind.CIRCLE else "to a file that is not there"
        return f"{name}: is a link that leads {where}; give the file itself"
    if not os.path.exists(given):
        return f"{name}: there is no such file or folder"
    if special(given) is Kind.SPECIAL:
        return (
            f"{name}: is {kind_of(given)}; a batch takes files only: save what comes from it "
            "as a file, or pipe it to 'mlindex index -'"
        )
    what = refused(given) or "is where the results are to be written; give another --out"
    return f"{name}: {what}"


def _new(name: str, seen: set[int]) -> bool:
    # Numbers instead of names: a million of them are to take little room.
    key = hash(name)
    if key in seen:
        return False
    seen.add(key)
    return True
