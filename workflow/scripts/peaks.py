"""The two peak lists of every entry of one shard."""

from mlindex.peaks import peak_lists
from mlindex.settings.data import Peaks, Simulation
from mlindex.stage import Stage
from mlindex.tables.entries import CELLS
from mlindex.tables.patterns import PATTERNS, PEAKS, REFLECTIONS

with Stage(snakemake) as stage:
    peaks = peak_lists(
        stage.read("cells", CELLS),
        stage.read("reflections", REFLECTIONS),
        stage.read("patterns", PATTERNS, ["entry_id", "scale"]),
        stage.settings(Peaks),
        stage.settings(Simulation),
        stage.progress,
    )
    stage.write("peaks", PEAKS, peaks)
