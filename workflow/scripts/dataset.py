"""Unique entries of a lattice system, grouped and split."""

from mlindex.dataset import CELL_COLUMNS, ENTRY_COLUMNS, PEAK_COLUMNS, build_dataset
from mlindex.lattice import system_of
from mlindex.settings.data import Grouping, Split
from mlindex.stage import Stage
from mlindex.tables.entries import CELLS, DUPLICATES, ENTRIES, REJECTS
from mlindex.tables.patterns import PEAKS
from mlindex.tables.training import DATASET, GROUPS

with Stage(snakemake) as stage:
    where = {"lattice_system": stage.wildcards.system}
    cells = stage.read("cells", CELLS, CELL_COLUMNS, where)
    peaks = stage.read_only("peaks", PEAKS, cells["entry_id"], PEAK_COLUMNS)
    built = build_dataset(
        system_of(stage.wildcards.system),
        cells,
        peaks,
        stage.read("entries", ENTRIES, ENTRY_COLUMNS, where),
        stage.read("duplicates", DUPLICATES),
        stage.settings(Grouping),
        stage.settings(Split),
        stage.rng(),
    )
    stage.write("dataset", DATASET, built.dataset)
    stage.write("groups", GROUPS, built.groups)
    stage.write("rejects", REJECTS, built.rejects)
