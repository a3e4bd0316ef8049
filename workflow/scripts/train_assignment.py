"""The assignment network of a lattice system at one noise level."""

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import METRICS, TRAINING
from mlindex.method.assignment import COLUMNS, train_assignment
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Assignment
from mlindex.method.tables import EXAMPLES, REFERENCE, SCALING

with Stage(snakemake) as stage:
    settings = stage.settings(Assignment)
    level = int(stage.wildcards.level)
    with atomic_directory(stage.output.network) as directory:
        trained = train_assignment(
            stage.blocks("examples", EXAMPLES, COLUMNS, where={"augmented": False}),
            stage.read("reference", REFERENCE)[["h", "k", "l"]].to_numpy(),
            system_of(stage.wildcards.system),
            Scaling.from_table(stage.read("scaling", SCALING)),
            settings.noise_levels[level],
            settings.epsilons[level],
            settings,
            stage.seed,
            directory / "network.npz",
            stage.progress,
        )
    stage.write("training", TRAINING, trained.training)
    stage.write("metrics", METRICS, trained.metrics)
