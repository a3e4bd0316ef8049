"""Fits what a formula says of a cell: atomic_volumes.csv and formula_units.json of mlindex.crystal.

    python resources/fit_atomic_volumes.py RESULTS [--exclude NAME ...] [--out FOLDER]

RESULTS is a folder that the workflow made from CIF files (its entries are read). The volume of a
cell is taken as the sum of those of its atoms, in molecules, salts, metals and elements apart;
elements that few crystals have are drawn towards their volume in all crystals. Entries in P 1,
mostly calculated ones whose cells are too large by some percent, serve for these volumes only,
with less weight.
The others also tell how large primitive cells are and how many formula units they hold. Prints how
far sums fitted to half of the crystals (by their sets of elements) are from the other half, and
how that half's own formulas and those of other crystals are told apart.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from mlindex.base.schema import read_table
from mlindex.crystal.formula_volume import (
    ELEMENT,
    KINDS,
    MOLECULE,
    SUM_FREEDOM,
    VOLUME_FREEDOM,
    kind_of,
    student_t,
    unit_of,
)
from mlindex.crystal.lattice import BRAVAIS
from mlindex.structures.tables import ENTRIES

PACKAGE = Path(__file__).parents[1] / "workflow" / "mlindex" / "crystal"
VOLUME_RANGE_A3 = (8.0, 8000.0)
#: A usual volume of an atom, of hydrogen, and how strongly rare elements are drawn to it; within a
#: kind of formula, to their volume in all.
USUAL_A3, HYDROGEN_A3, PULL, PULL_OF_KIND = 18.0, 5.0, 0.15, 0.5
#: No atom takes less.
LEAST_A3 = 1.0
#: Relative discrepancies beyond this count less and less: formulas leave atoms out.
TRUSTED, STEPS = 0.12, 6
#: Calculated cells are larger than measured ones; a measured one counts as several.
SHRUNK, MEASURED_WEIGHT = 0.97, 8.0
#: Lattices that few crystals have are counted together.
TOGETHER = (("oC", "oF", "oI"), ("cI", "cF"))
#: Shares of numbers of units up to LISTED are counted, beyond they fall with this power. What all
#: lattices have counts as so many crystals of each; so does a usual spread of ln V.
LISTED, FALL, MOST_UNITS, AS_MANY, AS_MANY_IN_ALL = 32, 1.6, 200, 8.0, 10.0
USUAL_SPREAD = 0.8
#: Discrepancies beyond are mistakes, and do not count in the scale.
MISTAKE = 0.6
#: The scale is no less for a kind: elements are fitted to few crystals, and forms of one differ.
LEAST_SCALE = {ELEMENT: 0.1}


@dataclass(frozen=True)
class Crystals:
    """Primitive cells: elements and their counts (n, e), volumes and units (n,), Bravais lattices
    and kinds (n,), whether they count as measured (n,), and the half they are in (n,)."""

    elements: list[str]
    counts: np.ndarray
    volume_A3: np.ndarray
    units: np.ndarray
    bravais: np.ndarray
    kind: np.ndarray
    measured: np.ndarray
    half: np.ndarray

    def unit_A3(self, atoms: Mapping[str, np.ndarray]) -> np.ndarray:
        """Volumes of the formula units (n,), of atoms' volumes by kind."""
        found = np.empty(len(self.counts))
        for kind in KINDS:
            mine = self.kind == kind
            found[mine] = self.counts[mine] @ atoms[kind]
        return found / self.units


def read_entries(results: Path, exclude: list[str]) -> pd.DataFrame:
    """Entries of all sources, without those of paths that hold an excluded name."""
    columns = ["path", "formula", "elements", "element_counts", "formula_units", "volume_A3"]
    columns += ["spacegroup_number", "hm_symbol", "bravais_lattice"]
    tables = sorted((results / "entries").rglob("*.parquet"))
    found = pd.concat([read_table(path, ENTRIES)[columns] for path in tables])
    left = ~found["path"].map(lambda path: any(name in path for name in exclude))
    return found[left & found["volume_A3"].between(*VOLUME_RANGE_A3)]


def crystals_of(entries: pd.DataFrame) -> Crystals:
    """Each crystal once."""
    seen, rows = set(), []
    for row in entries.itertuples():
        points = {"P": 1, "R": 1 if ":R" in row.hm_symbol else 3, "F": 4}.get(row.hm_symbol[0], 2)
        volume = row.volume_A3 / points
        key = (row.formula, row.bravais_lattice, round(20 * np.log(volume)))
        if key in seen:
            continue
        seen.add(key)
        cell: dict[str, float] = {}
        for element, count in zip(row.elements, row.element_counts, strict=True):
            # Deuterium is hydrogen.
            name = "H" if element == "D" else element
            cell[name] = cell.get(name, 0.0) + count / points
        unit = {name: count * points / row.formula_units for name, count in cell.items()}
        counts = {n: float(round(c)) if abs(c - round(c)) < 1e-6 else c for n, c in unit.items()}
        units = sum(cell.values()) / sum(unit_of(counts).values())
        half = zlib.crc32(" ".join(sorted(cell)).encode()) % 2
        measured = row.spacegroup_number > 1
        size = volume if measured else volume * SHRUNK
        rows.append((cell, size, units, row.bravais_lattice, kind_of(cell), measured, half))
    cells, *columns = zip(*rows, strict=True)
    elements = sorted({name for cell in cells for name in cell})
    counts = np.array([[cell.get(name, 0.0) for name in elements] for cell in cells])
    return Crystals(elements, counts, *map(np.array, columns))


def fit(
    counts: np.ndarray, volumes: np.ndarray, weights: np.ndarray, usual: np.ndarray, pull: float
) -> np.ndarray:
    """Volumes of atoms (e,), by least squares of relative discrepancies, outliers weighed down."""
    weight = weights.copy()
    for _ in range(STEPS):
        root = np.sqrt(weight)
        left = np.vstack([counts / volumes[:, None] * root[:, None], np.diag(pull / usual)])
        right = np.concatenate([root, np.full(len(usual), pull)]) - LEAST_A3 * left.sum(axis=1)
        # The same least squares with a square matrix.
        square = np.linalg.cholesky(left.T @ left + 1e-12 * np.eye(len(usual)))
        found = LEAST_A3 + nnls(square.T, np.linalg.solve(square, left.T @ right))[0]
        weight = weights / (1 + (np.log(volumes / (counts @ found)) / TRUSTED) ** 2)
    return found


def atoms_of(known: Crystals, mine: np.ndarray) -> dict[str, np.ndarray]:
    """Volumes of atoms by kind, from some of the crystals (n,)."""
    weights = np.where(known.measured, MEASURED_WEIGHT, 1.0)
    usual = np.array([HYDROGEN_A3 if name == "H" else USUAL_A3 for name in known.elements])
    in_all = fit(known.counts[mine], known.volume_A3[mine], weights[mine], usual, PULL)
    found = {}
    for kind in KINDS:
        of_kind = mine & (known.kind == kind)
        atoms = fit(
            known.counts[of_kind], known.volume_A3[of_kind], weights[of_kind], in_all, PULL_OF_KIND
        )
        judged = of_kind & known.measured
        off = np.log(known.volume_A3[judged] / (known.counts[judged] @ atoms))
        found[kind] = atoms * np.exp(np.median(off[np.abs(off) < MISTAKE]))
    return found


def units_of(known: Crystals, mine: np.ndarray, atoms: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The content of formula_units.json, from measured crystals among some (n,)."""
    mine = mine & known.measured
    own = np.log(known.unit_A3(atoms))
    log_volume = np.log(known.volume_A3)
    mean = log_volume[mine].mean()
    volumes, units = {}, {}
    for name in BRAVAIS:
        here = mine & np.isin(known.bravais, _together(name))
        x = log_volume[here]
        middle = (x.sum() + AS_MANY_IN_ALL * mean) / (len(x) + AS_MANY_IN_ALL)
        square = ((x - middle) ** 2).sum() + 5 * USUAL_SPREAD**2
        volumes[name] = [middle, np.sqrt(square / (len(x) + 5))]
    usual = np.array([_density(own + np.log(z), volumes, known.bravais) for z in _UNITS]).T
    whole = np.clip(np.round(known.units), 1, MOST_UNITS).astype(int)
    start = _UNITS**-FALL / (_UNITS**-FALL).sum()
    for kind in (MOLECULE, "other"):
        of_kind = mine & ((known.kind == MOLECULE) == (kind == MOLECULE))
        pool = shares(whole[of_kind], usual[of_kind], start, AS_MANY_IN_ALL)
        for name in BRAVAIS:
            here = of_kind & np.isin(known.bravais, _together(name))
            found = shares(whole[here], usual[here], pool, AS_MANY)
            rest = found[LISTED:].sum() / (_UNITS[LISTED:] ** -FALL).sum()
            listed = [float(f"{share:.3g}") for share in found[:LISTED]]
            units.setdefault(name, {})[kind] = {"shares": listed, "beyond": float(f"{rest:.3g}")}
    return {
        "scales": {
            kind: max(_scale(known, mine & (known.kind == kind), own), LEAST_SCALE.get(kind, 0.0))
            for kind in KINDS
        },
        "volumes": {name: [round(float(v), 3) for v in pair] for name, pair in volumes.items()},
        "fall": FALL,
        "units": units,
    }


_UNITS = np.arange(1, MOST_UNITS + 1, dtype=float)


def shares(whole: np.ndarray, usual: np.ndarray, before: np.ndarray, as_many: float) -> np.ndarray:
    """How often there are so many units, (MOST_UNITS,), where ``usual`` (n, MOST_UNITS) says how
    often a crystal with its formula would have the volume that these take."""
    counted = np.bincount(whole - 1, minlength=MOST_UNITS)
    found = before.copy()
    for _ in range(15):
        expected = (usual / (usual @ found)[:, None]).sum(axis=0) if len(whole) else 0.0
        found = (counted + as_many * before) / (expected + as_many)
        found /= found.sum()
    return found


def _together(name: str) -> tuple[str, ...]:
    return next((group for group in TOGETHER if name in group), (name,))


def _density(log_volume: np.ndarray, volumes: Mapping[str, Any], bravais: np.ndarray) -> np.ndarray:
    mean, spread = np.array([volumes[name] for name in bravais]).T
    return student_t((log_volume - mean) / spread, VOLUME_FREEDOM) / spread


def _scale(known: Crystals, mine: np.ndarray, own: np.ndarray) -> float:
    """The most probable scale of Student's t of the discrepancies."""
    off = (np.log(known.volume_A3 / known.units) - own)[mine]
    off = off[np.abs(off) < MISTAKE]
    scales = np.linspace(0.02, 0.25, 231)
    fits = [np.log(student_t(off / scale, SUM_FREEDOM) / scale).sum() for scale in scales]
    return round(float(scales[int(np.argmax(fits))]), 3)


def judge(known: Crystals) -> None:
    """Print how sums fitted to one half do on the other."""
    off = np.empty(len(known.counts))
    for half in (0, 1):
        own = np.log(known.unit_A3(atoms_of(known, known.half != half)))
        mine = known.half == half
        off[mine] = (np.log(known.volume_A3 / known.units) - own)[mine]
    print("ln of volume over sum, of the other half: percentiles 5, 16, 50, 84, 95")
    for kind in KINDS:
        mine = known.measured & (known.kind == kind)
        print(kind, mine.sum(), np.percentile(off[mine], [5, 16, 50, 84, 95]).round(3))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--exclude", nargs="*", default=[], help="parts of paths to leave out")
    parser.add_argument("--half", type=int, choices=[0, 1], help="fit to this half only, to judge")
    parser.add_argument("--out", type=Path, default=PACKAGE, help="folder")
    arguments = parser.parse_args()
    known = crystals_of(read_entries(arguments.results, arguments.exclude))
    print(f"{len(known.counts)} crystals, {known.measured.sum()} of them not in P 1")
    judge(known)
    mine = np.ones(len(known.counts), bool)
    if arguments.half is not None:
        mine = known.half == arguments.half
    atoms = atoms_of(known, mine)
    table = {f"{kind}_A3": atoms[kind].round(2) for kind in KINDS}
    crystals = (known.counts > 0)[mine].sum(axis=0)
    pd.DataFrame({"element": known.elements, **table, "crystals": crystals}).to_csv(
        arguments.out / "atomic_volumes.csv", index=False, lineterminator="\n"
    )
    text = json.dumps(units_of(known, mine, atoms), indent=None, separators=(",", ":"))
    text = text.replace('},"', '},\n"').replace("]},", "]},\n")
    (arguments.out / "formula_units.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
