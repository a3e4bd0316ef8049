"""The scaling of a lattice system, fitted to its training side."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import DATASET
from mlindex.method.scaling import COLUMNS, fit_scaling
from mlindex.method.tables import SCALING

with Stage(snakemake) as stage:
    blocks = stage.blocks("dataset", DATASET, COLUMNS)
    stage.write("scaling", SCALING, fit_scaling(blocks, system_of(stage.wildcards.system)))
