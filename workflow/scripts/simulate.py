"""The powder patterns of one shard."""

from mlindex.base.stage import Stage
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import COLUMNS, simulate
from mlindex.patterns.tables import PATTERNS, REFLECTIONS
from mlindex.structures.tables import ENTRIES, REJECTS

with (
    Stage(snakemake) as stage,
    stage.writer("reflections", REFLECTIONS) as reflections,
    stage.writer("patterns", PATTERNS) as patterns,
    stage.writer("rejects", REJECTS) as rejects,
):
    settings = stage.settings(Simulation)
    for entries in stage.blocks("entries", ENTRIES, COLUMNS):
        simulated = simulate(entries, settings, stage.progress)
        reflections.write(simulated.reflections)
        patterns.write(simulated.patterns)
        rejects.write(simulated.rejects)
