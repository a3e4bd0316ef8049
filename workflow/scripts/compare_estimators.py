"""How far the forests and the networks of a lattice system overlap."""

from pathlib import Path

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import METRICS
from mlindex.method.overlap import compare_estimators
from mlindex.method.scaling import Scaling
from mlindex.method.tables import EXAMPLES, SCALING
from mlindex.method.training_data import SAMPLE_COLUMNS

with Stage(snakemake) as stage:
    metrics = compare_estimators(
        lambda group: stage.blocks("examples", EXAMPLES, SAMPLE_COLUMNS, where={"group": group}),
        [Path(path) for path in stage.input.networks],
        Path(stage.input.forests),
        system_of(stage.wildcards.system),
        Scaling.from_table(stage.read("scaling", SCALING)),
    )
    stage.write("metrics", METRICS, metrics)
