"""Memory and time of every stage at growing numbers of entries.

    python benchmarks/scale.py --entries 10000 100000 1000000 --work FOLDER [--stages dataset ...]

Every stage runs in a process of its own, through the script that the workflow runs. The first size
is generated monoclinic crystals from CIF files on; the larger ones multiply their rows (see
scale_inputs.py). Stages that work shard by shard are measured on shards of two sizes, the others
on every number of entries. Prints a Markdown table: CPU seconds for an entry, peak memory (RSS of
the process, or of the child that does its work), and both as a law: what a job needs whatever its
size, and what 1,000 more entries add. Results are also written to FOLDER/scale.json, which
cost_model.py reads.

Training is kept short, and only what an entry adds to its time multiplied in the law: see SHORT.
Nothing is trained at more than --train-up-to entries; beyond, the stage only reads its data.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scale_stages import run_all


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--base", type=int, help="the entries to multiply; default: the first size")
    parser.add_argument("--stages", nargs="*", help="only these, with inputs already made")
    parser.add_argument("--work", type=Path, default=Path("build/scale"))
    parser.add_argument("--train-up-to", type=int, default=1_000_000)
    options = parser.parse_args()
    run_all(options)


if __name__ == "__main__":
    main()
