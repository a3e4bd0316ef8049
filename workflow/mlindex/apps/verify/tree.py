"""The results as the checks see them: files, tables, digests, and the findings so far."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mlindex.apps.verify.findings import ERROR, Finding
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import file_digest
from mlindex.base.schema import Table, read_provenance, read_table

#: Files with a leading dot that belong where they are; every other is left over.
_KNOWN_DOTFILES = (".snakemake_timestamp", ".state.parquet")
AGAIN = "remove it and run snakemake again"


class Tree:
    """A folder of results and what has been found in it.

    Args:
        root: the folder; the workflow calls it ``results``.

    Raises:
        MlindexError: there is no such folder.
    """

    def __init__(self, root: Path):
        if not root.is_dir():
            raise MlindexError(
                f"{root}: no such folder; give the folder that the workflow writes its results to"
            )
        self.root = root
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.checked: Counter[str] = Counter()
        #: Files that a finding has reported as missing or broken: not reported twice.
        self.bad: set[Path] = set()
        self.files: list[Path] = []
        self.leftovers: list[Path] = []
        self._digests: dict[Path, str] = {}
        self._walk()
        self._known = frozenset(self.files)

    def _walk(self) -> None:
        for folder, folders, names in os.walk(self.root, followlinks=True):
            hidden = [name for name in folders if name.startswith(".")]
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted([*names, *hidden]):
                kept = not name.startswith(".") or name in _KNOWN_DOTFILES
                (self.files if kept else self.leftovers).append(Path(folder, name))

    def name(self, path: Path) -> str:
        """How findings call a file: its path below the folder that holds the results."""
        inside = path.is_relative_to(self.root)
        return f"results/{path.relative_to(self.root).as_posix()}" if inside else str(path)

    def add(self, path: Path, seen: str, advice: str = AGAIN, severity: str = ERROR) -> None:
        """A finding about a file."""
        self.findings.append(Finding(self.name(path), severity, seen, advice))

    def break_(self, path: Path, seen: str, advice: str = AGAIN) -> None:
        """A finding about a file that no other check is to look into."""
        self.bad.add(path)
        self.add(path, seen, advice)

    def names(self, kind: str) -> list[str]:
        """The lattice systems (or other names) for which ``{kind}/{name}.parquet`` is there."""
        return sorted(p.stem for p in (self.root / kind).glob("*.parquet") if p.name[0] != ".")

    def matching(self, pattern: str) -> list[Path]:
        """The files at places below the results that fit a pattern, in order."""
        places = sorted(self.root.glob(pattern))
        return [path for path in places if path in self._known]

    def path(self, name: str) -> Path:
        """A file below the results."""
        return self.root / name

    def has(self, *names: str) -> bool:
        """Whether all these files are there and sound."""
        return all(self.path(n).exists() and self.path(n) not in self.bad for n in names)

    def table(self, name: str, table: Table, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table that is there and sound (see :meth:`has`)."""
        return read_table(self.path(name), table, columns)

    def ids(self, name: str, table: Table) -> pd.Series:
        """The identifiers of a table's entries."""
        return self.table(name, table, ["entry_id"])["entry_id"]

    def provenance(self, path: Path) -> dict:
        """What the table says of its making."""
        return read_provenance(path)

    def digest(self, path: Path) -> str:
        """The digest of a file or folder, taken once."""
        if path not in self._digests:
            self._digests[path] = file_digest(path)
        return self._digests[path]


def some(values: Sequence[str] | pd.Series, count: int = 3) -> str:
    """The first few of many names."""
    names = sorted({str(v) for v in values})
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more
