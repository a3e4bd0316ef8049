"""What was met among the sources of a batch and is no sample: counted by kind, a few named."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from mlindex.base.names import shown

_NAMED = 3


class Kind(Enum):
    """Why something is no sample: of one, of several, in the order in which they are reported."""

    RESULT = "result of mlindex", "results of mlindex"
    SPECIAL = "pipe, socket or device", "pipes, sockets or devices"
    CLOSED = "folder that can't be opened", "folders that can't be opened"
    EMPTY = "folder that holds no sample", "folders that hold no sample"
    CIRCLE = "link that leads in a circle", "links that lead in a circle"
    BROKEN = "link to nothing", "links to nothing"
    FOLDER_LINK = "link to a folder (give the folder)", "links to folders (give the folders)"
    OTHER = (
        "file of another kind (see 'mlindex formats')",
        "files of other kinds (see 'mlindex formats')",
    )
    HIDDEN = "hidden name", "hidden names"


class PassedOver:
    """Counts by kind, and the first names of each."""

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()
        self._names: dict[Kind, list[str]] = {}
        self._seen: set[int] = set()

    def add(self, kind: Kind, path: str) -> None:
        """Count something, once however often it is met."""
        key = hash(path)
        if key in self._seen:
            return
        self._seen.add(key)
        self._counts[kind] += 1
        names = self._names.setdefault(kind, [])
        if len(names) < _NAMED:
            names.append(shown(path))

    def lines(self) -> list[str]:
        """A phrase for each kind that was met."""
        return [self._phrase(kind) for kind in Kind if self._counts[kind]]

    def _phrase(self, kind: Kind) -> str:
        count, names = self._counts[kind], self._names[kind]
        more = ", ..." if count > len(names) else ""
        return f"{count} {kind.value[count > 1]}: {', '.join(names)}{more}"
