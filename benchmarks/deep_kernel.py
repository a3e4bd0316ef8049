"""Which of many powder patterns to index next, to find the crystals of the largest cells first.

    python benchmarks/deep_kernel.py results --out docs/how_well/deep_kernel.json

``results`` is a folder that the workflow made. A pool is drawn from its crystals, one of each
formula; of each is known the calculated pattern: on a grid of log q from its first line on, and
where that line is (``from the first line``), or on one grid for all (``as it is``). The score is
the logarithm of the volume of its primitive cell: a label would cost a search for the cell, and is
looked up here. Campaigns begin with a batch at random and ask for batches, by the protocol of
``mlindex.campaigns.replay``, with the default method and one model after the other; beside them
random order, and that of the first lines, lowest q first, which needs no model.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import record

from campaigns import _figure
from mlindex.base.columns import cell_names
from mlindex.base.schema import Table, read_table
from mlindex.campaigns.methods import method
from mlindex.campaigns.methods.contract import Method, Proposals, Seen
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.replay import (
    Pool,
    acceleration,
    enhancement,
    found,
    replayed,
    with_interval,
)
from mlindex.classification.features import GRID_POINTS, grids_of
from mlindex.crystal.cell import metric_tensor
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, ENTRIES

#: Lines that a pattern has at least.
_LINES = 8
#: Step of the grid of :func:`grids_of` in log q, which spans 0.95 to 7 times the first line's.
_GRID_STEP = np.log(7.0 / 0.95) / GRID_POINTS
#: Points of the grid that are one column on the grid for all patterns.
_COARSER = 4


@dataclass(frozen=True)
class FirstLine:
    """The candidates by their first lines, lowest q first; ``place`` finds these (n,)."""

    place: Callable[[np.ndarray], np.ndarray]

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """Those of the lowest first lines."""
        chosen = np.argsort(self.place(candidates), kind="stable")[:count]
        nothing = np.full(len(chosen), np.nan)
        return Proposals(chosen, nothing, nothing, ("its first line is low",) * len(chosen))

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """Minus where the first line is (n,)."""
        return -self.place(candidates)


#: What is known of a crystal, and where its first line is in that.
_KNOWN = {
    "from the first line": lambda x: x[:, -1],
    "as it is": lambda x: np.argmax(x > 0, axis=1),
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--crystals", type=int, default=500)
    parser.add_argument("--known", nargs="+", choices=list(_KNOWN), default=list(_KNOWN))
    parser.add_argument("--campaigns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    record.add_out(parser)
    options = parser.parse_args()
    known = crystals(options.results, options.crystals, options.seed)
    pools = {what: pool_of(known, what) for what in options.known}
    pool = pools[options.known[0]]
    what = (
        f"{options.campaigns} campaigns on {len(pool)} crystals of seed {options.seed}, one of "
        f"each formula: {options.batch} at random, then {options.batch} at a time up to "
        f"{options.steps}; the best are the {int(pool.best.sum())} largest primitive cells; "
        "[low, high] are 95 % intervals by resampling the campaigns."
    )
    rows = [row for known, pool in pools.items() for row in _ways(pool, known, options)]
    record.write(options.out, what, {"ways": rows})


def crystals(results: Path, number: int, seed: int) -> pd.DataFrame:
    """Crystals drawn at random, one of each formula: Niggli cells and lines."""
    names = cell_names("niggli_")
    known = _read(results / "entries", ENTRIES, ["entry_id", "formula"])
    known = known.merge(_read(results / "cells", CELLS, ["entry_id", *names]), on="entry_id")
    lines = ["observed_q2_inv_A2", "observed_intensity"]
    known = known.merge(_read(results / "peaks", PEAKS, ["entry_id", *lines]), on="entry_id")
    known = known[known[lines[0]].map(len) >= _LINES].sort_values("entry_id")
    return known.sample(frac=1, random_state=seed).drop_duplicates("formula").head(number)


def pool_of(crystals: pd.DataFrame, known: str) -> Pool:
    """Patterns of crystals by what is known of them, and logarithms of primitive volumes."""
    q2 = list(crystals["observed_q2_inv_A2"])
    grids = grids_of(q2, list(crystals["observed_intensity"]))
    first = 0.5 * np.log([one[0] for one in q2])
    first -= first.min()
    if known == "as it is":
        features = _at_one_scale(grids, first)
        groups = np.zeros(features.shape[1], dtype=int)
    else:
        features = np.column_stack([grids, first / first.max()])
        groups = np.append(np.zeros(GRID_POINTS, dtype=int), 1)
    metric = metric_tensor(crystals[cell_names("niggli_")].to_numpy(dtype=float))
    return Pool.of(features, 0.5 * np.log(np.linalg.det(metric)), groups)


def _at_one_scale(grids: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Patterns (n, columns) on one grid of log q, coarser, from grids that begin at first lines."""
    places = np.rint(first / _GRID_STEP).astype(int)
    table = np.zeros((len(grids), -(-(places.max() + GRID_POINTS) // _COARSER) * _COARSER))
    for row, grid, place in zip(table, grids, places, strict=True):
        row[place : place + GRID_POINTS] = grid
    return table.reshape(len(table), -1, _COARSER).max(axis=2)


def _read(folder: Path, table: Table, columns: list[str]) -> pd.DataFrame:
    paths = sorted(folder.rglob("*.parquet"))
    return pd.concat([read_table(path, table, columns) for path in paths], ignore_index=True)


def _ways(pool: Pool, known: str, options: argparse.Namespace) -> Iterator[dict]:
    ways: dict[str, Method] = {"random": method("random"), "first line": FirstLine(_KNOWN[known])}
    for model in ("gaussian", "portfolio", "deep"):
        ways[model] = method(options=Options(model=model))
    for name, way in ways.items():
        # Random's half of the pool is its AF of 1.
        steps = len(pool) if name == "random" else options.steps
        start = time.process_time()
        shares = []
        for seed in range(options.campaigns):
            order = replayed(pool, way, seed, steps, options.batch, options.batch)
            shares.append(found(pool, order, steps))
            print(known, name, seed, round(float(shares[-1][options.steps - 1]), 2), flush=True)
        seconds = (time.process_time() - start) / options.campaigns
        table, size = np.stack(shares), len(pool)
        half = partial(acceleration, size=size, share=0.5)
        row = {"known": known, "way": name, "pool": size, "best": int(pool.best.sum())}
        row |= _figure("EF", with_interval(table, partial(enhancement, size=size)))
        row |= _figure("AF50", with_interval(table, half))
        at_end = with_interval(table, lambda s: 100 * float(s[:, options.steps - 1].mean()))
        row |= _figure("found_percent", at_end)
        yield row | {"cpu_s_each": round(seconds, 2)}


if __name__ == "__main__":
    main()
