"""What ``mlindex index`` and the workflow's samples do: read, search, show, write."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlindex.apps import joined
from mlindex.apps.known import phases_read
from mlindex.apps.printing import on_stdout
from mlindex.apps.signals import at_once, handled, interruptible, tidily
from mlindex.base.errors import MlindexError, explained
from mlindex.files import read
from mlindex.indexing.compiling import announced
from mlindex.indexing.looks import index_list
from mlindex.indexing.options import Options
from mlindex.indexing.result import IndexingResult
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.wholepattern.compiling import warm_up
from mlindex.wholepattern.indexer import index_pattern

if TYPE_CHECKING:
    from mlindex.patterns.peaksearch import FoundPeaks

#: Candidates that result.txt shows, and its width in characters.
_ROWS_AS_TEXT, _WIDTH = 10, 80
#: Files of a result that may be there from an earlier one.
CELL, PEAKS = "best.cif", "peaks.txt"
PHASES = ("phase_2.cif", "phase_3.cif")


@dataclass(frozen=True)
class Done:
    """A result with the pattern and the peak search that its lines came from, if any."""

    result: IndexingResult
    pattern: MeasuredPattern | None
    found: FoundPeaks | None

    def with_symmetry(self) -> Done:
        """The same with its symmetry, where that helps."""
        return replace(self, result=joined.with_symmetry(self.result, self.pattern))

    def for_sample(self, name: str) -> Done:
        """The same under a sample's name, without the time it took: the same at each run."""
        result = replace(
            self.result,
            peaks=replace(self.result.peaks, name=name),
            seconds=math.nan,
            searched=tuple(replace(s, seconds=math.nan) for s in self.result.searched),
        )
        return replace(self, result=result)


def run(file: Path, options: Options, quiet: bool) -> Done:
    """Index a file for someone who waits: notes of progress on standard error; Ctrl-C or SIGTERM
    ends it with what was found. Compiling, once on a machine, is no part of the search's time."""
    content = read(file, options.wavelength_A, time_limit_s=options.time_limit_s)
    began = time.perf_counter()
    ready: list[bool] = []
    with (
        announced() as compiled,
        interruptible(at_once, nothing_yet=lambda: bool(compiled) and not ready) as stopped,
        _reporting(quiet) as report,
    ):

        def search(ended: Callable[[], bool]) -> Done:
            try:
                return index_content(content, options, report=report, stopped=ended)
            except MlindexError:
                if stopped():
                    raise KeyboardInterrupt from None
                raise

        try:
            done = search(lambda: stopped() or bool(compiled))
        except MlindexError:
            # A peak search that ends when something is compiled may have no peaks yet.
            if not compiled:
                raise
        else:
            if not compiled or stopped():
                return done if stopped() else done.with_symmetry()
        report("compiling")
        warm_up(stopped)
        if not stopped():
            joined.warm_up()
        ready.append(True)
        print(f"mlindex: compiled once, {time.perf_counter() - began:.0f} s", file=sys.stderr)
        while True:
            known = len(compiled)
            done = search(stopped)
            # Compiling took time from the search: it gets that time again.
            if len(compiled) == known or stopped() or not _cut_off(done):
                return done if stopped() else done.with_symmetry()


def _cut_off(done: Done) -> bool:
    return any(searched.status != "complete" for searched in done.result.searched)


def index_content(
    content: PeakList | MeasuredPattern,
    options: Options,
    workers: int | None = None,
    report: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Done:
    """Index what a file holds; see :func:`mlindex.index` for ``workers`` and what follows.

    Raises:
        MlindexError: the content or the options are wrong.
    """
    options = phases_read(options)
    if isinstance(content, PeakList):
        return Done(index_list(content, options, workers, report, stopped), None, None)
    result, found = index_pattern(content, options, workers, report, stopped)
    return Done(result, content, found)


@contextmanager
def _reporting(quiet: bool) -> Iterator[Callable[[str], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("searching") as status:
        yield lambda text: status.update(f"searching all lattices: {text}")


def require_output(folder: Path | None) -> None:
    """Raise MlindexError if a result could be shown nowhere, or not be written to a folder."""
    if folder is not None:
        require_folder(folder)
    elif sys.stdout is None:
        raise MlindexError("standard output is closed; give a folder for the result with --out")


def tell(done: Done, rows: int, as_data: bool) -> None:
    """The result on standard output, where that is open: tables, or JSON.

    Raises:
        MlindexError: it can't be written there.
    """
    on_stdout(lambda: print(as_json(done)) if as_data else show(done, rows))


def as_json(done: Done) -> str:
    """The result as JSON text."""
    from mlindex.reports.result.data import as_data

    return json.dumps(as_data(done.result), allow_nan=False)


def show(done: Done, rows: int) -> None:
    """The result as tables on the terminal."""
    from mlindex.reports.result.terminal import show as show_on_terminal

    show_on_terminal(done.result, rows)


def as_text(done: Done) -> str:
    """What the terminal shows as plain text, 80 columns wide."""
    from rich.console import Console

    from mlindex.reports.result.terminal import show as show_on_terminal

    page = StringIO()
    console = Console(file=page, width=_WIDTH, color_system=None, highlight=False)
    show_on_terminal(done.result, _ROWS_AS_TEXT, console)
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def require_folder(folder: Path) -> None:
    """Raise MlindexError if a folder can't be made or written to; nothing is made."""
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if _is_there(path))
    except OSError as error:
        raise MlindexError(f"{folder}: can't be written to: {explained(error, False)}") from error
    if not there.is_dir():
        kind = "a link to nothing" if there.is_symlink() and not there.exists() else "a file"
        raise MlindexError(f"{there}: is {kind}, not a folder; give another folder to write to")
    if not os.access(there, os.W_OK | os.X_OK) or not _takes_files(there):
        raise MlindexError(
            f"{folder}: nothing can be written to {there}; give yourself the right to it, or use "
            "another folder"
        )


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made there; its name is gone at once. The rights do not say it all."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def write(done: Done, folder: Path, provenance: Mapping[str, Any] | None = None) -> None:
    """Everything about the result as files in a folder; ``provenance`` goes with the tables.

    All files are written, or none. ``best.cif`` and ``phase_2.cif`` of an earlier result are
    removed where this one has no such cell. A list of peaks that is there may hold someone's
    edits: it is kept.

    Raises:
        MlindexError: the folder can't be written to.
    """
    from mlindex.base.atomic import filled_folder

    try:
        with handled(tidily), filled_folder(folder) as new:
            _write(done, new, provenance or {})
            _set_aside(folder / PEAKS, new / PEAKS)
        if not done.result.candidates:
            (folder / CELL).unlink(missing_ok=True)
        for name in PHASES[len(done.result.further_phases) :]:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise MlindexError(f"{folder}: can't be written to: {explained(error, False)}") from error


def _write(done: Done, folder: Path, provenance: Mapping[str, Any]) -> None:
    from mlindex.reports.result.cif import best_cell_cif, phase_cifs
    from mlindex.reports.result.data import write_tables
    from mlindex.reports.result.page import page

    texts = {
        "result.txt": as_text(done),
        "result.json": as_json(done) + "\n",
        "result.html": page(done.result, done.pattern, done.found),
    }
    if done.result.candidates:
        texts[CELL] = best_cell_cif(done.result)
    texts |= phase_cifs(done.result)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    if done.found is not None:
        from mlindex.patterns.peaksearch import write_peak_file

        write_peak_file(done.found, folder / PEAKS)
    write_tables(done.result, folder, provenance)


def _set_aside(old: Path, new: Path) -> None:
    from mlindex.patterns.peaksearch import set_aside

    if new.exists():
        set_aside(old, new.read_bytes())
