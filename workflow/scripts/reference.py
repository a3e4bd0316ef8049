"""The reference list of Miller indices of a lattice system."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import DATASET
from mlindex.method.reference import COLUMNS, reference_list
from mlindex.method.tables import REFERENCE

with Stage(snakemake) as stage:
    blocks = stage.blocks("dataset", DATASET, COLUMNS)
    stage.write("reference", REFERENCE, reference_list(blocks, system_of(stage.wildcards.system)))
