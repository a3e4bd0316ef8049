"""The scaling of a lattice system, fitted to its training side."""

from mlindex.lattice import system_of
from mlindex.scaling import fit_scaling
from mlindex.stage import Stage
from mlindex.tables.training import DATASET, SCALING

with Stage(snakemake) as stage:
    scaling = fit_scaling(stage.read("dataset", DATASET), system_of(stage.wildcards.system))
    stage.write("scaling", SCALING, scaling)
