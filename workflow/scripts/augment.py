"""Training and validation examples of a lattice system, as they are and augmented."""

from mlindex.base.schema import read_blocks
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import DATASET
from mlindex.method.examples import stream_examples
from mlindex.method.histograms import COLUMNS, compare
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Augmentation
from mlindex.method.tables import ACCEPTANCE, EXAMPLES, FIRST_PEAK, HISTOGRAMS, REFERENCE, SCALING
from mlindex.patterns.settings import Peaks, Simulation

with Stage(snakemake) as stage:
    system = system_of(stage.wildcards.system)
    scaling = Scaling.from_table(stage.read("scaling", SCALING))
    with stage.writer("examples", EXAMPLES) as examples:
        made = stream_examples(
            lambda columns: stage.blocks("dataset", DATASET, columns),
            stage.read("reference", REFERENCE),
            scaling,
            system,
            stage.settings(Augmentation),
            stage.settings(Peaks),
            stage.settings(Simulation),
            stage.rng(),
            examples.write,
            stage.progress,
        )
    stage.log.info("%d augmented lists were too short and given up", made.given_up)
    stage.write("first_peak", FIRST_PEAK, made.first_peak)
    stage.write("acceptance", ACCEPTANCE, made.acceptance)
    histograms = compare(
        lambda: read_blocks(stage.output.examples, EXAMPLES, COLUMNS), made.list_1, scaling, system
    )
    stage.write("histograms", HISTOGRAMS, histograms)
