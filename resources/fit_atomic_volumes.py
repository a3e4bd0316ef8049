"""Fits workflow/mlindex/crystal/atomic_volumes.csv, the volume that an atom takes in a crystal.

    python resources/fit_atomic_volumes.py RESULTS [--exclude NAME ...] [--out FILE]

RESULTS is a folder that the workflow made from CIF files (its entries are read). The volume of a
cell is taken as the sum of those of its atoms; elements that few crystals have are drawn towards
a usual value. Prints how far sums fitted to four fifths of the crystals are from the rest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from scipy.stats import t

from mlindex.base.schema import read_table
from mlindex.structures.tables import ENTRIES

VOLUME_RANGE_A3 = (8.0, 8000.0)
#: A usual volume of an atom, of hydrogen, and how strongly rare elements are drawn to it.
USUAL_A3, HYDROGEN_A3, PULL = 18.0, 5.0, 0.15
#: No atom takes less.
LEAST_A3 = 1.0
#: Relative discrepancies beyond this count less and less: formulas leave atoms out.
TRUSTED, STEPS = 0.15, 15
FOLDS = 5


def read_entries(results: Path, exclude: list[str]) -> pd.DataFrame:
    """Entries of all sources, without those of paths that hold an excluded name."""
    columns = ["path", "elements", "element_counts", "volume_A3"]
    tables = sorted((results / "entries").rglob("*.parquet"))
    found = pd.concat([read_table(path, ENTRIES)[columns] for path in tables])
    left = ~found["path"].map(lambda path: any(name in path for name in exclude))
    return found[left & found["volume_A3"].between(*VOLUME_RANGE_A3)]


def counts_of(entries: pd.DataFrame, elements: list[str]) -> np.ndarray:
    """Atoms of each element in each cell (n, e); deuterium is hydrogen."""
    counts = np.zeros((len(entries), len(elements)))
    pairs = zip(entries["elements"], entries["element_counts"], strict=True)
    for row, (names, numbers) in enumerate(pairs):
        for name, number in zip(names, numbers, strict=True):
            counts[row, elements.index("H" if name == "D" else name)] += number
    return counts


def fit(counts: np.ndarray, volumes: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Volumes of atoms (e,), by least squares of relative discrepancies, outliers weighed down."""
    weight, pull = np.ones(len(volumes)), np.diag(PULL / usual)
    for _ in range(STEPS):
        root = np.sqrt(weight)
        left = np.vstack([counts / volumes[:, None] * root[:, None], pull])
        right = np.concatenate([root, np.full(len(usual), PULL)])
        found = LEAST_A3 + nnls(left, right - LEAST_A3 * left.sum(axis=1))[0]
        weight = 1 / (1 + (discrepancies(counts, volumes, found) / TRUSTED) ** 2)
    return found


def discrepancies(counts: np.ndarray, volumes: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """ln of the volume over the sum of the atoms' (n,)."""
    return np.log(volumes / (counts @ atoms))


def held_out(counts: np.ndarray, volumes: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Discrepancies of each fold with what is fitted to the others."""
    fold = np.random.default_rng(0).permutation(len(volumes)) % FOLDS
    found = []
    for k in range(FOLDS):
        mine = fold == k
        atoms = fit(counts[~mine], volumes[~mine], usual)
        found.append(discrepancies(counts[mine], volumes[mine], atoms))
    return np.concatenate(found)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--exclude", nargs="*", default=[], help="parts of paths to leave out")
    default = Path(__file__).parents[1] / "workflow" / "mlindex" / "crystal" / "atomic_volumes.csv"
    parser.add_argument("--out", type=Path, default=default)
    arguments = parser.parse_args()
    entries = read_entries(arguments.results, arguments.exclude)
    elements = sorted({name for names in entries["elements"] for name in names} - {"D"})
    counts, volumes = counts_of(entries, elements), entries["volume_A3"].to_numpy()
    usual = np.array([HYDROGEN_A3 if name == "H" else USUAL_A3 for name in elements])
    left = held_out(counts, volumes, usual)
    freedom, _, scale = t.fit(left, floc=0.0)
    print(f"{len(volumes)} crystals; held out: Student's t of {freedom:.2f} degrees of freedom, ")
    print(f"scale {scale:.3f}; percentiles 5, 16, 50, 84, 95:")
    print(np.percentile(left, [5, 16, 50, 84, 95]).round(3))
    table = pd.DataFrame(
        {
            "element": elements,
            "volume_A3": fit(counts, volumes, usual).round(2),
            "crystals": (counts > 0).sum(axis=0),
        }
    )
    table.to_csv(arguments.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
