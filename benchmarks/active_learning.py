"""What chosen crystals are worth, as the stage ``active_learning`` found it.

    snakemake --cores 2 results/active_learning/bravais.parquet
    python benchmarks/active_learning.py results bravais

``--out`` writes the curves (means of the repeats) and the worth of a chosen crystal as JSON.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import record

from mlindex.base.schema import read_table
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("level")
    record.add_out(parser)
    options = parser.parse_args()
    name = f"{options.level}.parquet"
    curves = read_table(options.results / "active_learning" / name, ACTIVE_LEARNING)
    worth = read_table(options.results / "active_worth" / name, ACTIVE_WORTH)
    repeats = int(curves["repeat"].max())
    means = curves.drop(columns="repeat").groupby(["method", "items"], sort=False).mean()
    tables = {"curves": means.reset_index().round(4), "worth": worth.round(3)}
    for table in tables.values():
        print(table.to_string(index=False))
    what = (
        f"Learners of the level {options.level}, means of {repeats} repeats; all begin with the "
        f"same {curves['items'].min()} crystals."
    )
    record.write(options.out, what, {k: v.to_dict("records") for k, v in tables.items()})


if __name__ == "__main__":
    main()
