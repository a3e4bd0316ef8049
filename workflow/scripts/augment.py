"""Training and validation examples of a lattice system, as they are and augmented."""

from mlindex.examples import make_examples
from mlindex.lattice import system_of
from mlindex.scaling import Scaling
from mlindex.settings.data import Augmentation, Peaks, Simulation
from mlindex.stage import Stage
from mlindex.tables.training import (
    ACCEPTANCE,
    DATASET,
    EXAMPLES,
    FIRST_PEAK,
    HISTOGRAMS,
    REFERENCE,
    SCALING,
)

with Stage(snakemake) as stage:
    made = make_examples(
        stage.read("dataset", DATASET),
        stage.read("reference", REFERENCE),
        Scaling.from_table(stage.read("scaling", SCALING)),
        system_of(stage.wildcards.system),
        stage.settings(Augmentation),
        stage.settings(Peaks),
        stage.settings(Simulation),
        stage.rng(),
        stage.progress,
    )
    stage.log.info("%d augmented lists were too short and given up", made.given_up)
    stage.write("examples", EXAMPLES, made.examples)
    stage.write("first_peak", FIRST_PEAK, made.first_peak)
    stage.write("acceptance", ACCEPTANCE, made.acceptance)
    stage.write("histograms", HISTOGRAMS, made.histograms)
