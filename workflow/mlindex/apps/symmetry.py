"""What ``mlindex symmetry`` does: read, look for peaks, ask the classifier, show or write."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from mlindex import __version__
from mlindex.apps.batch.content import content_of, unexpected
from mlindex.apps.batch.found import is_pattern
from mlindex.apps.batch.progress import progress_shown
from mlindex.apps.batch.results import require_own, require_table_name
from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.table import columns_of
from mlindex.apps.batch.tables import FAILED
from mlindex.apps.batch.task import Task
from mlindex.apps.codes import BAD_USE, FOUND, INTERRUPTED, NONE_FOUND
from mlindex.apps.printing import on_stdout
from mlindex.apps.signals import interruptible, tidily
from mlindex.base.errors import MlindexError, explained
from mlindex.base.names import printable, shown
from mlindex.base.schema import TableWriter
from mlindex.classification.answer import Answer
from mlindex.classification.asking import classifier_at, symmetry
from mlindex.classification.classifier import SymmetryClassifier
from mlindex.classification.tables import SYMMETRY_ANSWERS
from mlindex.crystal.wavelengths import Given
from mlindex.indexing.compiling import announced
from mlindex.reports.symmetry.data import answer_rows, as_data, error_row
from mlindex.reports.symmetry.terminal import line, show

#: Standard input, as people name it and as the system does.
STDIN, _STDIN_PATH = "-", "/dev/stdin"
_NOTICE = "mlindex: compiling once: about a minute"
#: Verdicts on a sample, beside :data:`mlindex.apps.batch.tables.FAILED`.
_STANDS_OUT, _NOTHING = "stands out", "nothing stands out"


@dataclass(frozen=True)
class Asked:
    """What is asked of each sample: wavelength in A or a tube, seconds for the peak search, the
    classifier, classes of each level to show, and whether as JSON."""

    wavelength: Given
    time_limit_s: float
    classifier: SymmetryClassifier
    rows: int
    as_json: bool


def run(
    given: Sequence[str],
    wavelength: Given,
    time_limit_s: float,
    model: Path | None,
    rows: int,
    as_json: bool,
    out: Path | None,
) -> int:
    """Classify one file, or many sources; the code to end with.

    Args:
        given: files, folders, patterns of names, tables of peak lists, or ``-``.
        wavelength: in A or a tube, where the files state none.
        time_limit_s: seconds for the peak search of each pattern.
        model: file or folder of a classifier; the shipped one if None.
        rows: classes of each level to show or write, at most.
        as_json: print JSON.
        out: table to write.

    Raises:
        MlindexError: wrong use, a single file that can't be read, no classifier.
        KeyboardInterrupt: it was stopped before any sample was done; no table is written then.
    """
    if out is not None:
        require_table_name(out)
        require_own(out)
    elif sys.stdout is None:
        raise MlindexError("standard output is closed; give a table for the result with --out")
    asked = Asked(wavelength, time_limit_s, classifier_at(model), rows, as_json)
    if out is None and _is_single(given, wavelength is not None):
        return _one(given[0], asked)
    sources = None if list(given) == [STDIN] else _sources(given, wavelength is not None, out)
    with interruptible(tidily) as stopped, progress_shown() as bar:
        summary = Summary()

        def progress() -> None:
            # Lines of results say themselves how far it is.
            if sources is not None and out is not None:
                bar(sources, summary)

        tasks = [_stdin()] if sources is None else sources.tasks()
        _many(tasks, asked, out, summary, progress, stopped)
    summary.passed = sources.passed.lines() if sources else []
    print(_report(summary, out), file=sys.stderr)
    return _code(summary)


def _is_single(given: Sequence[str], wavelength_known: bool) -> bool:
    """Whether one list or pattern was given, not a folder, pattern of names or table of lists."""
    if len(given) != 1:
        return False
    path = Path(given[0])
    if given[0] == STDIN:
        return True
    if path.is_dir() or is_pattern(given[0]):
        return False
    try:
        return not path.is_file() or columns_of(path, wavelength_known) is None
    except MlindexError:
        return False


def _sources(given: Sequence[str], wavelength_known: bool, out: Path | None) -> Sources:
    return Sources.of(given, wavelength_known, [] if out is None else [out])


def _stdin() -> Task:
    return Task(STDIN, path=_STDIN_PATH)


def _one(given: str, asked: Asked) -> int:
    """Classify one file and show its answer."""
    task = _stdin() if given == STDIN else Task(shown(given), path=given)
    with announced(_NOTICE) as compiled:
        answer = _answer(task, asked, compiled, lambda: False)
    if asked.as_json:
        on_stdout(lambda: print(json.dumps(as_data(answer, asked.rows), allow_nan=False)))
    else:
        on_stdout(lambda: show(answer, asked.rows, command=_next(given, asked.wavelength)))
    return FOUND if answer.above_chance else NONE_FOUND


def _next(given: str, wavelength: Given) -> str:
    """The command that searches for the cell of a file."""
    told = "" if wavelength is None else f" --wavelength {wavelength}"
    return f"mlindex index {shlex.quote(given)}{told}"


def _answer(task: Task, asked: Asked, compiled: list[str], stopped: Callable[[], bool]) -> Answer:
    """The answer for a sample.

    Raises:
        MlindexError: it can't be read, or has no lines.
    """
    content = content_of(task, asked.wavelength, asked.time_limit_s)
    known = len(compiled)

    def ask() -> Answer:
        return symmetry(content, asked.classifier, time_limit_s=asked.time_limit_s, stopped=stopped)

    try:
        answer = ask()
    except MlindexError:
        if len(compiled) == known or stopped():
            raise
        return ask()
    # Compiling took time from the peak search: it gets that time again.
    return answer if len(compiled) == known else ask()


def _many(
    tasks: Iterable[Task],
    asked: Asked,
    out: Path | None,
    summary: Summary,
    progress: Callable[[], None],
    stopped: Callable[[], bool],
) -> None:
    """Classify samples one after the other, and write or print what comes out.

    Raises:
        MlindexError: the table can't be written.
        KeyboardInterrupt: it was stopped before any sample was done.
    """
    provenance = {"mlindex_version": __version__, "rows": asked.rows}
    try:
        with ExitStack() as open_table:
            writer = None
            if out is not None:
                writer = open_table.enter_context(TableWriter(out, SYMMETRY_ANSWERS, provenance))
            for sample, answer in _answers(tasks, asked, stopped):
                _count(summary, sample, answer)
                if writer is not None:
                    writer.write(
                        answer_rows(answer, asked.rows)
                        if isinstance(answer, Answer)
                        else [error_row(sample, answer)]
                    )
                else:
                    _tell(sample, answer, asked)
                progress()
            summary.interrupted = stopped()
            if summary.interrupted and not summary.total:
                raise KeyboardInterrupt
    except OSError as error:
        where = "standard output" if out is None else shown(out)
        reason = explained(error, named=False)
        raise MlindexError(f"{where}: can't be written: {reason}") from error


def _answers(
    tasks: Iterable[Task], asked: Asked, stopped: Callable[[], bool]
) -> Iterator[tuple[str, Answer | str]]:
    """Each sample with its answer, or why there is none; the last one whole when stopped."""
    with announced(_NOTICE) as compiled:
        for task in tasks:
            if stopped():
                return
            try:
                answer = _answer(task, asked, compiled, stopped)
                found: Answer | str = replace(answer, name=task.sample)
            except MlindexError as error:
                found = str(error)
            except Exception as error:
                # One sample among thousands must not end the others.
                found = unexpected(error)
            if stopped():
                return
            yield task.sample, found


def _count(summary: Summary, sample: str, answer: Answer | str) -> None:
    if isinstance(answer, str):
        summary.add({"verdict": FAILED, "sample": sample, "error": answer})
    else:
        verdict = _STANDS_OUT if answer.above_chance else _NOTHING
        summary.add({"verdict": verdict, "sample": sample, "error": None})


def _tell(sample: str, answer: Answer | str, asked: Asked) -> None:
    """A sample in one line on standard output: JSON or words; failures are told at the end."""
    if isinstance(answer, Answer):
        text = (
            json.dumps(as_data(answer, asked.rows), allow_nan=False)
            if asked.as_json
            else line(answer)
        )
        on_stdout(lambda: print(text))
    elif asked.as_json:
        on_stdout(lambda: print(json.dumps({"sample": sample, "error": answer})))


def _report(summary: Summary, out: Path | None) -> str:
    """The summary as text."""
    counts = summary.verdicts
    lines = summary.told("read")
    head = "interrupted; finished" if summary.interrupted else "finished"
    lines.append(
        f"{head}: {summary.total} samples, {counts[_STANDS_OUT]} with a class that stands out, "
        f"{counts[_NOTHING]} without, {counts[FAILED]} not read"
    )
    if counts[_NOTHING]:
        lines.append("where no class stands out, 'mlindex index' may find the cell all the same")
    lines += [] if out is None else [f"written: {shown(out)}"]
    return "\n".join(printable(text) for text in lines)


def _code(summary: Summary) -> int:
    """The code to end with."""
    if summary.interrupted:
        return INTERRUPTED
    if summary.failed:
        return BAD_USE
    return FOUND if summary.verdicts[_STANDS_OUT] else NONE_FOUND
