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
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import record
from real import known_cells

from mlindex.apps.command import index_content
from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.files import read
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Truth
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import PeakSearch, find_peaks
from mlindex.patterns.peakshape import area_of_unit_peak
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import simulate
from mlindex.structures.quality import check_file
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource
from mlindex.structures.tables import ENTRIES
from mlindex.wholepattern.candidates import CANDIDATES, fit_candidates

_HEAD = ("pattern", "by search", "by profile", "ahead by", "R_wp", "goodness", "explained")
_HEAD = (*_HEAD, "points", "CPU s", "s")
_ALPHA_A = 1.540593, 1.544427
_TWO_THETA_DEG = np.arange(5.0, 90.0, 0.02)
_VOLUMES_A3 = 60.0, 2500.0
_FILES_PER_STRUCTURE, _MAX_FILE_BYTES = 8, 100_000
#: Widths from its middle beyond which a simulated peak is nothing.
_REACH = 40.0


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
    for case in _mixtures(options) if options.mixtures else _measured(options):
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


def _mixtures(options: argparse.Namespace) -> Iterator[Case]:
    entries = _entries(options.folder, options.mixtures, options.seed)
    settings = Simulation(
        wavelength_A=_ALPHA_A[0], two_theta_max_deg=float(_TWO_THETA_DEG[-1]) + 2, fwhm_deg=0.1
    )
    lines = simulate(entries, settings).reflections.set_index("entry_id")
    entries = entries[entries["entry_id"].isin(lines.index)]
    for entry in entries.head(options.mixtures).to_dict("records"):
        rng = np.random.default_rng(derive_seed(options.seed, "mixture", entry["entry_id"]))
        other = lines.index[int(rng.integers(len(lines)))]
        cell = np.array([entry[name] for name in cell_names("")], dtype=float)
        truth = Truth(cell, _letter(entry["hm_symbol"][0], cell))
        pattern = _mixed(lines.loc[entry["entry_id"]], lines.loc[other], options.share, rng)
        yield Case(entry["entry_id"], pattern, None, truth)


def _entries(folder: Path, number: int, seed: int) -> pd.DataFrame:
    """Rows of ENTRIES, lattice systems in turn, each formula once; some more than asked for."""
    files = sorted(p for p in folder.rglob("*.cif") if p.stat().st_size < _MAX_FILE_BYTES)
    drawn = random.Random(seed).sample(files, min(len(files), _FILES_PER_STRUCTURE * number))
    source = FolderSource(name="x", path=str(folder))
    kept = [
        row
        for path in drawn
        for usable, row in check_file(
            path.relative_to(folder).as_posix(), folder, source, Quality()
        )
        if usable
    ]
    table = pd.DataFrame(kept, columns=ENTRIES.names)
    table = table[table["volume_A3"].between(*_VOLUMES_A3)].drop_duplicates("formula")
    turn = table.groupby("lattice_system").cumcount()
    order = table.assign(turn=turn).sort_values(["turn", "lattice_system"]).index
    return table.loc[order].head(number + number // 4)


def _letter(letter: str, cell: np.ndarray) -> str:
    hexagonal = abs(cell[5] - 120) < 0.01 and abs(cell[0] - cell[1]) < 1e-3 * cell[0]
    return "P" if letter == "R" and not hexagonal else letter


def _mixed(
    main: pd.Series, other: pd.Series, share: float, rng: np.random.Generator
) -> MeasuredPattern:
    """Counts of two phases, the second one's peaks a fifth broader."""
    fwhm, eta = rng.uniform(0.07, 0.16), rng.uniform(0.3, 0.8)
    shifts, counts = 0.03 * rng.normal(size=2), 10 ** rng.uniform(3, 4.5)
    first = _curve(main, fwhm, eta, shifts)
    second = _curve(other, 1.2 * fwhm, eta, shifts)
    curve = (1 - share) * first / first.sum() + share * second / second.sum()
    curve *= counts / curve.max()
    background = 20 + 0.02 * counts * (1 + 4 * np.exp((_TWO_THETA_DEG[0] - _TWO_THETA_DEG) / 8))
    return MeasuredPattern(
        main.name,
        _TWO_THETA_DEG,
        rng.poisson(curve + background).astype(float),
        wavelength_A=_ALPHA_A[0],
        second_wavelength_A=_ALPHA_A[1],
    )


def _curve(lines: pd.Series, fwhm: float, eta: float, shifts: np.ndarray) -> np.ndarray:
    """Peaks of the lines, wider at high angles as Caglioti's formula has it."""
    out = np.zeros(len(_TWO_THETA_DEG))
    for wavelength, factor in zip(_ALPHA_A, (1.0, 0.5), strict=True):
        at = two_theta_from_q2(np.asarray(lines["q2_inv_A2"], dtype=float), wavelength)
        for position, intensity in zip(at, lines["intensity"], strict=True):
            if not np.isfinite(position) or not intensity > 0:
                continue
            tangent = np.tan(np.radians(position) / 2)
            width = fwhm * np.sqrt(1 - 0.6 * tangent + 1.2 * tangent**2)
            seen = position + shifts[0] + shifts[1] * np.cos(np.radians(position) / 2)
            ends = np.searchsorted(_TWO_THETA_DEG, (seen - _REACH * width, seen + _REACH * width))
            z2 = ((_TWO_THETA_DEG[slice(*ends)] - seen) / width) ** 2
            shape = eta / (1 + 4 * z2) + (1 - eta) * np.exp(-4 * np.log(2) * z2)
            out[slice(*ends)] += factor * intensity * shape / area_of_unit_peak(width, eta, 0.0)
    return out


def _row(cells: object) -> None:
    print(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
