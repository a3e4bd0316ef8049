"""The powder patterns of one shard."""

from mlindex.base.stage import Stage
from mlindex.pattern import COLUMNS, simulate
from mlindex.structures.settings import Simulation
from mlindex.structures.tables import ENTRIES, REJECTS
from mlindex.tables.patterns import PATTERNS, REFLECTIONS

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
