"""What every rule's script shares: inputs, settings, seed, log, progress, provenance, outputs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from mlindex.base.errors import MlindexError, explained
from mlindex.base.provenance import derive_seed, file_digest, package_versions
from mlindex.base.schema import Table, TableWriter, read_blocks, read_table, write_table
from mlindex.base.section import Section

S = TypeVar("S", bound=Section)
T = TypeVar("T")
_BEGUN = "begun; where nothing follows, the job was killed from outside, perhaps for lack of memory"
#: Entries that a stage which works block by block has in memory.
ROWS_PER_BLOCK = 1000


class _LogFile(logging.FileHandler):
    """A log that a full disk may cut short: what ends a job also goes to standard error."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, mode="w", encoding="utf-8")
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave it out."""


class Stage:
    """The running job of one rule, as a context: logs it and ends it with a clear message.

    The rule passes ``params.settings`` (the config sections that the stage uses, by name),
    ``params.seed`` (the derived seed) and ``params.code`` (the digest of its code).
    """

    def __init__(self, snakemake: Any):
        self.input = snakemake.input
        self.output = snakemake.output
        self.wildcards = snakemake.wildcards
        self.params = snakemake.params
        self.threads: int = snakemake.threads
        self.rule: str = snakemake.rule
        self.seed: int = snakemake.params.get("seed", 0)
        self.log = logging.getLogger(f"mlindex.{self.rule}")
        self._log_path = Path(snakemake.log[0])

    def __enter__(self) -> Stage:
        root = logging.getLogger("mlindex")
        root.setLevel(logging.INFO)
        try:
            root.addHandler(_LogFile(self._log_path))
        except OSError as error:
            sys.exit(f"{self.rule}: no log can be written: {explained(error)}")
        self.log.info(_BEGUN)
        # The number of BLAS threads changes the last bits of a product, --cores must not.
        threadpool_limits(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.log.info("done")
        elif isinstance(error, MlindexError | OSError | MemoryError):
            text = str(error) if isinstance(error, MlindexError) else explained(error)
            if not isinstance(error, MlindexError):
                self.log.info("where it was noticed", exc_info=(kind, error, trace))
            self.log.error("%s", text)
            sys.exit(f"{self.rule}: {text}")
        elif isinstance(error, Exception):
            self.log.error("failed", exc_info=(kind, error, trace))

    def settings(self, section: type[S]) -> S:
        """The config section of that class, as the rule passed it."""
        return section.model_validate(self.params.settings[section.key()])

    def rng(self, *names: str | int) -> np.random.Generator:
        """A random generator for this job; ``names`` distinguish several."""
        return np.random.Generator(np.random.PCG64(derive_seed(self.seed, *names)))

    def progress(
        self, items: Iterable[T], total: int | None = None, unit: str = "entry"
    ) -> Iterator[T]:
        """``items``, with a progress bar where standard error is a terminal."""
        return iter(tqdm(items, self.rule, total, unit=unit, disable=not sys.stderr.isatty()))

    def provenance(self) -> dict[str, Any]:
        """Settings, seed, code, package versions and digests of inputs of this job."""
        return {
            "rule": self.rule,
            "wildcards": dict(self.wildcards.items()),
            "settings": self.params.get("settings", {}),
            "seed": self.seed,
            "code": self.params.get("code", ""),
            "packages": package_versions(),
            "inputs": {_portable(path): file_digest(path) for path in sorted(set(self.input))},
        }

    def read(
        self,
        name: str,
        table: Table,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """The named input as a table; several files of it one after the other."""
        frames = [read_table(path, table, columns, where) for path in self._paths(name)]
        if not frames:
            return table.empty() if columns is None else table.empty()[list(columns)]
        return pd.concat(frames, ignore_index=True)

    def blocks(
        self,
        name: str,
        table: Table,
        columns: Sequence[str] | None = None,
        rows: int = ROWS_PER_BLOCK,
        where: Mapping[str, Any] | None = None,
    ) -> Iterator[pd.DataFrame]:
        """The named input in blocks of rows, for stages that need not see all of it at once."""
        for path in self._paths(name):
            yield from read_blocks(path, table, columns, rows, where)

    def read_only(
        self, name: str, table: Table, ids: Iterable[str], columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Like :meth:`read`, but only these entries; the others are never in memory together."""
        wanted = set(ids)
        frames = [
            block[block["entry_id"].isin(wanted)] for block in self.blocks(name, table, columns)
        ]
        if not frames:
            return table.empty() if columns is None else table.empty()[list(columns)]
        return pd.concat(frames, ignore_index=True)

    def _paths(self, name: str) -> list[str]:
        paths = getattr(self.input, name)
        return [paths] if isinstance(paths, str) else list(paths)

    def write(self, name: str, table: Table, data: Any) -> None:
        """Write the named output as a table with this job's provenance."""
        write_table(getattr(self.output, name), table, data, self.provenance())
        self.log.info("%s: %d rows of %s", getattr(self.output, name), len(data), table.name)

    @contextmanager
    def writer(self, name: str, table: Table) -> Iterator[TableWriter]:
        """A block-by-block writer of the named output, with this job's provenance."""
        with TableWriter(getattr(self.output, name), table, self.provenance()) as writer:
            yield writer
        self.log.info("%s: %d rows of %s", getattr(self.output, name), writer.rows, table.name)


def _portable(path: str) -> str:
    # Where the project lies on one machine is no part of where a result comes from.
    return Path(path).name if Path(path).is_absolute() else str(path)
