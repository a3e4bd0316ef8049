"""Replays of public tables of experiments: how much faster than random the default method is.

    python benchmarks/campaigns.py --seeds 50 --out docs/how_well/campaigns.json

The protocol is that of ``mlindex.campaigns.replay``. ``--screens FOLDER`` adds the protein screens
of source 000's data and its 79 rows, which have no licence and so do not come with the project:
plates of 96 wells, the first at random, with and without the other screens as past campaigns.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import campaign_tables
import numpy as np
import record

from mlindex.campaigns.methods import DEFAULT, METHODS, method
from mlindex.campaigns.replay import (
    Figure,
    Pool,
    acceleration,
    enhancement,
    found,
    replayed,
    with_interval,
)

#: Shares of the best that accelerations are given at.
_SHARES = (0.3, 0.5, 0.8)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--method", choices=list(METHODS), default=DEFAULT)
    parser.add_argument("--tables", nargs="*", choices=list(campaign_tables.TABLES))
    parser.add_argument("--amines", action="store_true", help="vapour diffusion of each amine")
    parser.add_argument("--screens", type=Path, help="folder of the protein screens")
    record.add_out(parser)
    options = parser.parse_args()
    names = list(campaign_tables.TABLES) if options.tables is None else options.tables
    tables = {"tables": [row for name in names for row in _table(name, options)]}
    if options.amines:
        tables["amines"] = list(_amines(options))
    if options.screens:
        tables["screens"] = list(_screens(options))
    what = (
        f"{options.seeds} campaigns on each table: two conditions at random (of an amine ten, of a "
        "screen a plate of 96), then one (a plate) at a time; "
        "EF is the maximum from the tenth measurement on; [low, high] are 95 % intervals."
    )
    record.write(options.out, what, tables)


def _table(name, options):
    """Rows of a table: the method, and random beside it."""
    pool = campaign_tables.TABLES[name]()
    for one in dict.fromkeys((options.method, "random")):
        # Random's half of the pool is its AF of 1; the method is much sooner.
        steps = len(pool) if one == "random" else len(pool) // 2
        start = time.process_time()
        shares = _shares(pool, one, options.seeds, steps)
        seconds = (time.process_time() - start) / options.seeds
        row = {"table": name, "pool": len(pool), "best": int(pool.best.sum()), "method": one}
        row |= _figure("EF", with_interval(shares, partial(enhancement, size=len(pool))))
        for share in _SHARES:
            sooner = partial(acceleration, size=len(pool), share=share)
            row |= _figure(f"AF{100 * share:.0f}", with_interval(shares, sooner))
        row["cpu_s_each"] = round(seconds, 2)
        print(row, flush=True)
        yield row


def _shares(pool, name, seeds, steps, **more):
    """Shares found (seeds, steps)."""
    orders = (replayed(pool, method(name), seed, steps, **more) for seed in range(seeds))
    return np.stack([found(pool, order, steps) for order in orders])


def _figure(name: str, figure: Figure) -> dict:
    if not np.isfinite(figure.value):
        return {name: None}
    return {
        name: round(float(figure.value), 2),
        f"{name}_95": [round(float(figure.low), 2), round(float(figure.high), 2)],
    }


def _amines(options):
    """Each amine as new: ten rows at random, the others as a past campaign, without one, random."""
    for amine, pool, past in campaign_tables.amines():
        row = {"amine": amine, "pool": len(pool), "large": int(pool.best.sum())}
        row["most_possible"] = round(_most_possible(pool), 2)
        ways = {"with past": (options.method, (past,)), "alone": (options.method, ())}
        ways["random"] = ("random", ())
        for way, (name, priors) in ways.items():
            # Half is found long before; late steps of a method are the dear ones.
            steps = len(pool) if name == "random" else max(20, 7 * len(pool) // 10)
            shares = _shares(pool, name, options.seeds, steps, starts=10, priors=priors)
            half = partial(acceleration, size=len(pool), share=0.5)
            row |= _figure(f"AF50 {way}", with_interval(shares, half))
        print(row, flush=True)
        yield row


def _most_possible(pool: Pool, given: int = 10) -> float:
    """The AF at a half of a method that is never wrong, after rows given at random."""
    wanted = 0.5 * pool.best.sum()
    return 0.5 * len(pool) / (given + max(0.0, wanted - given * pool.best.mean()))


def _screens(options):
    """Crystals on the second to fourth plate over those of random plates, by past campaigns."""
    screens = campaign_tables.screens(options.screens)
    pasts = {name: (pool.features, pool.scores) for name, pool in screens.items()}
    for name, pool in screens.items():
        ways = {"none": ()} | {other: (past,) for other, past in pasts.items() if other != name}
        for past, priors in ways.items():
            plates = [_plates(pool, options.method, seed, priors) for seed in range(options.seeds)]
            row = {"screen": name, "crystals": round(float(pool.best.mean()), 3), "past": past}
            for number, ratios in enumerate(np.transpose(plates), 1):
                row |= _figure(f"plate {number}", _mean(ratios))
            row |= _figure("plates 2 to 4", _mean(np.mean([p[1:4] for p in plates], axis=1)))
            # Who finds crystals on the first plates has fewer left: what counts is all of them.
            for last in (2, 4):
                sums = np.mean([p[:last] for p in plates], axis=1)
                row |= _figure(f"plates 1 to {last}", _mean(sums))
            print(row, flush=True)
            yield row


def _plates(pool: Pool, name: str, seed: int, priors) -> list[float]:
    """Share of crystals on each of four plates over that of the pool."""
    starts = 0 if priors else 96
    order = replayed(pool, method(name), seed, 4 * 96, starts=starts, batch=96, priors=priors)
    return [
        float(pool.best[order[k : k + 96]].mean() / pool.best.mean()) for k in range(0, 384, 96)
    ]


def _mean(values: np.ndarray) -> Figure:
    return with_interval(np.asarray(values)[:, None], lambda v: float(v.mean()))


if __name__ == "__main__":
    main()
