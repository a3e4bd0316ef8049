"""Validation errors under both splits, from forests."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import DATASET
from mlindex.method.settings import Forest
from mlindex.method.split_comparison import COLUMNS, compare_splits
from mlindex.method.tables import SPLITS

with Stage(snakemake) as stage:
    dataset = stage.blocks("dataset", DATASET, COLUMNS)
    system = system_of(stage.wildcards.system)
    splits = compare_splits(dataset, system, stage.settings(Forest), stage.rng())
    stage.write("splits", SPLITS, splits)
