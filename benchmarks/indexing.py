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
given as the error of 2theta. ``--few`` takes the entries left out elsewhere because they
have fewer lines, from 5 on: small cells of high symmetry. ``--curves`` prints for each lattice
system and each degradation alone how often the lattice is first or named, against the amount, for
that many entries of each system. ``--out`` writes what was counted as JSON, for docs/how_well.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import record

from mlindex.base.schema import read_table
from mlindex.base.statistics import wilson_interval
from mlindex.crystal.lattice import SYSTEMS
from mlindex.indexing.rates.measure import Case, case_of, chosen, measure, measure_cases
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.rates.summary import ALL, SHARES, curves, with_outcomes
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
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each list")
    record.add_out(parser)
    options = parser.parse_args()
    if options.curves:
        _curves(options)
    else:
        _shares(options)


def _shares(options: argparse.Namespace) -> None:
    show(["lattice", "entries", *SHARES, "95 % of first", "median s", "worst s", "CPU s"])
    show(["---"] * (len(SHARES) + 6))
    rows, parts, times = [], [], []
    for name in options.systems:
        measured = measure_cases(_cases(options, name), options.workers)
        parts.append(with_outcomes(measured.table))
        times.append(measured.seconds)
        for bravais, rates in parts[-1].groupby("bravais_lattice", sort=False):
            seconds = measured.seconds[measured.seconds["bravais_lattice"] == bravais]
            rows.append(figures(str(bravais), rates, seconds))
            show(texts(rows[-1]))
    rows.append(figures(ALL, pd.concat(parts), pd.concat(times)))
    show(texts(rows[-1]))
    record.write(options.out, _what(options), {"lattices": rows})


def _cases(options: argparse.Namespace, name: str) -> list[Case]:
    system, seed = SYSTEMS[name], options.seed
    how = Spoil(options.shift, options.noise, options.impurities, options.missing)
    settings = Indexing(time_limit_s=options.time_limit)
    entries = chosen(
        _dataset(options.results, name), system, options.entries, seed, options.few
    ).to_dict("records")
    # What was done is said by the command line; the table knows one degradation a list.
    return [
        replace(case_of(entry, system, settings, seed, how, EXACT), threads=options.threads)
        for entry in entries
    ]


def figures(bravais: str, rates: pd.DataFrame, seconds: pd.DataFrame) -> dict[str, Any]:
    """Counts and seconds of a lattice, as the JSON file has them."""
    return {
        "lattice": bravais,
        "entries": len(rates),
        **{name: int(rates[column].sum()) for name, column in SHARES.items()},
        "convincing": int(rates["convincing"].sum()),
        "median_s": round(float(seconds["seconds"].median()), 2),
        "worst_s": round(float(seconds["seconds"].max()), 1),
        "median_cpu_s": round(float(seconds["cpu_seconds"].median()), 2),
    }


def texts(row: dict[str, Any]) -> list[str]:
    """A row as the terminal shows it, in percent."""
    n = row["entries"]
    low, high = wilson_interval(row["first"], n)
    return [
        row["lattice"],
        str(n),
        *(f"{100 * row[name] / max(n, 1):.1f}" for name in SHARES),
        f"{100 * low:.1f} to {100 * high:.1f}",
        f"{row['median_s']:.2f}",
        f"{row['worst_s']:.1f}",
        f"{row['median_cpu_s']:.2f}",
    ]


def _what(options: argparse.Namespace) -> str:
    """What was measured, as a sentence."""
    which = (
        "All lines, 5 or more, of validation crystals that have fewer than 20 (cubic: 10)"
        if options.few
        else "The first 20 lines (cubic: 10) of validation crystals"
    )
    how = [
        f"{name} {amount:g}{unit}"
        for name, amount, unit in (
            ("zero shift", options.shift, " degrees"),
            ("noise", options.noise, " degrees"),
            ("impurities", options.impurities, ""),
            ("missing lines", options.missing, ""),
        )
        if amount
    ]
    return (
        f"{which}, at most {options.entries} of each Bravais lattice, seed {options.seed}, "
        f"{', '.join(how) or 'as calculated'}."
    )


def _curves(options: argparse.Namespace) -> None:
    settings = Indexing(
        entries=0, degraded_entries=options.entries, time_limit_s=options.time_limit
    )
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
    show(["lattice", "median s", "worst s", "CPU s"])
    show(["---"] * 4)
    for name, rows in times.groupby("system", sort=False):
        wall, cpu = rows["seconds"], rows["cpu_seconds"]
        show([str(name), f"{wall.median():.2f}", f"{wall.max():.1f}", f"{cpu.median():.2f}"])
    record.write(
        options.out,
        f"The first 20 lines (cubic: 10) of validation crystals, at most {options.entries} of each "
        f"lattice system, seed {options.seed}, spoiled in one way at a time.",
        {"curves": found.drop(columns=["low", "high"]).to_dict("records")},
    )


def _grid(rows: pd.DataFrame, column: str) -> None:
    amounts = sorted(rows["amount"].unique())
    show(["lattice", "entries", *(f"{amount:g}" for amount in amounts)])
    show(["---"] * (len(amounts) + 2))
    for name, mine in rows.groupby("system", sort=False):
        values = mine.set_index("amount")[column]
        cells = [f"{100 * values[a]:.0f}" if a in values else "" for a in amounts]
        show([str(name), str(mine["entries"].max()), *cells])


def _dataset(results: Path, system: str) -> pd.DataFrame:
    return read_table(results / "dataset" / f"{system}.parquet", DATASET)


def show(cells: Iterable[str]) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
