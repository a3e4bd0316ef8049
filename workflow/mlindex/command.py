"""What ``mlindex index`` does: read, search, show, write."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlindex.indexer import index
from mlindex.measured import MeasuredPattern
from mlindex.peaklist import PeakList
from mlindex.readers import read
from mlindex.result import IndexingResult

if TYPE_CHECKING:
    from mlindex.peaksearch import FoundPeaks


@dataclass(frozen=True)
class Done:
    """A result with the pattern and the peak search that its lines came from, if any."""

    result: IndexingResult
    pattern: MeasuredPattern | None
    found: FoundPeaks | None


def run(
    file: Path,
    wavelength_A: float | None,
    lattices: Sequence[str],
    error_deg: float | None,
    n_lines: int,
    time_limit_s: float,
    rows: int,
    quiet: bool,
) -> Done:
    """Read a file and index it; a note of progress goes to standard error."""
    peaks, pattern, found = peaks_of(file, wavelength_A)
    with _interruptible() as stopped, _reporting(quiet) as report:
        result = index(
            peaks,
            time_limit_s=time_limit_s,
            lattices=lattices,
            two_theta_error_deg=error_deg,
            n_lines=n_lines,
            keep=max(20, rows),
            report=report,
            stopped=stopped,
        )
    notes = result.notes if found is None else (*found.notes, *result.notes)
    return Done(replace(result, notes=tuple(dict.fromkeys(notes))), pattern, found)


def peaks_of(
    file: Path, wavelength_A: float | None
) -> tuple[PeakList, MeasuredPattern | None, FoundPeaks | None]:
    """The peak list in a file, or found in the pattern that it holds."""
    content = read(file, wavelength_A)
    if isinstance(content, PeakList):
        return content, None, None
    from mlindex.peaksearch import find_peaks

    found = find_peaks(content)
    return found.peaks, content, found


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C sets a flag; a second one ends the program as usual."""
    pressed = []

    def remember(number: int, frame: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _reporting(quiet: bool) -> Iterator[Callable[[str], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("searching") as status:
        yield lambda text: status.update(f"searching all lattices: {text}")


def as_json(done: Done) -> str:
    """The result as JSON text."""
    from mlindex.output.data import as_data

    return json.dumps(as_data(done.result), allow_nan=False)


def show(done: Done, rows: int) -> None:
    """The result as tables on the terminal."""
    from mlindex.output.terminal import show as show_on_terminal

    show_on_terminal(done.result, rows)


def write(done: Done, folder: Path) -> None:
    """Everything about the result as files in a folder."""
    from mlindex.output.cif import best_cell_cif
    from mlindex.output.data import write_tables
    from mlindex.output.page import page
    from mlindex.schema import atomic_path

    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "result.json": as_json(done) + "\n",
        "result.html": page(done.result, done.pattern, done.found),
    }
    if done.result.candidates:
        texts["best.cif"] = best_cell_cif(done.result)
    for name, text in texts.items():
        with atomic_path(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    if done.found is not None:
        from mlindex.peaksearch import write_peak_file

        write_peak_file(done.found, folder / "peaks.txt")
    write_tables(done.result, folder)
