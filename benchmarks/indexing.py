"""How often, and how fast, cells are found with nothing told: lists of validation entries.

    python benchmarks/indexing.py results --entries 50 --noise 0.01 --impurities 3 --shift 0.05

``results`` is a folder that the workflow made (its ``dataset`` tables are used). For each Bravais
lattice: found first; found first, or named as a partner of the first; among the first 20; called
convincing but wrong; seconds, median and worst. A wrong cell is wrong by its reduced cell (1 %,
0.5 degrees). Lines are as calculated, or spoiled: normal noise and a zero shift of 2theta
(degrees), lines replaced by impurities, lines left out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.axes import cell_to_standard
from mlindex.equivalence import same_lattice
from mlindex.indexer import index
from mlindex.lattice import SYSTEMS, LatticeSystem
from mlindex.merit import q2_from_two_theta, two_theta_from_q2
from mlindex.peaklist import PeakList
from mlindex.provenance import derive_seed
from mlindex.tables.columns import cell_names
from mlindex.validation import centring_of

WAVELENGTH_A = 1.5406
_LIST_LENGTH = 20


@dataclass(frozen=True)
class Spoil:
    """What is done to the lines: see the module."""

    noise_deg: float
    shift_deg: float
    impurities: int
    missing: int


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--entries", type=int, default=50, help="of each Bravais lattice")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--impurities", type=int, default=0)
    parser.add_argument("--missing", type=int, default=0)
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    spoil = Spoil(options.noise, options.shift, options.impurities, options.missing)
    heads = ("lattice", "entries", "first", "or partner", "in 20", "wrong", "median s", "worst s")
    print(f"| {' | '.join(heads)} |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.systems:
        system = SYSTEMS[name]
        table = pd.read_parquet(options.results / "dataset" / f"{name}.parquet")
        table = table[(table["side"] == "validation") & table["usable"]]
        for bravais, entries in table.groupby("bravais_lattice"):
            chosen = entries.sample(min(len(entries), options.entries), random_state=options.seed)
            rows = [_one(e, system, spoil, options.seed) for e in chosen.to_dict("records")]
            print(_line(str(bravais), pd.DataFrame(rows)), flush=True)


def spoiled(q2: np.ndarray, n_peaks: int, spoil: Spoil, rng: np.random.Generator) -> np.ndarray:
    """q² of the list (n,) that is indexed, from all lines of an entry."""
    kept = np.delete(q2, rng.choice(n_peaks, spoil.missing, replace=False))[:n_peaks]
    two_theta = two_theta_from_q2(kept, WAVELENGTH_A)
    if spoil.impurities:
        where = rng.choice(len(two_theta), spoil.impurities, replace=False)
        two_theta[where] = rng.uniform(two_theta[0], two_theta[-1], spoil.impurities)
    two_theta = two_theta + rng.normal(0, spoil.noise_deg, len(two_theta)) + spoil.shift_deg
    return np.sort(q2_from_two_theta(two_theta, WAVELENGTH_A))


def _one(entry: dict, system: LatticeSystem, spoil: Spoil, seed: int) -> dict:
    rng = np.random.default_rng(derive_seed(seed, "spoil", entry["entry_id"]))
    q2 = np.sort(np.asarray(entry["observed_q2_inv_A2"], dtype=float))
    peaks = PeakList(entry["entry_id"], spoiled(q2, system.n_peaks, spoil, rng), None, WAVELENGTH_A)
    result = index(peaks)
    axis = entry["unique_axis"] or ""
    cell = cell_to_standard(np.array([entry[n] for n in cell_names("")]), system, axis)
    centring = centring_of(entry["hm_symbol"], system, axis)
    ranks = [
        rank
        for rank, c in enumerate(result.candidates[:_LIST_LENGTH])
        if same_lattice(c.cell, c.centring, cell, centring)
    ]
    first = ranks[:1] == [0]
    partner = bool(result.candidates) and any(
        same_lattice(p.cell, p.centring, cell, centring) for p in result.candidates[0].partners
    )
    return {
        "first": first,
        "partner": first or partner,
        "listed": bool(ranks),
        "wrong": result.convincing and not (first or partner),
        "seconds": result.seconds,
    }


def _line(bravais: str, rows: pd.DataFrame) -> str:
    shares = " | ".join(
        f"{100 * rows[c].mean():.1f}" for c in ("first", "partner", "listed", "wrong")
    )
    seconds = rows["seconds"]
    return f"| {bravais} | {len(rows)} | {shares} | {seconds.median():.2f} | {seconds.max():.1f} |"


if __name__ == "__main__":
    main()
