"""The scaling of a lattice system, fitted to its training side."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.scaling import COLUMNS, fit_scaling
from mlindex.tables.training import DATASET, SCALING

with Stage(snakemake) as stage:
    blocks = stage.blocks("dataset", DATASET, COLUMNS)
    stage.write("scaling", SCALING, fit_scaling(blocks, system_of(stage.wildcards.system)))
