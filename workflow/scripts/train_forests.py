"""The random forests of a lattice system."""

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.forest import train_forests
from mlindex.scaling import Scaling
from mlindex.settings.models import Forest
from mlindex.tables.results import METRICS
from mlindex.tables.training import EXAMPLES, SCALING
from mlindex.training_data import SAMPLE_COLUMNS

with Stage(snakemake) as stage:
    groups = stage.read("examples", EXAMPLES, ["group"])["group"].unique()
    with atomic_directory(stage.output.forests) as directory:
        metrics = train_forests(
            lambda group: stage.blocks(
                "examples", EXAMPLES, SAMPLE_COLUMNS, where={"group": group}
            ),
            sorted(groups),
            system_of(stage.wildcards.system),
            Scaling.from_table(stage.read("scaling", SCALING)),
            stage.settings(Forest),
            stage.seed,
            directory,
            stage.progress,
        )
    stage.write("metrics", METRICS, metrics)
