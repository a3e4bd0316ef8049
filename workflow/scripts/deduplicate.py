"""Duplicates among the entries of a lattice system, and what stands for them."""

from mlindex.base.stage import Stage
from mlindex.structures.deduplication import COLUMNS, deduplicate
from mlindex.structures.settings import Deduplication
from mlindex.structures.tables import DUPLICATES, ENTRIES

with Stage(snakemake) as stage:
    where = {"lattice_system": stage.wildcards.system}
    entries = stage.read("entries", ENTRIES, COLUMNS, where)
    duplicates = deduplicate(entries, stage.params.sources, stage.settings(Deduplication))
    stage.write("duplicates", DUPLICATES, duplicates)
