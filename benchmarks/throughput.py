"""Stages of single entries against an earlier version of this project, and against pymatgen.

    git archive COMMIT | tar -x -C FOLDER
    python benchmarks/throughput.py --first FOLDER

Both versions run the scripts of the workflow on the same generated monoclinic crystals, in
processes of their own; the time of an entry is the difference between two sizes of shard, so that
start and compilation do not count. pymatgen does on some of the crystals what one would write with
it: CifParser; Niggli reduction and the conventional cell of SpacegroupAnalyzer; XRDCalculator;
StructureMatcher within equal compositions. Median of three runs; CPU seconds.
"""

from __future__ import annotations

import argparse
import gzip
import re
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from scale_job import SYSTEM, measure
from scale_stages import job, shard_jobs

WHOLE = "deduplicate"
STAGES = ("quality", "reduce", "simulate", "peaks", WHOLE)


def stage_ms(work: Path, tree: Path | None, sizes: tuple[int, int]) -> dict[str, float]:
    """Milliseconds that an entry takes in each stage, of this version or of another tree."""
    seconds: dict[int, dict[str, float]] = {}
    for size in sizes:
        results = work / f"{'now' if tree is None else tree.name}_{size}" / "results"
        results.mkdir(parents=True, exist_ok=True)
        jobs = dict(shard_jobs(results, size))
        measure(jobs.pop("generate"))
        jobs[WHOLE] = _deduplicate(results, jobs["quality"]["output"]["entries"])
        made = {name: j if tree is None else _earlier(j, tree) for name, j in jobs.items()}
        if size == sizes[0]:
            # The first time compiles the inner loops, and keeps them for the next.
            for j in made.values():
                measure(j)
        seconds[size] = {name: measure(j)["cpu_s"] for name, j in made.items()}
    small, large = sizes
    return {
        name: 1000 * (seconds[large][name] - seconds[small][name]) / (large - small)
        for name in STAGES
    }


def _earlier(job: dict[str, Any], tree: Path) -> dict[str, Any]:
    """The job with the scripts of another tree, and its own default settings."""
    given = job["params"]["settings"]
    settings: dict[str, Any] = {name: {} for name in given}
    if "source" in given:
        settings["source"] = {name: given["source"][name] for name in ("kind", "name")}
    return {**job, "tree": str(tree), "params": {**job["params"], "settings": settings}}


def _deduplicate(results: Path, entries: str) -> dict[str, Any]:
    made = {"duplicates": f"results/duplicates/{SYSTEM}.parquet"}
    params = {"sources": ["generated"]}
    return job(
        results,
        WHOLE,
        {"entries": [entries]},
        made,
        settings=("deduplication",),
        params=params,
    )


def pymatgen_ms(cif: Path, count: int) -> dict[str, float]:
    """Milliseconds that one of ``count`` crystals takes with pymatgen."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.io.cif import CifParser
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    warnings.simplefilter("ignore")
    text = gzip.decompress(cif.read_bytes()).decode()
    blocks = [b for b in re.split(r"(?m)^(?=data_)", text) if b.startswith("data_")][:count]
    structures: list[Any] = []

    def read(block: str) -> None:
        structures.extend(CifParser.from_str(block).parse_structures(primitive=False))

    def reduce(structure: Any) -> None:
        structure.lattice.get_niggli_reduced_lattice()
        SpacegroupAnalyzer(structure).get_conventional_standard_structure()

    calculator, matcher = XRDCalculator(), StructureMatcher()

    def pattern(structure: Any) -> None:
        calculator.get_pattern(structure, two_theta_range=(0, 60))

    def unique() -> None:
        def formula(structure: Any) -> str:
            return structure.composition.formula

        for _, same in groupby(sorted(structures, key=formula), formula):
            matcher.group_structures(list(same))

    return {
        "quality": _each(read, blocks),
        "reduce": _each(reduce, structures),
        "simulate": _each(pattern, structures),
        WHOLE: _each(lambda _: unique(), [None]) / len(structures),
    }


def _each(function: Callable[[Any], None], items: Iterable[Any]) -> float:
    items = list(items)
    start = time.process_time()
    for item in items:
        function(item)
    return 1000 * (time.process_time() - start) / len(items)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=Path, help="an earlier version's tree")
    parser.add_argument("--sizes", type=int, nargs=2, default=(500, 3000))
    parser.add_argument("--pymatgen", type=int, default=200, help="crystals for pymatgen")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    trees = [None, *([options.first.resolve()] if options.first else [])]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        runs = [
            [stage_ms(work, t, tuple(options.sizes)) for t in trees] for _ in range(options.runs)
        ]
        cif = work / f"now_{options.sizes[0]}/results/sources/generated/{SYSTEM}_000.cif.gz"
        plain = pymatgen_ms(cif, options.pymatgen)
    print(
        "| stage | ms | first version, ms | ratio | pymatgen, ms | ratio |\n" + "| --- " * 6 + "|"
    )
    for name in STAGES:
        times = [statistics.median(run[n][name] for run in runs) for n in range(len(trees))]
        first = times[1] if len(times) > 1 else float("nan")
        peer = plain.get(name, float("nan"))
        numbers = (times[0], first, first / times[0], peer, peer / times[0])
        print(f"| {name} | {' | '.join(f'{value:.3g}' for value in numbers)} |")


if __name__ == "__main__":
    main()
