"""The random forests of a lattice system."""

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import METRICS
from mlindex.method.forest import train_forests
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Forest
from mlindex.method.tables import EXAMPLES, SCALING
from mlindex.method.training_data import SAMPLE_COLUMNS

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
