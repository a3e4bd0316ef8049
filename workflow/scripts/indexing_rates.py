"""Ab initio indexing of validation entries of a lattice system."""

from mlindex.base.atomic import atomic_path
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.indexing.rates.measure import measure, select
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.learning.choice import CHOICE_COLUMNS, COLUMNS
from mlindex.learning.tables import DATASET

with Stage(snakemake) as stage:
    system, settings = system_of(stage.wildcards.system), stage.settings(Indexing)
    slim = stage.read("dataset", DATASET, CHOICE_COLUMNS)
    wanted = select(slim, system, settings, stage.seed)["entry_id"]
    measured = measure(
        stage.read_only("dataset", DATASET, wanted, COLUMNS),
        system,
        settings,
        stage.seed,
        stage.threads,
        stage.progress,
    )
    stage.write("rates", INDEXING_RATES, measured.table)
    with atomic_path(stage.output.seconds) as path:
        measured.seconds.to_csv(path, index=False)
