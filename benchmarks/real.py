"""Measured patterns of known cells: peak search and ab initio indexing.

    python benchmarks/real.py FOLDER
    python benchmarks/real.py FOLDER --index cells.csv --only gsas_LaMnO3_50K.gsas

FOLDER holds patterns or peak lists in any format that ``mlindex formats`` lists, and ``index.csv``
with a row for each and these columns (others are ignored, the order is free):

- ``file``: path below FOLDER;
- ``wavelength_A``: given to the reader. Empty, or no number: the file states it. Of a doublet
  written as ``1.5405/1.5443`` the first is given, and a doublet that the file states is kept;
- ``a``, ``b``, ``c`` (A), ``alpha``, ``beta``, ``gamma`` (degrees): the known cell in any setting;
  rows without ``a`` are left out;
- ``space_group`` (Hermann-Mauguin, any setting) or ``centring``: the first letter counts, P, A, B,
  C, I, F or R (hexagonal axes); R with other axes than a = b, gamma = 120 is taken as primitive.

For each: the rank of the known lattice in the list (0: not in it; ``named``: the first is another
and names it as partner), whether the first is called convincing, the first cell, its relation to
the known lattice (the same, a super- or subcell, as magnetic lines require, or other), its lines
indexed, M20 and probability with its partners, and seconds of the wall clock and of the
processor with reading and peak search. The same lattice is one whose reduced cell agrees within
1 % and 0.5 degrees. ``--out`` writes the table as JSON, for docs/how_well.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import record

from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.derivative import MAX_INDEX, hermite_normal_forms
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.files import read
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Judged, Truth, judge
from mlindex.indexing.result import Candidate, IndexingResult

_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_HEAD = ("file", "known", "rank", "verdict", "first", "is", "lines", "M20", "p", "s", "CPU s")


@dataclass(frozen=True)
class Known:
    """A row of the index."""

    file: Path
    wavelength_A: float | None
    truth: Truth

    def __str__(self) -> str:
        return f"{self.truth.centring} {_cell_text(self.truth.cell)}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path, help="the CSV file, FOLDER/index.csv if not given")
    parser.add_argument("--only", nargs="*", default=[], help="parts of names of files")
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2, help="threads")
    record.add_out(parser)
    options = parser.parse_args()
    rows = known_cells(options.index or options.folder / "index.csv", options.folder)
    chosen = [r for r in rows if not options.only or any(o in r.file.name for o in options.only)]
    if not chosen:
        raise SystemExit("no row of the index has a cell and a file of that name")
    _row(_HEAD)
    _row(["---"] * len(_HEAD))
    done = [_one(row, options.time_limit, options.workers) for row in chosen]
    judged = [found for found, _ in done if found is not None]
    totals = _totals(judged, len(done) - len(judged))
    print()
    for name, number in totals.items():
        print(f"{name}: {number}")
    rows = [dict(zip(_HEAD, cells, strict=True)) for _, cells in done]
    what = "Measured patterns and lists of known cells, only the wavelength given."
    record.write(options.out, what, {"patterns": rows, "totals": [totals]})


def known_cells(index: Path, folder: Path) -> list[Known]:
    """The rows of an index that have a cell.

    Raises:
        SystemExit: a column is missing or a number is none.
    """
    with index.open(newline="", encoding="utf-8-sig") as lines:
        rows = [row for row in csv.DictReader(lines) if (row.get("a") or "").strip()]
    try:
        return [_known(row, folder) for row in rows]
    except (KeyError, ValueError) as error:
        raise SystemExit(f"{index}: {error!r}; the columns are {', '.join(_CELL)} ...") from error


def _known(row: dict[str, str], folder: Path) -> Known:
    cell = np.array([float(row[name]) for name in _CELL])
    letter = (row.get("space_group") or row["centring"]).strip()[0].upper()
    hexagonal = abs(cell[5] - 120) < 0.01 and abs(cell[0] - cell[1]) < 1e-3 * cell[0]
    if letter == "R" and not hexagonal:
        letter = "P"
    return Known(folder / row["file"], _first_number(row["wavelength_A"]), Truth(cell, letter))


def _first_number(text: str) -> float | None:
    try:
        return float(text.split("/")[0])
    except ValueError:
        return None


def _one(known: Known, time_limit_s: float, workers: int) -> tuple[Judged | None, list[str]]:
    """Index one pattern and print its row, which is returned; None where it can't be indexed."""
    options = Options(wavelength_A=known.wavelength_A, time_limit_s=time_limit_s)
    wall, cpu = perf_counter(), process_time()
    try:
        result = index_content(read(known.file, known.wavelength_A), options, workers).result
    except MlindexError as error:
        why = str(error).replace(str(known.file), known.file.name)
        cells = [known.file.name, str(known), "", f"refused: {why}", *[""] * 7]
        _row(cells)
        return None, cells
    spent = perf_counter() - wall, process_time() - cpu
    found = judge(result, known.truth)
    seconds = (f"{s:.1f}" for s in spent)
    cells = [known.file.name, str(known), *_outcome(result, found, known.truth), *seconds]
    _row(cells)
    return found, cells


def _outcome(result: IndexingResult, found: Judged, truth: Truth) -> Iterator[str]:
    yield f"{found.rank}{', named' if found.named else ''}"
    yield ("convincing but wrong" if found.wrong else "convincing") if found.convincing else "no"
    if not result.candidates:
        yield from ("", "", "", "", "")
        return
    best = result.candidates[0]
    yield f"{best.bravais} {_cell_text(best.cell)}"
    yield _relation(best, truth)
    yield f"{best.n_indexed}/{best.n_used}"
    yield f"{best.m20:.1f}"
    yield f"{best.probability_with_partners:.2f}"


def _relation(best: Candidate, truth: Truth) -> str:
    """What a candidate's lattice is to the known one."""
    if truth.is_(best.cell, best.centring):
        return "the same"
    mine, theirs = lattice_of(best.cell, best.centring), lattice_of(truth.cell, truth.centring)
    for name, small, large in (("supercell", theirs, mine), ("subcell", mine, theirs)):
        metric = metric_tensor(small.reduced)
        for index in range(2, MAX_INDEX + 1):
            for rows in hermite_normal_forms(index):
                made = lattice_of(cell_from_metric(rows @ metric @ rows.T), "P")
                if same(made, large, truth.length_tolerance, truth.angle_tolerance_deg):
                    return f"{name} of index {index}"
    return "other"


def _cell_text(cell: np.ndarray) -> str:
    lengths = " ".join(f"{value:.4g}" for value in cell[:3])
    free = " ".join(f"{value:.5g}" for value in cell[3:] if abs(value - 90) > 1e-6)
    return f"{lengths} {free}".strip()


def _totals(judged: list[Judged], refused: int) -> dict[str, int]:
    return {
        "patterns": len(judged) + refused,
        "refused": refused,
        "first": sum(j.first for j in judged),
        "first or named partner of it": sum(j.solved for j in judged),
        "among the first 20": sum(j.listed for j in judged),
        "anywhere in the list": sum(j.rank > 0 for j in judged),
        "convincing": sum(j.convincing for j in judged),
        "convincing but wrong": sum(j.wrong for j in judged),
    }


def _row(cells: tuple[str, ...] | list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
