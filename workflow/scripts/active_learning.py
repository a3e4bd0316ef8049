"""Which crystals to simulate next: what a classifier learns from crystals that were chosen."""

from mlindex.base.stage import Stage
from mlindex.campaigns.labelling import learning_curves, worths
from mlindex.campaigns.settings import ActiveLearning
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.classification.pool import CELL_COLUMNS, CrystalPool
from mlindex.classification.settings import Classifiers
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.structures.tables import CELLS

with Stage(snakemake) as stage:
    settings = stage.settings(ActiveLearning)
    pool = CrystalPool.of(
        stage.read("examples", SYMMETRY_EXAMPLES),
        stage.read("cells", CELLS, CELL_COLUMNS),
        stage.wildcards.level,
        settings.learner,
        stage.settings(Classifiers),
        stage.seed,
    )
    curves = learning_curves(
        pool,
        settings,
        stage.seed,
        lambda asked: stage.progress(list(asked), unit="curve"),
    )
    stage.write("curves", ACTIVE_LEARNING, curves)
    stage.write("worth", ACTIVE_WORTH, worths(curves, stage.seed))
