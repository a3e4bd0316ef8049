"""The random forests of a lattice system."""

from mlindex.forest import train_forests
from mlindex.lattice import system_of
from mlindex.scaling import Scaling
from mlindex.schema import atomic_directory
from mlindex.settings.models import Forest
from mlindex.stage import Stage
from mlindex.tables.results import METRICS
from mlindex.tables.training import EXAMPLES, SCALING

with Stage(snakemake) as stage:
    examples = stage.read("examples", EXAMPLES)
    with atomic_directory(stage.output.forests) as directory:
        metrics = train_forests(
            examples,
            sorted(examples["group"].unique()),
            system_of(stage.wildcards.system),
            Scaling.from_table(stage.read("scaling", SCALING)),
            stage.settings(Forest),
            stage.seed,
            directory,
            stage.progress,
        )
    stage.write("metrics", METRICS, metrics)
