"""Unique entries of a lattice system, grouped and split."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.dataset import DUPLICATE_COLUMNS, Shard, stream_dataset
from mlindex.learning.settings import Grouping, Split
from mlindex.learning.tables import DATASET, GROUPS
from mlindex.structures.tables import DUPLICATES, REJECTS

with Stage(snakemake) as stage:
    tables = (stage.input.entries, stage.input.cells, stage.input.peaks)
    with stage.writer("dataset", DATASET) as dataset:
        groups, rejects = stream_dataset(
            system_of(stage.wildcards.system),
            [Shard(*paths) for paths in zip(*tables, strict=True)],
            stage.read("duplicates", DUPLICATES, DUPLICATE_COLUMNS),
            stage.settings(Grouping),
            stage.settings(Split),
            stage.rng(),
            dataset.write,
        )
    stage.write("groups", GROUPS, groups)
    stage.write("rejects", REJECTS, rejects)
