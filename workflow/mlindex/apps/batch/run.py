"""A batch from end to end: sources, workers, and the three tables that come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlindex import __version__
from mlindex.apps.batch.pool import Pool
from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.tables import BATCH_SAMPLES, CONVINCING, FAILED, NOT_CONVINCING
from mlindex.apps.batch.workers import fitting
from mlindex.base.errors import MlindexError, explained
from mlindex.base.schema import TableWriter
from mlindex.indexing.options import Options
from mlindex.indexing.tables import CANDIDATE_CELLS, PARTNER_LATTICES
from mlindex.reports.result.parquet import cell_rows, partner_rows

_SUFFIX = ".parquet"
#: Samples whose rows are written together; more would only be lost when the machine fails.
_BLOCK = 64
_TOLD = 5


@dataclass
class Summary:
    """Samples by verdict, the first few failures with their errors, and whether it ended early."""

    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False
    #: Why not all samples were done, other than that.
    ended: str = ""
    #: Why fewer workers were used than asked for.
    note: str = ""

    @property
    def total(self) -> int:
        """Samples done."""
        return sum(self.verdicts.values())

    def add(self, row: dict[str, Any]) -> None:
        """Count a row of ``batch_samples``."""
        self.verdicts[row["verdict"]] += 1
        if row["error"] is not None and len(self.failures) < _TOLD:
            # Readers name their file themselves.
            name = "" if row["error"].startswith(row["sample"]) else f"{row['sample']}: "
            self.failures.append(name + row["error"])


def samples_path(out: Path) -> Path:
    """Where the table of samples lies beside that of candidates."""
    return out.with_suffix(f".samples{_SUFFIX}")


def partners_path(out: Path) -> Path:
    """Where the table of partners of the candidates lies."""
    return out.with_suffix(f".partners{_SUFFIX}")


def run_batch(
    given: Sequence[str],
    out: Path,
    options: Options,
    workers: int,
    progress: Callable[[Sources, Summary], None] = lambda _sources, _summary: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Summary:
    """Index many samples; the results do not depend on the number of workers.

    Args:
        given: files, folders (with what is below them), patterns of names such as ``*.xye``,
            tables of peak lists (:mod:`mlindex.apps.batch.table`).
        out: table of candidates; beside it lie that of samples (:func:`samples_path`) and that of
            the lattices with the same lines (:func:`partners_path`).
        options: of indexing, for each sample.
        workers: processes, at most: never more than samples, cores or free memory allow.
        progress: called at the start and after each sample.
        stopped: asked often; when it says True, what is finished is kept and written.

    Raises:
        MlindexError: nothing to index, wrong options, or no place to write to.
    """
    if out.suffix != _SUFFIX:
        raise MlindexError(f"{out}: the results are a Parquet table; end its name in {_SUFFIX}")
    places = (out, samples_path(out), partners_path(out))
    sources = Sources.of(given, options.wavelength_A is not None, places)
    # How many worked is no part of where results come from: it does not change them.
    provenance = {"mlindex_version": __version__, "options": asdict(options)}
    try:
        with (
            TableWriter(places[0], CANDIDATE_CELLS, provenance) as cells,
            TableWriter(places[1], BATCH_SAMPLES, provenance) as samples,
            TableWriter(places[2], PARTNER_LATTICES, provenance) as partners,
        ):
            tables = _Tables(samples, cells, partners)
            return _indexed(sources, options, workers, tables, progress, stopped)
    except OSError as error:
        raise MlindexError(f"{out}: can't be written: {explained(error)}") from error


class _Tables:
    """The three tables, written a block at a time."""

    def __init__(self, samples: TableWriter, cells: TableWriter, partners: TableWriter) -> None:
        self._writers = (samples, cells, partners)
        self._rows: tuple[list[dict[str, Any]], ...] = ([], [], [])

    def add(self, row: dict[str, Any], answer: dict[str, Any]) -> None:
        """Add a row of ``batch_samples`` and what the answer says of candidates."""
        samples, cells, partners = self._rows
        samples.append(row)
        if "candidates" in answer:
            cells += cell_rows(answer)
            partners += partner_rows(answer)
        if len(samples) == _BLOCK:
            self.write()

    def write(self) -> None:
        """Write what is waiting."""
        for writer, rows in zip(self._writers, self._rows, strict=True):
            if rows:
                writer.write(rows)
            rows.clear()


def _indexed(
    sources: Sources,
    options: Options,
    workers: int,
    tables: _Tables,
    progress: Callable[[Sources, Summary], None],
    stopped: Callable[[], bool],
) -> Summary:
    used, note = fitting(workers, sources.count(workers))
    summary = Summary(note=note)
    progress(sources, summary)
    with Pool(used, options, stopped) as pool:
        try:
            for answer in pool.answers(sources.tasks()):
                row = _row(answer)
                tables.add(row, answer)
                summary.add(row)
                progress(sources, summary)
        except MlindexError as error:
            # Hours of work may be in the tables.
            summary.ended = str(error)
    tables.write()
    summary.interrupted = stopped()
    return summary


def _row(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        nothing = dict.fromkeys(BATCH_SAMPLES.names)
        failed = {"verdict": FAILED, "reason": "", "candidates": 0, "notes": []}
        return nothing | failed | answer
    verdict = CONVINCING if answer["convincing"] else NOT_CONVINCING
    found = answer | {"verdict": verdict, "error": None, "candidates": len(answer["candidates"])}
    return {name: found[name] for name in BATCH_SAMPLES.names}
