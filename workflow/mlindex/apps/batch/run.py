"""A batch from end to end: sources, workers, and the three tables that come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from mlindex import __version__
from mlindex.apps.batch.pool import Pool
from mlindex.apps.batch.results import SUFFIX, require_own, require_table_name
from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.workers import fitting
from mlindex.apps.batch.writing import TABLES, Tables
from mlindex.apps.known import phases_read
from mlindex.base.errors import MlindexError, explained
from mlindex.base.names import shown
from mlindex.base.schema import TableWriter
from mlindex.indexing.options import Options


def samples_path(out: Path) -> Path:
    """Where the table of samples lies beside that of candidates."""
    return out.with_suffix(f".samples{SUFFIX}")


def partners_path(out: Path) -> Path:
    """Where the table of partners of the candidates lies."""
    return out.with_suffix(f".partners{SUFFIX}")


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
        KeyboardInterrupt: it was stopped before any sample was finished; tables of an earlier batch
            stay.
    """
    require_table_name(out)
    # What is wrong with a phase is wrong for every sample.
    phases_read(options)
    places = (out, samples_path(out), partners_path(out))
    for place in places:
        require_own(place)
    sources = Sources.of(given, options.wavelength_A is not None, places)
    # How many worked is no part of where results come from: it does not change them.
    provenance = {"mlindex_version": __version__, "options": asdict(options)}
    try:
        with ExitStack() as open_tables:
            writers = tuple(
                open_tables.enter_context(TableWriter(place, table, provenance))
                for place, table in zip(places, TABLES, strict=True)
            )
            return _indexed(sources, options, workers, writers, progress, stopped)
    except OSError as error:
        reason = explained(error, named=False)
        raise MlindexError(f"{shown(out)}: can't be written: {reason}") from error


def _indexed(
    sources: Sources,
    options: Options,
    workers: int,
    writers: tuple[TableWriter, ...],
    progress: Callable[[Sources, Summary], None],
    stopped: Callable[[], bool],
) -> Summary:
    used, note = fitting(workers, sources.count(workers))
    summary = Summary(note=note)
    tables = Tables(writers, summary)
    progress(sources, summary)
    with Pool(used, options, stopped) as pool:
        try:
            for answer in pool.answers(sources.tasks()):
                tables.add(answer)
                progress(sources, summary)
        except MlindexError as error:
            # Hours of work may be in the tables.
            summary.ended = str(error)
    summary.interrupted = stopped()
    if summary.interrupted and not summary.total:
        raise KeyboardInterrupt
    tables.write()
    summary.passed = sources.passed.lines()
    return summary
