"""Indexing of validation entries with the models of their lattice system."""

import pandas as pd

from mlindex.base.atomic import atomic_path
from mlindex.base.stage import Stage
from mlindex.learning.choice import CHOICE_COLUMNS, COLUMNS, choose_entries
from mlindex.learning.tables import DATASET
from mlindex.method.models import load_trained
from mlindex.method.settings import Optimization, Validation
from mlindex.method.tables import RATES, VALIDATION
from mlindex.method.validation import rates, validate_methods

with Stage(snakemake) as stage:
    settings = stage.settings(Validation)
    slim = stage.read("dataset", DATASET, CHOICE_COLUMNS)
    chosen = choose_entries(slim, max(settings.entries, settings.network_entries), stage.seed)
    validated = validate_methods(
        stage.read_only("dataset", DATASET, chosen["entry_id"], COLUMNS),
        load_trained(stage.input.models),
        stage.settings(Optimization),
        settings,
        stage.seed,
        stage.threads,
        stage.progress,
    )
    stage.write("validation", VALIDATION, validated.table)
    stage.write("rates", RATES, rates(validated.table))
    with atomic_path(stage.output.seconds) as path:
        pd.DataFrame({"seconds": validated.seconds}).to_csv(path, index=False)
