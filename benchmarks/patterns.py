"""Whole laboratory patterns of validation crystals: peak search and ab initio indexing.

    python benchmarks/patterns.py results --entries 5 --counts 3000 --fwhm 0.12 --shift 0.08

``results`` is a folder that the workflow made (its ``dataset`` and ``entries`` are used). Positions
and intensities are pymatgen's, for Cu K-alpha 1 and 2; peaks are pseudo-Voigts (half Lorentzian) on
a background that falls with the angle, from 5 to 70 degrees of 2theta in steps of 0.02; counts are
drawn from Poisson's distribution. ``--counts`` is the height of the strongest peak, ``--fwhm`` its
width and ``--shift`` a zero shift, both in degrees. For each lattice system, in percent: found
first; found first, or named as partner of the first; among the first 20; called convincing;
convincing but wrong; and processor seconds, median and worst, with the peak search. A list that is
refused (a pattern with fewer than four peaks) counts as not found.
``--out`` writes the counts as JSON, for docs/how_well.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import gemmi
import numpy as np
import pandas as pd
import record
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure

from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.base.schema import read_table
from mlindex.crystal.lattice import SYSTEMS
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Judged, Truth, judge
from mlindex.indexing.rates.measure import case_of, chosen
from mlindex.indexing.rates.settings import Indexing
from mlindex.learning.tables import DATASET
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.spoil import EXACT, Spoil
from mlindex.structures.tables import ENTRIES

_ALPHA_A, _ALPHA_RATIO = (1.540593, 1.544427), (1.0, 0.5)
_TWO_THETA_DEG = np.arange(5.0, 70.0, 0.02)
#: Background: in shares of the strongest peak far out, more near the beam, and in counts.
_BACKGROUND, _NEAR_BEAM, _DARK = 0.01, 4.0, 20.0
#: Widths from its middle beyond which a peak is nothing.
_REACH = 40.0
_MERGED_A = 0.05
_NOTHING = Judged(0, False, False, 0, "", None)


@dataclass(frozen=True)
class Diffractometer:
    """Counts of the strongest peak, width and zero shift in degrees, and a seed."""

    counts: float
    fwhm_deg: float
    shift_deg: float
    seed: int


@dataclass(frozen=True)
class Task:
    """A row of ENTRIES, what would be right, and how it is measured."""

    entry: dict[str, Any]
    system: str
    truth: Truth
    how: Diffractometer


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--entries", type=int, default=5, help="of each lattice")
    parser.add_argument("--counts", type=float, default=3000.0)
    parser.add_argument("--fwhm", type=float, default=0.12)
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    record.add_out(parser)
    options = parser.parse_args()
    how = Diffractometer(options.counts, options.fwhm, options.shift, options.seed)
    tasks = _tasks(options.results, options.entries, how)
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(options.workers, context) as pool:
        found = list(pool.map(_one, tasks))
    rows = pd.DataFrame(
        [
            (t.system, j.first, j.solved, j.listed, j.convincing, j.wrong, seconds)
            for t, (j, seconds) in zip(tasks, found, strict=True)
        ],
        columns=["system", "first", "or partner", "in 20", "convincing", "wrong", "s"],
    )
    _row(["lattice system", "patterns", *rows.columns[1:-1], "CPU s", "worst"])
    _row(["---"] * 9)
    counted = []
    for name, mine in [*rows.groupby("system", sort=False), ("all", rows)]:
        counts = {column: int(mine[column].sum()) for column in rows.columns[1:-1]}
        median, worst = (round(float(s), 1) for s in (mine["s"].median(), mine["s"].max()))
        shares = (f"{100 * count / len(mine):.1f}" for count in counts.values())
        _row([name, len(mine), *shares, f"{median:.1f}", f"{worst:.1f}"])
        row = {"lattice system": name, "patterns": len(mine), **counts}
        counted.append(row | {"median_cpu_s": median, "worst_cpu_s": worst})
    record.write(options.out, _what(options), {"systems": counted})


def _what(options: argparse.Namespace) -> str:
    """What was measured, as a sentence."""
    return (
        f"Simulated laboratory patterns (Cu K-alpha 1 and 2) of at most {options.entries} "
        f"validation crystals of each Bravais lattice, seed {options.seed}: "
        f"{options.counts:g} counts in the strongest peak, width {options.fwhm:g} degrees, zero "
        f"shift {options.shift:g} degrees."
    )


def _tasks(results: Path, each: int, how: Diffractometer) -> list[Task]:
    wanted: dict[str, tuple[str, Truth]] = {}
    for system in SYSTEMS.values():
        data = read_table(results / "dataset" / f"{system.name}.parquet", DATASET)
        for row in chosen(data, system, each, how.seed).to_dict("records"):
            case = case_of(row, system, Indexing(), how.seed, Spoil(), EXACT)
            wanted[case.entry_id] = system.name, case.truth
    entries = {}
    for path in sorted((results / "entries").rglob("*.parquet")):
        table = read_table(path, ENTRIES)
        for entry in table[table["entry_id"].isin(wanted)].to_dict("records"):
            entries[entry["entry_id"]] = entry
    return [Task(entries[name], system, truth, how) for name, (system, truth) in wanted.items()]


def _one(task: Task) -> tuple[Judged, float]:
    pattern = measured(task.entry, task.how)
    started = process_time()
    try:
        result = index_content(pattern, Options(), workers=1).result
    except MlindexError:
        return _NOTHING, process_time() - started
    return judge(result, task.truth), process_time() - started


def measured(entry: dict[str, Any], how: Diffractometer) -> MeasuredPattern:
    """The pattern that a laboratory would measure of an entry (a row of ENTRIES)."""
    structure = _structure(entry)
    counts = np.zeros_like(_TWO_THETA_DEG)
    for wavelength, share in zip(_ALPHA_A, _ALPHA_RATIO, strict=True):
        ends = _TWO_THETA_DEG[0] - 1, _TWO_THETA_DEG[-1] + 1
        lines = XRDCalculator(wavelength).get_pattern(structure, scaled=False, two_theta_range=ends)
        for position, height in zip(lines.x + how.shift_deg, share * lines.y, strict=True):
            _add_peak(counts, position, height, how.fwhm_deg)
    counts *= how.counts / counts.max()
    near = np.exp((_TWO_THETA_DEG[0] - _TWO_THETA_DEG) / 8)
    background = _DARK + _BACKGROUND * how.counts * (1 + _NEAR_BEAM * near)
    rng = np.random.default_rng(derive_seed(how.seed, "pattern", entry["entry_id"]))
    return MeasuredPattern(
        entry["entry_id"],
        _TWO_THETA_DEG,
        rng.poisson(counts + background).astype(float),
        wavelength_A=_ALPHA_A[0],
        second_wavelength_A=_ALPHA_A[1],
    )


def _structure(entry: dict[str, Any]) -> Structure:
    """All atoms of the cell."""
    operations = gemmi.symops_from_hall(entry["hall_symbol"])
    sites = np.stack([entry[f"site_{axis}"] for axis in "xyz"], axis=1).astype(float)
    moved = [operation.apply_to_xyz(list(site)) for site in sites for operation in operations]
    copies = len(moved) // len(sites)
    elements = np.repeat(entry["site_element"], copies)
    occupancies = np.repeat(entry["site_occupancy"], copies)
    species = [
        {"H" if element == "D" else str(element): min(float(share), 1.0)}
        for element, share in zip(elements, occupancies, strict=True)
    ]
    cell = [entry[f"{name}_A"] for name in "abc"]
    angles = [entry[f"{name}_deg"] for name in ("alpha", "beta", "gamma")]
    structure = Structure(Lattice.from_parameters(*cell, *angles), species, moved)
    structure.merge_sites(_MERGED_A, mode="delete")
    return structure


def _add_peak(counts: np.ndarray, position: float, height: float, fwhm: float) -> None:
    """Add a pseudo-Voigt of that height (counts per width), in place."""
    first, last = np.searchsorted(
        _TWO_THETA_DEG, [position - _REACH * fwhm, position + _REACH * fwhm]
    )
    x2 = ((_TWO_THETA_DEG[first:last] - position) / fwhm) ** 2
    counts[first:last] += height * (0.5 / (1 + 4 * x2) + 0.5 * np.exp(-4 * np.log(2) * x2))


def _row(cells: Sequence[object]) -> None:
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
