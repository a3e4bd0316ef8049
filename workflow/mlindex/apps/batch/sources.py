"""What a batch is to index: files, folders, patterns of names, tables of peak lists."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlindex.apps.batch import table
from mlindex.apps.batch.results import is_result
from mlindex.apps.batch.task import Task
from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.files import supported

_MAGIC = "*?["


@dataclass(frozen=True)
class Sources:
    """What was asked for, checked to be there; its samples are looked up as they are needed."""

    given: tuple[str, ...]
    wavelength_known: bool
    #: Files that are no input, whatever folder they lie in: the results.
    left_out: frozenset[str]

    @staticmethod
    def of(given: Sequence[str], wavelength_known: bool, left_out: Iterable[Path]) -> Sources:
        """Sources in the order given.

        Raises:
            MlindexError: something is not there, or has nothing in it that can be read.
        """
        sources = Sources(
            tuple(given), wavelength_known, frozenset(str(p.resolve()) for p in left_out)
        )
        for one in given:
            if next(sources._files(one), None) is None:
                raise MlindexError(_nothing(one))
        if not given:
            raise MlindexError("nothing to index was given: give files, folders or a table")
        return sources

    def tasks(self) -> Iterator[Task]:
        """Every sample once, in order; one that was met before is left out, or told if it was a
        part of a table.
        """
        seen: set[int] = set()
        for path, columns in self._inputs():
            if columns is None:
                if _new(path, seen):
                    yield Task(shown(path), path=path)
                continue
            if isinstance(columns, MlindexError):
                yield Task(shown(path), error=str(columns))
                continue
            for task in table.tasks(Path(path), columns):
                name = task.sample if self._single else f"{shown(path)}:{task.sample}"
                if not _new(name, seen):
                    task = Task(name, error=f"{path}: its rows do not stand together; sort them")
                yield Task(name, None, task.lines, task.error)

    def count(self, most: int | None = None) -> int:
        """The number of samples, or ``most`` if there are more; only tables are opened."""
        total = 0
        for path, columns in self._inputs():
            one = columns is None or isinstance(columns, MlindexError)
            total += 1 if one else table.count(Path(path), columns)
            if most is not None and total >= most:
                return most
        return total

    @property
    def _single(self) -> bool:
        return len(self.given) == 1 and os.path.isfile(self.given[0])

    def _inputs(self) -> Iterator[tuple[str, table.Columns | MlindexError | None]]:
        for one in self.given:
            for path in self._files(one):
                try:
                    yield path, table.columns_of(Path(path), self.wavelength_known)
                except MlindexError as error:
                    yield path, error

    def _files(self, given: str) -> Iterator[str]:
        if os.path.isdir(given):
            found: Iterable[str] = _below(given)
        elif os.path.exists(given) or not any(c in given for c in _MAGIC):
            found = [given] if os.path.isfile(given) else []
        else:
            matches = sorted(glob.iglob(given, recursive=True))
            found = (path for path in matches if os.path.isfile(path))
        return (path for path in found if not self._is_result(path))

    def _is_result(self, path: str) -> bool:
        return os.path.realpath(path) in self.left_out or is_result(path)


def _below(folder: str) -> Iterator[str]:
    """Files in a folder and below it, in order, that by their suffix can be read."""
    suffixes = {suffix for known, _ in supported() for suffix in known}
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            whole = os.path.join(path, name)
            known = os.path.splitext(name)[1].lower() in suffixes
            # A FIFO or a device would be waited for without end.
            if known and not name.startswith(".") and os.path.isfile(whole):
                yield whole


def _nothing(given: str) -> str:
    if os.path.isdir(given):
        return f"{given}: no file in this folder has a suffix that is known; see 'mlindex formats'"
    if any(c in given for c in _MAGIC):
        return f"{given}: no file has such a name"
    return f"{given}: there is no such file or folder"


def _new(name: str, seen: set[int]) -> bool:
    # Numbers instead of names: a million of them are to take little room.
    key = hash(name)
    if key in seen:
        return False
    seen.add(key)
    return True
