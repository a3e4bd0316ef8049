"""How far a batch is, for someone who waits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.summary import Summary


@contextmanager
def progress_shown() -> Iterator[Callable[[Sources, Summary], None]]:
    """A bar on standard error, where that is a terminal: what to call after each sample."""
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
