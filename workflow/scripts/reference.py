"""The reference list of Miller indices of a lattice system."""

from mlindex.lattice import system_of
from mlindex.reference import reference_list
from mlindex.stage import Stage
from mlindex.tables.training import DATASET, REFERENCE

with Stage(snakemake) as stage:
    reference = reference_list(stage.read("dataset", DATASET), system_of(stage.wildcards.system))
    stage.write("reference", REFERENCE, reference)
