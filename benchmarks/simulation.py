"""Time of a powder pattern: mlindex against pymatgen's XRDCalculator, on the same real files.

    python benchmarks/simulation.py FOLDER [--files 300] [--seed 1]

Draws files from FOLDER, keeps those that both programs read, and prints the median CPU time of a
structure with each and the median of the ratios, without and with the reading of the file. Both
run on one thread, in loops of their own, after one run to warm up. pymatgen sees the structures
that its own parser makes, over the same range and wavelength; mlindex's reading is the whole of
quality control, and its pattern includes the grid where pymatgen's is a list of lines.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.io.cif import CifParser

from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import simulate
from mlindex.structures.quality import check_file
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource
from mlindex.structures.tables import ENTRIES

SETTINGS = Simulation()
MAX_FILE_BYTES = 300_000


def main() -> None:
    """Run the comparison and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=300, help="files to draw (300)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (1)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    files = draw_files(arguments.folder, arguments.files, arguments.seed)
    entries, read_ours = read_with_mlindex(files, arguments.folder)
    ours = simulate_with_mlindex(entries, files, arguments.folder)
    structures, read_theirs = timed(read_with_pymatgen, files)
    calculator = XRDCalculator(SETTINGS.wavelength_A)
    _, theirs = timed(lambda structure: pattern_of(calculator, structure), structures)
    times = np.array([ours, theirs, read_ours, read_theirs])
    both = np.all(np.isfinite(times), axis=0)
    if not both.any():
        raise SystemExit(f"{arguments.folder}: no file that both programs can read")
    report(len(files), 1e3 * times[:, both])


def draw_files(folder: Path, n: int, seed: int) -> list[Path]:
    """A seeded sample of the CIF files below a folder, large ones left out."""
    files = sorted(p for p in folder.rglob("*.cif") if p.stat().st_size < MAX_FILE_BYTES)
    if not files:
        raise SystemExit(f"{folder}: no CIF file in it")
    return random.Random(seed).sample(files, min(n, len(files)))


class Stopwatch:
    """CPU seconds that a loop spends on each item; passed in place of a progress bar."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            start = time.process_time()
            yield item
            self.seconds.append(time.process_time() - start)


def timed(function: Callable[[Any], Any], items: list[Any]) -> tuple[list[Any], list[float]]:
    """Results and CPU seconds of each call; None and NaN where there is none."""
    _attempt(function, next(item for item in items if item is not None))
    stopwatch = Stopwatch()
    results = [None if item is None else _attempt(function, item) for item in stopwatch(items)]
    nothing = [result is None for result in results]
    return results, np.where(nothing, np.nan, stopwatch.seconds).tolist()


def _attempt(function: Callable[[Any], Any], item: Any) -> Any:
    # Broken files are part of the sample; a benchmark only needs to leave them out.
    try:
        return function(item)
    except Exception:
        return None


def read_with_mlindex(files: list[Path], folder: Path) -> tuple[pd.DataFrame, list[float]]:
    """Entries after quality control, and the seconds of each file."""
    names = [path.relative_to(folder).as_posix() for path in files]
    source = FolderSource(name="x", path=str(folder))
    list(check_file(names[0], folder, source, Quality()))
    stopwatch = Stopwatch()
    outcomes = [o for n in stopwatch(names) for o in check_file(n, folder, source, Quality())]
    kept = [row for is_kept, row in outcomes if is_kept]
    return pd.DataFrame(kept, columns=ENTRIES.names), stopwatch.seconds


def simulate_with_mlindex(entries: pd.DataFrame, files: list[Path], folder: Path) -> list[float]:
    """Seconds of each file's entry; NaN for files without one, with several, or no pattern."""
    simulate(entries.iloc[:1], SETTINGS)
    stopwatch = Stopwatch()
    simulated = simulate(entries, SETTINGS, stopwatch)
    usable = entries["entry_id"].isin(simulated.patterns["entry_id"]) & ~entries["path"].duplicated(
        keep=False
    )
    seconds = pd.Series(stopwatch.seconds, entries["path"])[usable.to_numpy()]
    return [seconds.get(path.relative_to(folder).as_posix(), np.nan) for path in files]


def read_with_pymatgen(path: Path) -> Any:
    """The file's structure, its cell as given, or None."""
    structures = CifParser(path).parse_structures(primitive=False)
    return structures[0] if len(structures) == 1 else None


def pattern_of(calculator: XRDCalculator, structure: Any) -> Any:
    """pymatgen's lines over the same range."""
    return calculator.get_pattern(structure, two_theta_range=(0, SETTINGS.two_theta_max_deg))


def report(n_files: int, times_ms: np.ndarray) -> None:
    """Print the table: times of shape (4, n) are ours, theirs, and both programs' reading."""
    ours, theirs, read_ours, read_theirs = times_ms
    print(f"{n_files} files drawn, {times_ms.shape[1]} read and simulated by both")
    print(f"{'median, ms per structure':<28}{'mlindex':>10}{'pymatgen':>10}{'ratio':>8}")
    rows = (
        ("pattern", ours, theirs),
        ("reading", read_ours, read_theirs),
        ("reading and pattern", ours + read_ours, theirs + read_theirs),
    )
    for name, a, b in rows:
        ratio = np.median(b / a)
        print(f"{name:<28}{np.median(a):>10.2f}{np.median(b):>10.2f}{ratio:>8.1f}")
    mean = theirs.mean() / ours.mean()
    print(f"mean pattern: {ours.mean():.2f} and {theirs.mean():.2f} ms, ratio {mean:.1f}")


if __name__ == "__main__":
    main()
