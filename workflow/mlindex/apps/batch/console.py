"""A batch as someone sees it who waits for it: progress, what failed, what was written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mlindex.apps.batch.progress import progress_shown
from mlindex.apps.batch.run import partners_path, run_batch, samples_path
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.tables import CONVINCING, FAILED, NOT_CONVINCING
from mlindex.apps.signals import interruptible, tidily
from mlindex.base.cores import cores
from mlindex.base.names import printable, shown
from mlindex.indexing.options import Options


def run(given: Sequence[str], out: Path, options: Options, workers: int | None) -> Summary:
    """Run a batch and tell of it on standard error; Ctrl-C (or a scheduler) ends it early."""
    with interruptible(tidily) as stopped, progress_shown() as progress:
        summary = run_batch(given, out, options, workers or cores(), progress, stopped)
    print(report(summary, out), file=sys.stderr)
    return summary


def report(summary: Summary, out: Path) -> str:
    """The summary as text."""
    counts = summary.verdicts
    lines = summary.told("indexed")
    head = "interrupted; finished" if summary.interrupted else "finished"
    head = f"{summary.ended}; finished until then" if summary.ended else head
    lines.append(
        f"{head}: {summary.total} samples, {counts[CONVINCING]} with a convincing cell, "
        f"{counts[NOT_CONVINCING]} without, {counts[FAILED]} not indexed"
    )
    places = (out, samples_path(out), partners_path(out))
    lines.append(f"written: {', '.join(map(shown, places))}")
    return "\n".join(printable(line) for line in lines)
