"""The two peak lists of every entry of one shard."""

from mlindex.base.stage import Stage
from mlindex.patterns.calculated import peak_lists
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.tables import PATTERNS, PEAKS, REFLECTIONS
from mlindex.structures.tables import CELLS

with Stage(snakemake) as stage, stage.writer("peaks", PEAKS) as peaks:
    settings, simulation = stage.settings(Peaks), stage.settings(Simulation)
    cells = stage.read("cells", CELLS, ["entry_id", "reindexed_operator"])
    scales = stage.read("patterns", PATTERNS, ["entry_id", "scale"])
    # Cells and reflections are in the order of the entries, so that the blocks' peaks are, too.
    for reflections in stage.blocks("reflections", REFLECTIONS):
        here = cells[cells["entry_id"].isin(reflections["entry_id"])]
        peaks.write(peak_lists(here, reflections, scales, settings, simulation, stage.progress))
