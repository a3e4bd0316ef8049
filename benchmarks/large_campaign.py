"""Seconds and memory of a plate of 96 from 100,000 candidates with 500 measured.

    python benchmarks/large_campaign.py --out docs/how_well/large_campaign.json

Columns are uniform random numbers, scores a smooth function of half of them with noise. The first
plate is proposed in a process that has compiled nothing; the second one shows what is left then.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import record
from threadpoolctl import threadpool_limits

from mlindex.campaigns.methods import method
from mlindex.campaigns.methods.contract import Seen


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in {"candidates": 100_000, "measured": 500, "batch": 96, "columns": 10}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    record.add_out(parser)
    options = parser.parse_args()
    rows = [_plate(options, seed) for seed in range(2)]
    sizes = f"{options.candidates} candidates of {options.columns} columns"
    what = f"{options.batch} proposed from {sizes}, {options.measured} measured; two plates."
    record.write(options.out, what, {"plates": rows})


def _plate(options: argparse.Namespace, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    candidates = rng.random((options.candidates, options.columns))
    measured = rng.random((options.measured, options.columns))
    half = measured[:, : (options.columns + 1) // 2]
    scores = -((half - 0.4) ** 2).sum(axis=1) + 0.02 * rng.standard_normal(len(measured))
    clock, cpu = time.perf_counter(), time.process_time()
    with threadpool_limits(1):  # as Campaign.plan does
        found = method().propose(Seen.of(measured, scores), candidates, options.batch, rng)
    row = {
        "plate": seed + 1,
        "proposed": len(found.chosen),
        "clock_s": round(time.perf_counter() - clock, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "memory_MiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
