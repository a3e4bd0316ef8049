"""Success rates and times of ab initio indexing, on lists of validation entries.

    python benchmarks/indexing.py results --entries 50 --noise 0.01 --impurities 3 --shift 0.05
    python benchmarks/indexing.py results --few --entries 50
    python benchmarks/indexing.py results --entries 4 --workers 1 --threads 2
    python benchmarks/indexing.py results --curves --entries 20

``results`` is a folder that the workflow made (its ``dataset`` tables are used). For each Bravais
lattice, in percent with Wilson's 95 % interval of the first: found first; found first, or named
as a partner of the first; among the first 20; anywhere in the list; called convincing but wrong.
Seconds for each pattern: median and worst of the wall time, median of the processor time. A wrong
cell is wrong by its reduced cell (1 %, 0.5 degrees). Lines are as calculated, or spoiled: normal
noise and a zero shift of 2theta (degrees), lines replaced by impurities, lines left out (both
among 20 lines; of the 10 of cubic lists half as many, rounded up). Noise above 0.02 degrees is
told as the error of 2theta. ``--few`` takes the entries that are left out elsewhere because they
have fewer lines, from 5 on: small cells of high symmetry. ``--curves`` prints for each lattice
system and each degradation alone how often the lattice is first or named, against the amount, for
that many entries of each system.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mlindex.base.schema import read_table
from mlindex.base.statistics import wilson_interval
from mlindex.crystal.lattice import SYSTEMS
from mlindex.indexing.rates.measure import case_of, chosen, measure, measure_cases
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.rates.summary import SHARES, curves, with_outcomes
from mlindex.learning.tables import DATASET
from mlindex.patterns.spoil import EXACT, UNITS, Spoil


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--entries", type=int, default=50, help="of each lattice")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--impurities", type=int, default=0)
    parser.add_argument("--missing", type=int, default=0)
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="of each search")
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--few", action="store_true", help="entries with few lines")
    options = parser.parse_args()
    if options.curves:
        _curves(options)
    else:
        _shares(options)


def _shares(options: argparse.Namespace) -> None:
    threads = options.threads
    how = Spoil(options.shift, options.noise, options.impurities, options.missing)
    _row(["lattice", "entries", *SHARES, "95 % of first", "median s", "worst s", "CPU s"])
    _row(["---"] * (len(SHARES) + 6))
    for name in options.systems:
        system = SYSTEMS[name]
        data = _dataset(options.results, name)
        entries = chosen(data, system, options.entries, options.seed, options.few)
        cases = [
            # What was done is told by the command line; the table knows one degradation a list.
            replace(case_of(entry, system, Indexing(), options.seed, how, EXACT), threads=threads)
            for entry in entries.to_dict("records")
        ]
        measured = measure_cases(cases, options.workers)
        for bravais, rates in measured.table.groupby("bravais_lattice", sort=False):
            seconds = measured.seconds[measured.seconds["bravais_lattice"] == bravais]
            _row(_figures(str(bravais), with_outcomes(rates), seconds))


def _figures(bravais: str, rates: pd.DataFrame, seconds: pd.DataFrame) -> list[str]:
    low, high = wilson_interval(int(rates["first"].sum()), len(rates))
    return [
        bravais,
        str(len(rates)),
        *(f"{100 * rates[column].mean():.1f}" for column in SHARES.values()),
        f"{100 * low:.1f} to {100 * high:.1f}",
        f"{seconds['seconds'].median():.2f}",
        f"{seconds['seconds'].max():.1f}",
        f"{seconds['cpu_seconds'].median():.2f}",
    ]


def _curves(options: argparse.Namespace) -> None:
    settings = Indexing(entries=0, degraded_entries=options.entries)
    parts, seconds = [], []
    for name in options.systems:
        measured = measure(
            _dataset(options.results, name), SYSTEMS[name], settings, options.seed, options.workers
        )
        parts.append(measured.table.assign(system=name))
        seconds.append(measured.seconds.assign(system=name))
        print(f"{name}: {len(measured.table)} lists", flush=True)
    rates, times = pd.concat(parts), pd.concat(seconds)
    found = curves(rates)
    for kind, unit in UNITS.items():
        print(f"\n{kind} ({unit}): first or partner, percent of the entries\n")
        _grid(found[found["degradation"] == kind], "rate")
        print(f"\n{kind} ({unit}): wrong and convincing, percent of the entries\n")
        _grid(found[found["degradation"] == kind], "wrong")
    print("\nseconds for each pattern: median, worst, median of the processor time\n")
    _row(["lattice", "median s", "worst s", "CPU s"])
    _row(["---"] * 4)
    for name, rows in times.groupby("system", sort=False):
        wall, cpu = rows["seconds"], rows["cpu_seconds"]
        _row([str(name), f"{wall.median():.2f}", f"{wall.max():.1f}", f"{cpu.median():.2f}"])


def _grid(rows: pd.DataFrame, column: str) -> None:
    amounts = sorted(rows["amount"].unique())
    _row(["lattice", "entries", *(f"{amount:g}" for amount in amounts)])
    _row(["---"] * (len(amounts) + 2))
    for name, mine in rows.groupby("system", sort=False):
        values = mine.set_index("amount")[column]
        cells = [f"{100 * values[a]:.0f}" if a in values else "" for a in amounts]
        _row([str(name), str(mine["entries"].max()), *cells])


def _dataset(results: Path, system: str) -> pd.DataFrame:
    return read_table(results / "dataset" / f"{system}.parquet", DATASET)


def _row(cells: Iterable[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
