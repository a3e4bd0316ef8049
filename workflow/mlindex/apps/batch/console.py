"""A batch as someone sees it who waits for it: progress, what failed, what was written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlindex.apps.batch.run import partners_path, run_batch, samples_path
from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.tables import CONVINCING, FAILED, NOT_CONVINCING
from mlindex.apps.signals import interruptible, tidily
from mlindex.base.cores import cores
from mlindex.base.names import printable, shown
from mlindex.indexing.options import Options

#: Characters of a failure that are shown; the table has all of it.
_LONGEST = 300


def run(given: Sequence[str], out: Path, options: Options, workers: int | None) -> Summary:
    """Run a batch and tell of it on standard error; Ctrl-C (or a scheduler) ends it early."""
    with interruptible(tidily) as stopped, _progress() as progress:
        summary = run_batch(given, out, options, workers or cores(), progress, stopped)
    print(report(summary, out), file=sys.stderr)
    return summary


def report(summary: Summary, out: Path) -> str:
    """The summary as text."""
    counts = summary.verdicts
    lines = [summary.note] if summary.note else []
    lines += [f"not indexed: {_short(failure)}" for failure in summary.failures]
    if counts[FAILED] > len(summary.failures):
        lines.append(f"and {counts[FAILED] - len(summary.failures)} more were not indexed")
    if summary.passed:
        lines += ["passed over:", *(f"  {phrase}" for phrase in summary.passed)]
    head = "interrupted; finished" if summary.interrupted else "finished"
    head = f"{summary.ended}; finished until then" if summary.ended else head
    lines.append(
        f"{head}: {summary.total} samples, {counts[CONVINCING]} with a convincing cell, "
        f"{counts[NOT_CONVINCING]} without, {counts[FAILED]} not indexed"
    )
    places = (out, samples_path(out), partners_path(out))
    lines.append(f"written: {', '.join(map(shown, places))}")
    return "\n".join(printable(line) for line in lines)


def _short(failure: str) -> str:
    """A failure in a line or two; the table of samples has all of it."""
    return failure if len(failure) <= _LONGEST else f"{failure[:_LONGEST].rsplit(' ', 1)[0]} ..."


@contextmanager
def _progress() -> Iterator[Callable[[Sources, Summary], None]]:
    if not sys.stderr.isatty():
        yield lambda sources, summary: None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(compact=True),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as bar:
        shown: list[rich.TaskID] = []

        def update(sources: Sources, summary: Summary) -> None:
            if not shown:
                shown.append(bar.add_task("", total=sources.count(), rate=""))
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            rate = f"{speed:.2f}/s" if speed else ""
            bar.update(shown[0], completed=summary.total, rate=rate)

        yield update
