"""Lists of lines of a lattice system, for the classifiers of symmetry."""

from mlindex.base.stage import Stage
from mlindex.classification.examples import (
    CELL_COLUMNS,
    DATASET_COLUMNS,
    REFLECTION_COLUMNS,
    choose_crystals,
    examples,
)
from mlindex.classification.settings import SymmetryExamples
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.learning.tables import DATASET
from mlindex.patterns.settings import Realism, Simulation
from mlindex.patterns.tables import REFLECTIONS
from mlindex.structures.tables import CELLS

with Stage(snakemake) as stage, stage.writer("examples", SYMMETRY_EXAMPLES) as table:
    settings = (
        stage.settings(SymmetryExamples),
        stage.settings(Realism),
        stage.settings(Simulation),
    )
    dataset = stage.read("dataset", DATASET, DATASET_COLUMNS)
    cells = stage.read_only("cells", CELLS, dataset["entry_id"], CELL_COLUMNS)
    crystals = choose_crystals(dataset, cells, settings[0], stage.seed)
    for block in stage.blocks("reflections", REFLECTIONS, REFLECTION_COLUMNS):
        here = crystals[crystals["entry_id"].isin(block["entry_id"])]
        table.write(examples(here, block, *settings, stage.seed, stage.progress))
