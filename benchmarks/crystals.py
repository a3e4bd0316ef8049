"""Calculated lists of real crystals of a kind that searches find hard, from a folder of CIF files.

    python benchmarks/crystals.py CIFS large --crystals 60
    python benchmarks/crystals.py CIFS triclinic --crystals 100

``large``: the reduced cell has an axis of 35 to 60 A, or a volume of 1,400 to 4,000 A3, of each as
many; lattice systems in turn. ``triclinic``: smaller reduced cells without any symmetry. CIFS holds
a folder of CIF files for each collection, which are drawn in turn; symmetry is found from the
atoms, each crystal taken once. A list holds the first 20 lines of Cu K-alpha1 that would be seen,
as in the data sets of the workflow. Left out are lists that don't tell the lattice: a parameter
depends on a single line, or a smaller cell has all of the lines. Counted is what ``indexing.py``
counts, with its tolerances. ``--out`` writes it as JSON, for docs/how_well.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping
from itertools import combinations, islice, zip_longest
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pandas as pd
import record
from mixed import truth_of

from indexing import figures, show, texts
from mlindex.crystal.cell import cell_from_reciprocal, cell_volume, reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.crystal.recognition import recognize
from mlindex.indexing.rates.judge import Truth
from mlindex.indexing.rates.measure import Case, measure_cases
from mlindex.indexing.rates.summary import ALL, SHARES, with_outcomes
from mlindex.patterns.calculated import observed_lines
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.simulation import simulate
from mlindex.patterns.spoil import EXACT
from mlindex.structures.quality import check_file
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource

_LINES = 20
_LONG_A, _LARGE_A3 = (35.0, 60.0), (1400.0, 4000.0)
_MAX_FILE_BYTES = 300_000
#: Crystals that are read for each one that is kept: not all have a formula of their own, or lines.
_READ = 3
#: Angles nearer to 90 degrees are taken for those of another system; a reduced axis is the diagonal
#: of a conventional cell with axes that are this much shorter.
_RIGHT_DEG, _SHORTEST_EDGE = 0.05, 0.5
#: Symmetry that a lattice has but for rounding, relative to q².
_SYMMETRY = 1e-5
LONG, LARGE, TRICLINIC = "an axis of 35 to 60 A", "1,400 to 4,000 A3", "triclinic"
KINDS = {"large": (LONG, LARGE), "triclinic": (TRICLINIC,)}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--crystals", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each list")
    parser.add_argument("--missed", action="store_true", help="print the lists that are missed")
    record.add_out(parser)
    options = parser.parse_args()
    kinds = KINDS[options.kind]
    lists = {kind: _cases(options, kind, options.crystals // len(kinds)) for kind in kinds}
    measured = measure_cases([case for cases in lists.values() for case in cases], options.workers)
    table = with_outcomes(measured.table)
    if options.missed:
        columns = ["entry_id", "bravais_lattice", "rank", "convincing", "best_bravais_lattice"]
        print(table.loc[~table["solved"], columns].to_string(index=False))
    record.write(options.out, _what(options), {"lattices": _shown(lists, table, measured.seconds)})


def _shown(
    lists: Mapping[str, list[Case]], table: pd.DataFrame, seconds: pd.DataFrame
) -> list[dict[str, Any]]:
    """Counts and seconds of each kind and of all, printed."""
    show(["crystals", "lists", *SHARES, "95 % of first", "median s", "worst s", "CPU s"])
    show(["---"] * (len(SHARES) + 6))
    rows = []
    for kind, cases in lists.items():
        names = [case.entry_id for case in cases]
        mine = (part[part["entry_id"].isin(names)] for part in (table, seconds))
        rows.append(figures(kind, *mine))
        show(texts(rows[-1]))
    if len(lists) > 1:
        rows.append(figures(ALL, table, seconds))
        show(texts(rows[-1]))
    return rows


def _what(options: argparse.Namespace) -> str:
    return (
        f"The first {_LINES} lines of {options.crystals} real crystals, {options.kind}, seed "
        f"{options.seed}, as calculated."
    )


def kind_of(truth: Truth, bravais: str) -> str:
    """Which kind a crystal is; "" for one that is none."""
    reduced = lattice_of(truth.cell, truth.centring).reduced
    volume, longest = cell_volume(reduced), max(reduced[:3])
    if longest > _LONG_A[1] or volume > _LARGE_A3[1]:
        return ""
    if longest >= _LONG_A[0]:
        return LONG
    if volume >= _LARGE_A3[0]:
        return LARGE
    return TRICLINIC if bravais == "aP" else ""


def _cases(options: argparse.Namespace, kind: str, number: int) -> list[Case]:
    """Lists of so many crystals of a kind, lattice systems in turn, each once."""
    rows = islice(_entries(options, kind), _READ * number)
    table = pd.DataFrame(rows)
    # Polytypes share a formula and are crystals of their own.
    table = table[~table.assign(size=table["volume_A3"].round()).duplicated(["formula", "size"])]
    turn = table.groupby("lattice_system").cumcount()
    order = table.assign(turn=turn).sort_values(["turn", "lattice_system"]).index
    lists = ((table.loc[place], first_lines(table.loc[[place]])) for place in order)
    return [
        Case(
            entry["entry_id"],
            entry["bravais_lattice"],
            EXACT,
            0.0,
            0.0,
            q2,
            truth_of(entry),
            options.time_limit,
        )
        for entry, q2 in islice(filter(_determines, lists), number)
    ]


def _determines(pair: tuple[Mapping[str, Any], np.ndarray]) -> bool:
    """Whether a crystal (row of ENTRIES) has so many lines, and they tell its lattice."""
    entry, q2 = pair
    return len(q2) == _LINES and tells(truth_of(entry), q2)


def tells(truth: Truth, q2: np.ndarray) -> bool:
    """Whether lines q2 (n,) tell a lattice: without any one of them all parameters are known still,
    and they are not all lines of a smaller cell, too."""
    x6 = reciprocal_from_cell(lattice_of(truth.cell, truth.centring).reduced)
    way = recognize(x6, _SYMMETRY)[0]
    hkl = _nearest(way.cell, way.centring, q2)
    shares = quadratic_terms(hkl) @ np.array(BRAVAIS[way.bravais].system.basis).T
    ranks = [np.linalg.matrix_rank(np.delete(shares, line, axis=0)) for line in range(len(q2))]
    primitive = np.array(list(combinations(_nearest(cell_from_reciprocal(x6), "P", q2), 3)))
    index = np.gcd.reduce(np.rint(np.linalg.det(primitive)).astype(int))
    return bool(min(ranks) == shares.shape[1] and index == 1)


def _nearest(cell: np.ndarray, centring: str, q2: np.ndarray) -> np.ndarray:
    """Miller indices (n, 3) of the reflection nearest to each line."""
    hkl = reflections(cell, centring, 1.01 * q2[-1])
    calculated = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    return hkl[np.abs(q2[:, None] - calculated).argmin(axis=1)]


def first_lines(entry: pd.DataFrame) -> np.ndarray:
    """q² (n,) of the first lines of a crystal (one row of ENTRIES) that would be seen, 1/A²."""
    settings = Simulation()
    simulated = simulate(entry, settings)
    if simulated.reflections.empty:
        return np.empty(0)
    lines = simulated.reflections.iloc[0]
    height = np.asarray(lines["intensity"], dtype=float) * simulated.patterns.iloc[0]["scale"]
    two_theta = np.asarray(lines["two_theta_deg"], dtype=float)
    seen, _ = observed_lines(two_theta, height, Peaks(), settings.fwhm_deg)
    return np.asarray(lines["q2_inv_A2"], dtype=float)[seen][:_LINES]


def _entries(options: argparse.Namespace, kind: str) -> Iterator[dict[str, Any]]:
    """Rows of ENTRIES of a kind, collections in turn."""
    source = FolderSource(name="x", path=str(options.folder), symmetry="found")
    for path in _in_turn(options.folder, options.seed):
        if not _may_be(path, kind):
            continue
        name = path.relative_to(options.folder).as_posix()
        for usable, row in check_file(name, options.folder, source, Quality()):
            if usable and kind_of(truth_of(row), row["bravais_lattice"]) == kind:
                yield row


def _in_turn(folder: Path, seed: int) -> Iterator[Path]:
    """CIF files, a random one of each collection in turn."""
    collections: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.cif")):
        if path.stat().st_size < _MAX_FILE_BYTES:
            collections.setdefault(path.relative_to(folder).parts[0], []).append(path)
    for paths in collections.values():
        random.Random(seed).shuffle(paths)
    for turn in zip_longest(*collections.values()):
        yield from filter(None, turn)


def _may_be(path: Path, kind: str) -> bool:
    """Whether a file's first cell, which is read in no time, is large or oblique enough."""
    try:
        cell = gemmi.read_small_structure(str(path)).cell
    except (ValueError, RuntimeError, IndexError):
        return False
    if kind == TRICLINIC:
        return all(abs(angle - 90) > _RIGHT_DEG for angle in (cell.alpha, cell.beta, cell.gamma))
    longest = max(cell.a, cell.b, cell.c)
    return longest >= _LONG_A[0] * _SHORTEST_EDGE if kind == LONG else cell.volume >= _LARGE_A3[0]


if __name__ == "__main__":
    main()
