"""The three cells of every entry of one shard."""

from mlindex.base.stage import Stage
from mlindex.structures.reduction import COLUMNS, reduce_entries
from mlindex.structures.settings import Reduction
from mlindex.structures.tables import CELLS, ENTRIES, REJECTS

with Stage(snakemake) as stage:
    entries = stage.read("entries", ENTRIES, COLUMNS)
    cells, rejects = reduce_entries(entries, stage.settings(Reduction), stage.progress)
    stage.write("cells", CELLS, cells)
    stage.write("rejects", REJECTS, rejects)
