"""The variance networks of one batch of groups of a lattice system."""

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import METRICS, TRAINING
from mlindex.method.regression import train_regression
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Regression
from mlindex.method.tables import EXAMPLES, SCALING
from mlindex.method.training_data import SAMPLE_COLUMNS, group_batches

with Stage(snakemake) as stage:
    sizes = stage.read("examples", EXAMPLES, ["group"])["group"].value_counts().to_dict()
    settings = stage.settings(Regression)
    batches = group_batches(sizes, settings.batches)
    with atomic_directory(stage.output.networks) as directory:
        trained = train_regression(
            lambda group: stage.blocks(
                "examples", EXAMPLES, SAMPLE_COLUMNS, where={"group": group}
            ),
            batches[int(stage.wildcards.batch)],
            system_of(stage.wildcards.system),
            Scaling.from_table(stage.read("scaling", SCALING)),
            settings,
            stage.seed,
            directory,
            stage.progress,
        )
    stage.write("training", TRAINING, trained.training)
    stage.write("metrics", METRICS, trained.metrics)
