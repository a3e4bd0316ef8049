"""The models of a lattice system with what was measured on them."""

import shutil
from pathlib import Path

from mlindex.base.atomic import atomic_directory
from mlindex.base.schema import write_table
from mlindex.base.stage import Stage
from mlindex.learning.tables import GROUPS, METRICS
from mlindex.method.model_card import model_card
from mlindex.method.tables import RATES
from mlindex.structures.rejected import COLUMNS, rejected
from mlindex.structures.tables import REJECTS

with Stage(snakemake) as stage, atomic_directory(stage.output.models) as directory:
    trained = Path(stage.input.models)
    shutil.copytree(trained, directory, dirs_exist_ok=True)
    rates = stage.read("rates", RATES)
    groups = stage.read("groups", GROUPS)
    write_table(directory / "rates.parquet", RATES, rates, stage.provenance())
    metrics = stage.read("metrics", METRICS)
    write_table(directory / "metrics.parquet", METRICS, metrics, stage.provenance())
    card = model_card(trained, rates, groups, rejected(stage.read("rejects", REJECTS, COLUMNS)))
    (directory / "README.md").write_text(card, encoding="utf-8")
