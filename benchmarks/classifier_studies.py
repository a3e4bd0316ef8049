"""A study of what helps classifiers of symmetry, on the lists of one or several runs.

    python benchmarks/classifier_studies.py imbalance RESULTS [RESULTS ...]

Each RESULTS holds ``symmetry_examples`` (and ``cells`` for the study multitask) as the workflow
makes them. The workflow itself makes a study as ``results/classifier_studies/NAME.parquet``; here
lists of several runs are taken together, with other settings if wanted: ``--set crystals=1500``.
``--out`` writes the means over the seeds as JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import record
import yaml

from mlindex.base.schema import Table, read_table
from mlindex.classification.settings import Classifiers, ClassifierStudies
from mlindex.classification.studies.carrying import carried_out
from mlindex.classification.studies.registry import STUDIES
from mlindex.classification.studies.subject import Subject
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.structures.tables import CELLS

_SEED = 1


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    record.add_out(parser)
    options = parser.parse_args()
    given = dict(one.split("=", 1) for one in options.set)
    settings = ClassifierStudies(**{name: yaml.safe_load(text) for name, text in given.items()})
    subject = Subject(
        _joined(options.results, "symmetry_examples/*.parquet", SYMMETRY_EXAMPLES),
        _joined(
            options.results if STUDIES[options.study].cells else (), "cells/*/*.parquet", CELLS
        ),
        "",
        Classifiers(),
        settings,
        _SEED,
    )
    rows = carried_out(options.study, subject)
    means = rows[(rows["seed"] == 0) & (rows["class"] == "")].drop(columns=["study", "class"])
    print(means.to_string())
    crystals = subject.examples["entry_id"].nunique()
    what = f"{len(subject.examples)} lists of {crystals} crystals."
    record.write(options.out, what, {options.study: _records(means)})


def _records(means: pd.DataFrame) -> list[dict]:
    """Rows with four decimals; without a low and high where there are none."""
    found = means.round(4).to_dict("records")
    return [{name: v for name, v in row.items() if v == v} for row in found]


def _joined(folders: Sequence[Path], pattern: str, table: Table) -> pd.DataFrame:
    paths = [path for folder in folders for path in sorted(folder.glob(pattern))]
    frames = [read_table(path, table) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else table.empty()


if __name__ == "__main__":
    main()
