"""All figures of the page "How well it works", measured again and written into it.

    python benchmarks/how_well.py results --patterns FOLDER --cifs CIFS

``results`` holds the data sets that the workflow makes of crystals of another seed
(``config/other_crystals.yaml`` says how; fewer crystals will do). FOLDER holds measured patterns
and their ``index.csv`` (see ``real.py``), CIFS holds CIF files of real crystals, of which mixtures
are simulated (see ``mixtures.py``); ``--superstructures`` is a folder of results as
``config/superstructures.yaml`` makes them, ``--studies`` one as ``config/symmetry.yaml`` does. What
is not given is left out. ``--entries`` is the number of lists of each Bravais lattice; the others
are fewer. Twenty entries take about half an hour on one core, mixtures as long again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE.parent / "docs/how_well"
SPOILED = ("--shift", "0.03", "--noise", "0.01", "--impurities", "2", "--missing", "2")


def main() -> int:
    """Run the benchmarks one after the other; the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--patterns", type=Path, help="folder of measured patterns")
    parser.add_argument("--cifs", type=Path, help="folder of CIF files")
    parser.add_argument("--superstructures", type=Path, help="results of other crystals")
    parser.add_argument(
        "--studies", type=Path, help="results as config/symmetry.yaml makes them, for classifiers"
    )
    parser.add_argument("--entries", type=int, default=20, help="of each Bravais lattice")
    parser.add_argument("--workers", type=int, default=1, help="processes, or threads of a search")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each list")
    failed = 0
    for name, script, *rest in commands(parser.parse_args()):
        print(f"\n== {name}", flush=True)
        command = [sys.executable, HERE / script, *rest, "--out", OUT / f"{name}.json"]
        failed += subprocess.run(command, check=False).returncode != 0
    return failed + (
        subprocess.run([sys.executable, HERE.parent / "docs/figures.py"]).returncode != 0
    )


def commands(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """Name of the record, script and arguments of each benchmark."""
    results, each = str(options.results), options.entries
    workers = ("--workers", str(options.workers))
    limit = ("--time-limit", f"{options.time_limit:g}")

    def entries(share: int) -> tuple[str, str]:
        return "--entries", str(max(each // share, 1))

    yield ("exact", "indexing.py", results, *entries(1), *workers, *limit)
    yield ("few", "indexing.py", results, "--few", *entries(2), *workers, *limit)
    yield ("spoiled", "indexing.py", results, *entries(4), *SPOILED, *workers, *limit)
    shift = ("--shift", "0.05")
    yield ("simulated", "patterns.py", results, *entries(8), *shift, *workers)
    noisy = ("--counts", "500", "--fwhm", "0.2")
    yield ("noisy", "patterns.py", results, *entries(5), *shift, *noisy, *workers)
    yield ("curves", "indexing.py", results, "--curves", *entries(4), *workers, *limit)
    if options.superstructures:
        made = str(options.superstructures)
        yield ("superstructures", "patterns.py", made, *entries(4), *shift, *workers)
    yield ("formulas", "formulas.py", results, "--crystals", str(5 * each))
    if options.cifs:
        for kind in ("large", "triclinic"):
            yield (kind, "crystals.py", str(options.cifs), kind, *workers, *limit)
        yield ("merged", "merged.py", str(options.cifs), "--crystals", str(7 * each), *workers)
        yield ("mixtures", "mixtures.py", str(options.cifs), "--pairs", str(each), *workers, *limit)
        both = ("--cifs", str(options.cifs), "--pairs", str(each), *workers, *limit)
        patterns = ("--patterns", str(options.patterns)) if options.patterns else ()
        yield ("parts", "parts.py", *patterns, *both)
    if options.patterns:
        yield ("measured", "real.py", str(options.patterns), *workers, *limit)
    if options.studies:
        for name in ("imbalance", "peers", "bias_variance", "multitask"):
            yield (name, "classifier_studies.py", name, str(options.studies))


if __name__ == "__main__":
    sys.exit(main())
