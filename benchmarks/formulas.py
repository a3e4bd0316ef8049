"""What a formula does to the probability of the right cell: its own formula, and a wrong one.

    python benchmarks/formulas.py results --crystals 100 --fitted FOLDER

``results`` is a folder that the workflow made from CIF files (its entries are used). Of measured
crystals (not in P 1) of the half that ``resources/fit_atomic_volumes.py --half 1`` does not fit,
so many are drawn, no formula twice; FOLDER holds what that command wrote for the other half (by
default the package's own files, which know all crystals). The first 20 calculated lines of each,
with noise and impurities if asked, are indexed once, and the probability of the right lattice is
compared before and after its own formula is given, and that of another of these crystals. Lists
whose right lattice is not found say nothing and are counted apart. ``--out`` writes the counts as
JSON.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import record

from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.base.schema import read_table
from mlindex.crystal import formula_volume
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.formula_volume import Formula, formula_of
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.options import Options
from mlindex.indexing.ranking.rank import ranked
from mlindex.indexing.ranking.shipped import shipped_ranking
from mlindex.indexing.ranking.volume import weighed_by_volume
from mlindex.indexing.search.find_and_weigh import find
from mlindex.indexing.search.trials import Trial
from mlindex.patterns.calculated import observed_lines
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.simulation import simulate
from mlindex.patterns.spoil import WAVELENGTH_A, Spoil, spoiled
from mlindex.structures.reduction import reduce_entries
from mlindex.structures.settings import Reduction
from mlindex.structures.tables import ENTRIES

LINES = 20
VOLUMES_A3 = (20.0, 3000.0)
#: A probability from which on a cell is as good as certain.
CERTAIN = 0.99
FORMULAS = ("own", "wrong")


@dataclass(frozen=True)
class Crystal:
    """A crystal with its formula, its reduced cell (6,), and q² of its lines (n,) in 1/A²."""

    name: str
    formula: Formula
    reduced: np.ndarray
    q2_inv_A2: np.ndarray


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--crystals", type=int, default=100)
    parser.add_argument("--exclude", nargs="*", default=[], help="parts of paths to leave out")
    parser.add_argument("--fitted", type=Path, help="folder of what was fitted to the other half")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--impurities", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    record.add_out(parser)
    options = parser.parse_args()
    if options.fitted is not None:
        formula_volume._VOLUMES = options.fitted / "atomic_volumes.csv"
        formula_volume._UNITS = options.fitted / "formula_units.json"
    crystals = crystals_of(entries_of(options.results, options.exclude), options)
    rows = compared(crystals, Spoil(0.0, options.noise, options.impurities, 0), options.seed)
    counted = [counts(rows, which) for which in FORMULAS]
    print("| formula | lists | right way | or certain | other way | median factor on the odds |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in counted:
        print(f"| {' | '.join(str(value) for value in row.values())} |")
    print(f"{len(crystals)} crystals; the right lattice was not found of {rows['lost'].sum()}")
    record.write(options.out, _what(options), {"formulas": counted})


def entries_of(results: Path, exclude: Sequence[str]) -> pd.DataFrame:
    """Measured entries of the judged half, one of each formula."""
    tables = [read_table(p, ENTRIES) for p in sorted((results / "entries").rglob("*.parquet"))]
    found = pd.concat(tables)
    left = ~found["path"].map(lambda path: any(name in path for name in exclude))
    half = found["elements"].map(lambda names: zlib.crc32(" ".join(sorted(names)).encode()) % 2)
    good = left & (half == 0) & (found["spacegroup_number"] > 1)
    found = found[good & found["volume_A3"].between(*VOLUMES_A3)]
    return found.drop_duplicates("formula")


def crystals_of(entries: pd.DataFrame, options: argparse.Namespace) -> list[Crystal]:
    """So many crystals that have 20 lines, and a formula that can be read."""
    found: list[Crystal] = []
    order = np.random.default_rng(derive_seed(options.seed, "formulas")).permutation(len(entries))
    for place in order.tolist():
        if len(found) == options.crystals:
            break
        one = _crystal(entries.iloc[[place]])
        if one is not None:
            found.append(one)
    return found


def _crystal(entry: pd.DataFrame) -> Crystal | None:
    try:
        formula = formula_of(entry["formula"].iloc[0])
    except MlindexError:
        return None
    made = simulate(entry, Simulation())
    cells = reduce_entries(entry, Reduction())[0]
    if not len(made.patterns) or not len(cells):
        return None
    lines, scale = made.reflections.iloc[0], made.patterns["scale"].iloc[0]
    height = np.asarray(lines["intensity"]) * scale
    seen, _ = observed_lines(
        np.asarray(lines["two_theta_deg"]), height, Peaks(), Simulation().fwhm_deg
    )
    if len(seen) < LINES:
        return None
    names = ["a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"]
    reduced = cells[[f"niggli_{name}" for name in names]].iloc[0].to_numpy(dtype=float)
    q2 = np.sort(np.asarray(lines["q2_inv_A2"])[seen])
    return Crystal(entry["entry_id"].iloc[0], formula, reduced, q2)


def compared(crystals: Sequence[Crystal], how: Spoil, seed: int) -> pd.DataFrame:
    """Of each crystal the probability of the right lattice, with each formula and without."""
    rows: list[dict[str, Any]] = []
    for number, crystal in enumerate(crystals):
        rng = np.random.default_rng(derive_seed(seed, "formula list", crystal.name))
        q2 = spoiled(crystal.q2_inv_A2, LINES, how, rng)
        other = crystals[(number + 1) % len(crystals)].formula
        rows.append(_probabilities(crystal, other, q2))
        print(f"\r{number + 1} of {len(crystals)}", end="", flush=True)
    print()
    return pd.DataFrame(rows)


def _probabilities(crystal: Crystal, other: Formula, q2: np.ndarray) -> dict[str, Any]:
    peaks = PeakList(crystal.name, q2, None, WAVELENGTH_A)
    observed, trials, _ = find(peaks, Options(time_limit_s=120.0))
    before = ranked(trials, observed, shipped_ranking())
    return {
        "lost": _of_right(before, crystal) == 0,
        "before": _of_right(before, crystal),
        "own": _of_right(weighed_by_volume(before, crystal.formula), crystal),
        "wrong": _of_right(weighed_by_volume(before, other), crystal),
    }


def _of_right(found: Sequence[tuple[Trial, float]], crystal: Crystal) -> float:
    right = lattice_of(crystal.reduced, "P")
    mine = (p for t, p in found if same(t.lattice(), right, *FOUND_LATTICE))
    return next(mine, 0.0)


def counts(rows: pd.DataFrame, which: str) -> dict[str, Any]:
    """How many probabilities move the right way with one of the formulas."""
    rows = rows[~rows["lost"]]
    before, after = rows["before"], rows[which]
    right = after > before if which == "own" else after < before
    certain = (after >= CERTAIN) if which == "own" else np.zeros(len(rows), bool)
    odds = np.log(after / (1 - after)) - np.log(before / (1 - before))
    return {
        "formula": which,
        "lists": len(rows),
        "right_way": int(right.sum()),
        "right_way_or_certain": int((right | certain).sum()),
        "other_way": int((~(right | certain)).sum()),
        "median_factor": float(f"{np.exp(odds.median()):.2g}"),
    }


def _what(options: argparse.Namespace) -> str:
    return (
        f"The first {LINES} lines of {options.crystals} measured crystals, noise "
        f"{options.noise:g} degrees, {options.impurities} impurities, seed {options.seed}; "
        + ("volumes fitted to others." if options.fitted else "volumes fitted to all crystals.")
    )


if __name__ == "__main__":
    main()
