"""Stacks of convergent-beam patterns of some crystals, and what classifiers see of them."""

from pathlib import Path

from mlindex.base.stage import Stage
from mlindex.cbed.crystals import COLUMNS, entry_crystals, generated_crystals
from mlindex.cbed.settings import Cbed
from mlindex.cbed.shards import read, recorded, simulated
from mlindex.cbed.tables import CBED_EXAMPLES, CBED_FEATURES, CBED_REJECTS
from mlindex.structures.tables import ENTRIES

with (
    Stage(snakemake) as stage,
    stage.writer("features", CBED_FEATURES) as features,
    stage.writer("rejects", CBED_REJECTS) as rejects,
    stage.writer("examples", CBED_EXAMPLES) as examples,
):
    settings, (first, count) = stage.settings(Cbed), stage.params.numbers
    if settings.source == "generated":
        resources = Path(stage.input.resources[0]).parent
        crystals = generated_crystals(first, count, settings, resources, stage.seed)
        found = simulated(stage.progress(crystals, count), settings, stage.seed)
    elif settings.source == "sources":
        entries = stage.read("entries", ENTRIES, COLUMNS)
        crystals = entry_crystals(entries, count, settings, stage.seed)
        found = simulated(stage.progress(crystals), settings, stage.seed)
    else:
        found = read(Path(str(stage.input.stacks)))
    writers = (features.write, rejects.write, examples.write)
    recorded(found, *writers, next(iter(stage.output.stacks), None))
