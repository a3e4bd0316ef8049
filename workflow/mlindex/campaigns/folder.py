"""The folder of a campaign: what happened, one file each, and the tables that follow from it.

``space.yaml`` and the tables that it names; ``journal/0001.json`` and on, each a round that was
proposed or results that were given, never changed again; ``experiments`` and ``proposals`` as CSV
and Parquet, written anew from the journal. A file is there whole or not at all, so that a folder is
whole whenever a program is killed; two people who write at once don't overwrite each other.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from mlindex.base.atomic import atomic_path, filled_folder
from mlindex.base.errors import MlindexError, explained
from mlindex.base.provenance import file_digest
from mlindex.base.schema import Table, read_provenance, write_table
from mlindex.campaigns.experiments import ROUND, TOLD, Event
from mlindex.campaigns.space.settings import Categorical, SpaceFile

SPACE, JOURNAL, EXPERIMENTS, PROPOSALS = "space.yaml", "journal", "experiments", "proposals"
_SUFFIX = ".json"
#: How what spreadsheets run begins, and columns in which people may write anything.
FORMULA = ("=", "+", "@")
_SAID = ("note", "said_by")


@dataclass(frozen=True)
class Folder:
    """A folder that holds a campaign."""

    path: Path

    @classmethod
    def new(cls, path: Path, space_yaml: Path, document: SpaceFile) -> Folder:
        """A folder with a space and the tables that it names, and nothing done yet.

        Raises:
            MlindexError: there is something in it, or it can't be made.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise MlindexError(
                f"{path}: is there already and not empty; name a new folder, or go on with "
                f"'mlindex campaign propose {path}'"
            )
        try:
            with filled_folder(path) as inside:
                (inside / JOURNAL).mkdir()
                shutil.copyfile(space_yaml, inside / SPACE)
                for name in tables_of(document):
                    shutil.copyfile(space_yaml.parent / name, inside / name)
        except OSError as error:
            raise MlindexError(f"{path}: can't be made: {explained(error)}") from error
        return cls(path)

    @classmethod
    def at(cls, path: Path) -> Folder:
        """A folder that is there.

        Raises:
            MlindexError: it holds no campaign.
        """
        if not (path / SPACE).is_file() or not (path / JOURNAL).is_dir():
            raise MlindexError(
                f"{path}: holds no campaign; begin one with 'mlindex campaign new space.yaml "
                f"--out {path}'"
            )
        return cls(path)

    def events(self) -> list[Event]:
        """All that happened, in order.

        Raises:
            MlindexError: a file of the journal is damaged or missing.
        """
        found = []
        for number, file in enumerate(self._files(), 1):
            if file != self._file(number):
                raise MlindexError(f"{self._file(number)}: is missing; bring it back from a copy")
            try:
                plain = json.loads(file.read_text("utf-8"))
                kind, about, rows = plain["kind"], plain["about"], plain["rows"]
                if kind not in (ROUND, TOLD):
                    raise KeyError(kind)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise MlindexError(
                    f"{file}: is damaged ({type(error).__name__}); bring it back from a copy"
                ) from None
            found.append(Event(kind, about, tuple(rows)))
        return found

    def _files(self) -> list[Path]:
        return sorted(p for p in (self.path / JOURNAL).glob(f"*{_SUFFIX}") if p.name[0] != ".")

    def _file(self, number: int) -> Path:
        return self.path / JOURNAL / f"{number:04d}{_SUFFIX}"

    def add(self, event: Event, number: int) -> None:
        """Write what happened as the file of that number.

        Raises:
            MlindexError: someone else has written it in the meantime, or it can't be written.
        """
        about = json.dumps(dict(event.about), ensure_ascii=False)
        rows = ",\n".join(json.dumps(dict(row), ensure_ascii=False) for row in event.rows)
        text = f'{{"kind": "{event.kind}", "about": {about}, "rows": [\n{rows}\n]}}\n'
        file = self._file(number)
        with atomic_path(file.with_name(f".{file.name}.{os.getpid()}")) as temporary:
            temporary.write_text(text, "utf-8")
        whole = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            # A link, unlike a rename, takes the place of nothing.
            os.link(whole, file)
        except FileExistsError:
            raise MlindexError(
                f"{self.path}: someone else has changed this campaign just now; run it again"
            ) from None
        except OSError:
            # Some file systems have no links.
            whole.replace(file)
        finally:
            with suppress(OSError):
                whole.unlink()

    def write(self, name: str, table: Table, rows: Iterable[Mapping[str, Any]], count: int) -> None:
        """Write a table as Parquet and CSV; ``count`` is the number of events that it is after."""
        rows = list(rows)
        text = as_csv(table, rows).encode()
        with atomic_path(self.path / f"{name}.csv") as path:
            path.write_bytes(text)
        about = {"events": count, "csv": hashlib.sha256(text).hexdigest()}
        write_table(self.path / f"{name}.parquet", table, rows, about)

    def written_after(self, name: str) -> int:
        """Number of events that a table was written after; -1 where there is none."""
        return int(self._about(name).get("events", -1))

    def edited(self, name: str, text: str) -> bool:
        """Whether someone has changed the CSV file of a table, as who fills in results does; it is
        neither what was written last, nor what would be written now, ``text``."""
        path, written = self.path / f"{name}.csv", self._about(name).get("csv")
        own = (written, hashlib.sha256(text.encode()).hexdigest())
        return path.is_file() and file_digest(path) not in own

    def _about(self, name: str) -> dict[str, Any]:
        try:
            return read_provenance(self.path / f"{name}.parquet")
        except (OSError, ValueError):
            return {}


def as_csv(table: Table, rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV; numbers as short as they are precise."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.names)
    for row in rows:
        writer.writerow([_cell(row.get(name), name in _SAID) for name in table.names])
    return text.getvalue()


def _cell(value: Any, is_said: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value)
    return f"'{text}" if is_said and text.startswith(FORMULA) else text


def tables_of(document: SpaceFile) -> list[str]:
    """Names of the tables that a space needs.

    Raises:
        MlindexError: one doesn't lie beside space.yaml.
    """
    quantities = document.quantities.values()
    named = [q.descriptors for q in quantities if isinstance(q, Categorical) and q.descriptors]
    named += [*([document.candidates] if document.candidates else []), *document.past]
    for name in named:
        if Path(name).name != name:
            raise MlindexError(
                f"{name}: put it beside space.yaml and write its name alone, so that the folder of "
                "the campaign can hold a copy"
            )
    return list(dict.fromkeys(named))
