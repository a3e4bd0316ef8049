"""Whole-profile fits of the candidates of patterns whose cells are known: rank of the true one.

    python benchmarks/profiles.py FOLDER --index cells.csv --only rruff
    python benchmarks/profiles.py CIFS --mixtures 70 --share 0.1

FOLDER holds measured patterns and an index of their cells as for ``benchmarks/real.py``. With
``--mixtures`` it holds CIF files: so many structures, lattice systems in turn, are simulated as
laboratory patterns (Cu K-alpha 1 and 2, pseudo-Voigts, Poisson counts, zero shift and displacement
of 0.03 degrees at random), each with another structure of that share of the whole intensity.

Each pattern is indexed and its candidates are fitted. For each: the rank of the true lattice among
the candidates fitted as the search orders them, and by the evidence of the profile alone (0: not
among them); how far its evidence is ahead of the best other cell (-2 ln of the odds); of the first
by profile R_wp, goodness of fit and the share of the intensity that it explains; points, and
processor and wall-clock seconds of the fits without the peak search. The same lattice is one whose
reduced cell agrees within 1 % and 0.5 degrees. ``--out`` writes the table as JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import record
from mixed import Structures
from real import known_cells

from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.files import read
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Truth
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import PeakSearch, find_peaks
from mlindex.wholepattern.candidates import CANDIDATES, fit_candidates

_HEAD = ("pattern", "by search", "by profile", "ahead by", "R_wp", "goodness", "explained")
_HEAD = (*_HEAD, "points", "CPU s", "s")


@dataclass(frozen=True)
class Case:
    """A pattern and its true lattice; ``pattern`` is read where it is a path."""

    name: str
    pattern: MeasuredPattern | Path
    wavelength_A: float | None
    truth: Truth


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path, help="the CSV file, FOLDER/index.csv if not given")
    parser.add_argument("--only", nargs="*", default=[], help="parts of names of patterns")
    parser.add_argument("--mixtures", type=int, default=0, help="structures to simulate")
    parser.add_argument("--share", type=float, default=0.1, help="of the second phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2, help="threads")
    record.add_out(parser)
    options = parser.parse_args()
    _row(_HEAD)
    _row(["---"] * len(_HEAD))
    rows = []
    for case in _simulated(options) if options.mixtures else _measured(options):
        if not options.only or any(part in case.name for part in options.only):
            rows.append(_one(case, options.time_limit, options.workers))
            _row(rows[-1])
    totals = _totals([row for row in rows if row[1] > 0], len(rows))
    print("\n" + "\n".join(f"{name}: {number}" for name, number in totals.items()))
    named = [dict(zip(_HEAD, row, strict=True)) for row in rows]
    record.write(options.out, _what(options), {"patterns": named, "totals": [totals]})


def _what(options: argparse.Namespace) -> str:
    if not options.mixtures:
        return "Measured patterns of known cells, only the wavelength given."
    return (
        f"Simulated laboratory patterns of {options.mixtures} structures, seed {options.seed}, "
        f"each with another phase of {100 * options.share:g} % of the intensity."
    )


def _one(case: Case, time_limit_s: float, workers: int) -> tuple:
    """The row of a pattern."""
    nothing = (case.name, 0, 0, None, None, None, None, None, None, None)
    try:
        pattern = case.pattern
        if isinstance(pattern, Path):
            pattern = read(pattern, case.wavelength_A)
        options = Options(wavelength_A=case.wavelength_A, time_limit_s=time_limit_s)
        found = index_content(pattern, options, workers).result.candidates[:CANDIDATES]
    except MlindexError:
        return nothing
    if not isinstance(pattern, MeasuredPattern) or not found:
        return nothing
    peaks = find_peaks(pattern, PeakSearch(max_peaks=1000))
    wall, cpu = perf_counter(), process_time()
    fits = fit_candidates(pattern, found, peaks, workers)
    spent = process_time() - cpu, perf_counter() - wall
    right = [case.truth.is_(c.cell, c.centring) for c in found]
    ranked, first = fits.ranked, fits.fits[fits.ranked[0]]
    totals = {i: fits.fits[i].evidence.total for i in ranked}
    ours = [totals[i] for i in ranked if right[i]]
    others = [totals[i] for i in ranked if not right[i]]
    return (
        case.name,
        right.index(True) + 1 if any(right) else 0,
        next((rank for rank, i in enumerate(ranked, 1) if right[i]), 0),
        round(min(others) - min(ours)) if ours and others else None,
        round(first.r_wp, 4),
        round(first.goodness, 2),
        round(first.explained, 4),
        len(fits.two_theta_deg),
        *(round(seconds, 2) for seconds in spent),
    )


def _totals(rows: list[tuple], all_patterns: int) -> dict[str, int | float]:
    """Counts over the patterns whose true lattice is among those fitted."""
    return {
        "patterns": all_patterns,
        "true cell fitted": len(rows),
        "first by search": sum(row[1] == 1 for row in rows),
        "first by profile": sum(row[2] == 1 for row in rows),
        "median CPU s": round(float(np.median([row[-2] for row in rows])), 2) if rows else 0.0,
        "worst CPU s": max((row[-2] for row in rows), default=0.0),
    }


def _measured(options: argparse.Namespace) -> Iterator[Case]:
    for known in known_cells(options.index or options.folder / "index.csv", options.folder):
        yield Case(known.file.name, known.file, known.wavelength_A, known.truth)


def _simulated(options: argparse.Namespace) -> Iterator[Case]:
    structures = Structures.of(options.folder, options.mixtures, options.seed)
    for pair in structures.pairs(options.mixtures, options.seed):
        pattern = pair.pattern(options.share, options.seed)
        yield Case(pair.name, pattern, None, pair.main.truth)


def _row(cells: object) -> None:
    print(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
