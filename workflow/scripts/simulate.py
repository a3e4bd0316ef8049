"""The powder patterns of one shard."""

from mlindex.pattern import simulate
from mlindex.settings.data import Simulation
from mlindex.stage import Stage
from mlindex.tables.entries import ENTRIES, REJECTS
from mlindex.tables.patterns import PATTERNS, REFLECTIONS

with Stage(snakemake) as stage:
    entries = stage.read("entries", ENTRIES)
    simulated = simulate(entries, stage.settings(Simulation), stage.progress)
    stage.write("reflections", REFLECTIONS, simulated.reflections)
    stage.write("patterns", PATTERNS, simulated.patterns)
    stage.write("rejects", REJECTS, simulated.rejects)
