"""Which crystals to simulate stacks of next, and what a learner gains from those chosen."""

from mlindex.base.stage import Stage
from mlindex.campaigns.labelling import learning_curves, worths
from mlindex.campaigns.settings import ActiveLearning
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import CBED_FEATURES
from mlindex.classification.pool import CELL_COLUMNS, CrystalPool
from mlindex.classification.settings import Classifiers

#: The level at which crystals are told apart: with some crystals of 230 groups nothing is learnt.
LEVEL = "point_group"

with Stage(snakemake) as stage:
    settings, given = stage.settings(ActiveLearning), stage.settings(Cbed)
    stacks = stage.read("features", CBED_FEATURES)
    pool = CrystalPool.of(
        stacks.rename(columns={"stack": "measurement"}),
        stacks.drop_duplicates("entry_id")[list(CELL_COLUMNS)],
        LEVEL,
        settings.learner,
        Classifiers(**given.model_dump(include={"split", "test_share", "calibration_share"})),
        stage.seed,
    )
    curves = learning_curves(
        pool, settings, stage.seed, lambda asked: stage.progress(list(asked), unit="curve")
    )
    stage.write("curves", ACTIVE_LEARNING, curves)
    stage.write("worth", ACTIVE_WORTH, worths(curves, stage.seed))
