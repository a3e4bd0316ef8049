"""Time of deduplication against the number of entries: python benchmarks/deduplication.py."""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
import pyarrow as pa

from mlindex.structures.deduplication import deduplicate
from mlindex.structures.settings import Deduplication

SIZES = (10_000, 100_000, 1_000_000)
_LATTICES = ("aP", "mP", "mC", "oP", "oC", "oI", "tP", "tI", "hP", "hR", "cF", "cP")
_ELEMENTS = np.array(["Al", "B", "Br", "C", "Ca", "Cl", "Cu", "Fe", "H", "K", "Mg", "N", "O", "S"])
_COPIES = 0.4


def synthetic_entries(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Entries of two sources, 40 % of them with the composition and nearly the volume of another.

    Args:
        n: entries.
        rng: random generator.
    """
    parent = np.arange(n)
    copies = rng.random(n) < _COPIES
    parent[copies] = rng.integers(0, n, copies.sum())
    n_elements = rng.integers(1, 6, n)[parent]
    starts = np.concatenate([[0], np.cumsum(n_elements)])
    owner = np.repeat(parent, n_elements)
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], n_elements)
    # Element and count follow from parent and place, so that copies agree.
    element = (owner * 7 + place * 5 + owner // 19) % len(_ELEMENTS)
    counts = 1.0 + (owner * 13 + place * 29) % 97
    volume = np.exp(rng.normal(6.5, 0.8, n))[parent] * (1 + 0.03 * rng.standard_normal(n))
    return pd.DataFrame(
        {
            "entry_id": [f"s{i % 2}:{i:07d}:x" for i in range(n)],
            "source": [f"s{i % 2}" for i in range(n)],
            "bravais_lattice": np.array(_LATTICES)[parent % len(_LATTICES)],
            "elements": _lists(starts, _ELEMENTS[element]),
            "element_counts": _lists(starts, counts),
            "volume_A3": np.round(volume, 2),
            "r_factor": np.where(rng.random(n) < 0.2, np.nan, rng.uniform(0.01, 0.12, n)),
        }
    )


def _lists(starts: np.ndarray, values: np.ndarray) -> pd.Series:
    # The way from Parquet to a frame, so that the benchmark meets what the stage meets.
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pa.array(values)).to_pandas()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows to try")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{'rows':>9} {'kept':>9} {'seconds':>9} {'us/row':>8} {'rows x':>7} {'time x':>7}")
    previous: tuple[int, float] | None = None
    for n in arguments.sizes:
        entries = synthetic_entries(n, np.random.default_rng(arguments.seed))
        start = time.perf_counter()
        table = deduplicate(entries, ["s0", "s1"], Deduplication())
        seconds = time.perf_counter() - start
        growth = "" if previous is None else f"{n / previous[0]:7.1f} {seconds / previous[1]:7.1f}"
        kept = int(table["kept"].sum())
        print(f"{n:9d} {kept:9d} {seconds:9.2f} {1e6 * seconds / n:8.2f} {growth}")
        previous = n, seconds


if __name__ == "__main__":
    main()
