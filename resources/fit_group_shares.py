"""Fits how often space groups are met in small cells: constants of mlindex.crystal.group_shares.

    python resources/fit_group_shares.py RESULTS [--exclude NAME ...]

RESULTS is a folder that the workflow made from CIF files, their symmetry as given (its entries are
read); entries in P 1, mostly calculated ones, are left out, and so are those whose path holds an
excluded name. Each formula with a space group and a volume counts once. Prints the two constants by
conditional logit of the group, given the Bravais lattice, and in five folds, with the constants and
with counts alone: the mean of -ln(probability) within the lattice, and how often the group that
comes first within its extinction symbol is the right one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from mlindex.base.schema import read_table
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.extinction_classes import SPACE_GROUP_COUNTS
from mlindex.crystal.group_shares import point_group_orders, small_share
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.structures.tables import ENTRIES

FOLDS, SEED, SMALL_A3 = 5, 0, 300.0
CELL = ["a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--exclude", nargs="*", default=[], help="parts of paths to leave out")
    options = parser.parse_args()
    group, volume = crystals(options.results, options.exclude)
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(group))
    print(f"{len(group)} crystals; flatter, symmetry: {fitted(group, volume).round(3).tolist()}")
    for name, refit in (("counts alone", False), ("with both", True)):
        cost, right = np.empty(len(group)), np.empty(len(group))
        for number in range(FOLDS):
            test = fold == number
            both = fitted(group[~test], volume[~test]) if refit else np.zeros(2)
            weights = weights_of(both, volume[test])
            cost[test] = costs(weights, group[test], "bravais")
            right[test] = firsts(weights, group[test])
        small = right[volume < SMALL_A3].mean()
        print(f"{name}: {cost.mean():.3f}, {right.mean():.3f}, of small cells {small:.3f}")


def crystals(results: Path, exclude: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Space groups (n,), counted from 0, and volumes of the primitive cells (n,) in A³."""
    columns = ("path", "formula", "spacegroup_number", "hm_symbol", *CELL)
    shards = sorted((results / "entries").rglob("*.parquet"))
    entries = pd.concat([read_table(path, ENTRIES, columns) for path in shards])
    entries = entries[entries["spacegroup_number"] > 1]
    for name in exclude:
        entries = entries[~entries["path"].str.contains(name, regex=False)]
    cells = entries[CELL].to_numpy(float)
    # Rhombohedral lattices may be given on either axes.
    letter = entries["hm_symbol"].str[0].to_numpy()
    letter[(letter == "R") & (np.abs(cells[:, 5] - 120) > 1e-3)] = "P"
    primitive = [lattice_of(cell, c).reduced for cell, c in zip(cells, letter, strict=True)]
    volume = np.array([float(cell_volume(cell)) for cell in primitive])
    key = entries[["formula", "spacegroup_number"]].assign(size=np.rint(10 * np.log(volume)))
    once = ~key.duplicated().to_numpy()
    return entries["spacegroup_number"].to_numpy(int)[once] - 1, volume[once]


def weights_of(both: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """ln of the weights (n, 230), as :func:`log_weights` has them with other constants."""
    small = small_share(volume)[:, None]
    counts, orders = np.log(np.array(SPACE_GROUP_COUNTS) + 1.0), np.log(point_group_orders())
    return (1 - both[0] * small) * counts + both[1] * small * orders


def costs(weights: np.ndarray, group: np.ndarray, level: str) -> np.ndarray:
    """-ln(probability) of the groups (n,) among those of their class at a level."""
    of = classes_of(level).of_group
    among = np.where(of == of[group][:, None], weights, -np.inf)
    return np.logaddexp.reduce(among, axis=1) - weights[np.arange(len(group)), group]


def firsts(weights: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Whether each group (n,) has the greatest weight within its extinction symbol."""
    of = classes_of("extinction_symbol").of_group
    return np.where(of == of[group][:, None], weights, -np.inf).argmax(axis=1) == group


def fitted(group: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """The two constants that make the groups most probable within their Bravais lattice."""

    def cost(both: np.ndarray) -> float:
        return float(costs(weights_of(both, volume), group, "bravais").mean())

    return minimize(cost, np.zeros(2), method="BFGS").x


if __name__ == "__main__":
    main()
