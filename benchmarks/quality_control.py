"""Entries a second of CIF quality control, beside pymatgen's CifParser on the same files.

    python benchmarks/quality_control.py FOLDER [--files 200] [--seed 1]

Draws plain CIF files from the folder, reads each with both on one thread and prints the median
time of a file and the ratio. Files that pymatgen refuses count for neither.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import resource
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.io.cif import CifParser

from mlindex.structures.quality import check_file, check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource

TARGET_PER_S = 300.0


class Lap:
    """Takes the place of the progress bar and records the processor seconds spent on each item."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, items: Iterable[str]) -> Iterator[str]:
        """``items``; the time until the next one is asked for is that of the one before."""
        for item in items:
            start = time.process_time()
            yield item
            self.seconds.append(time.process_time() - start)


def check(root: Path, paths: list[str]) -> tuple[np.ndarray, int]:
    """Seconds for each file of quality control, and the entries met."""
    lap, seen = Lap(), 0
    source = FolderSource(name="benchmark", path=str(root))
    for path in lap(paths):
        seen += len(list(check_file(path, root, source, Quality())))
    return np.array(lap.seconds), seen


def check_guarded(root: Path, paths: list[str]) -> float:
    """Processor seconds of all the files in the child process that guards against bad ones."""
    start = _processor_s()
    source = FolderSource(name="benchmark", path=str(root))
    check_shard(pd.DataFrame({"path": paths}), root, source, Quality())
    return _processor_s() - start


def _processor_s() -> float:
    usages = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def parse_all(root: Path, paths: list[str]) -> np.ndarray:
    """Seconds for each file of pymatgen; NaN where it refuses the file."""
    lap, refused = Lap(), []
    for path in lap(paths):
        try:
            parse(root, path)
        except Exception:
            refused.append(len(lap.seconds))
    seconds = np.array(lap.seconds)
    seconds[refused] = np.nan
    return seconds


def parse(root: Path, path: str) -> None:
    """Read one file with pymatgen."""
    CifParser(root / path).parse_structures(primitive=False)


def main() -> int:
    """Run the benchmark; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    paths = sorted(p.relative_to(options.folder).as_posix() for p in options.folder.rglob("*.cif"))
    if not paths:
        sys.exit(f"{options.folder}: no .cif file below this folder; name another")
    rng = np.random.default_rng(options.seed)
    drawn = rng.choice(paths, min(options.files, len(paths)), replace=False).tolist()
    warnings.simplefilter("ignore")
    check(options.folder, drawn[:1])
    parse_all(options.folder, drawn[:1])
    ours, entries = check(options.folder, drawn)
    guarded_s = check_guarded(options.folder, drawn)
    theirs = parse_all(options.folder, drawn)
    both = np.isfinite(theirs)
    ours_s, theirs_s = float(np.median(ours[both])), float(np.median(theirs[both]))
    print(f"files drawn                        {len(drawn)} ({entries} entries)")
    print(f"read by pymatgen too               {int(both.sum())}")
    print(f"quality control, whole sample      {entries / ours.sum():.0f} entries/s on one core")
    print(f"cost of the child process          {guarded_s / ours.sum() - 1:.0%}")
    print(f"quality control, median file       {ours_s * 1e3:.2f} ms")
    print(f"pymatgen CifParser, median file    {theirs_s * 1e3:.2f} ms")
    print(f"entries/s on the median file       {1 / ours_s:.0f} (target {TARGET_PER_S:.0f})")
    print(f"ratio, pymatgen / quality control  {theirs_s / ours_s:.1f}")
    return 0 if 1 / ours_s >= TARGET_PER_S else 1


if __name__ == "__main__":
    sys.exit(main())
