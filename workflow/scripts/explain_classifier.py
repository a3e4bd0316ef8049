"""What the classifier of one level goes by: features permuted, lines left out."""

from mlindex.base.schema import read_table
from mlindex.base.stage import Stage
from mlindex.classification.card import read_fitted
from mlindex.classification.explanation import COLUMNS, importance, occlusion
from mlindex.classification.settings import Explanation
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_TESTS,
    SYMMETRY_EXAMPLES,
)

with Stage(snakemake) as stage:
    level, settings = stage.wildcards.level, stage.settings(Explanation)
    test_part = set(read_table(stage.input.tests, CLASSIFIER_TESTS, ["entry_id"])["entry_id"])
    lost, left_out = CLASSIFIER_IMPORTANCE.empty(), CLASSIFIER_OCCLUSION.empty()
    if test_part:
        tested = stage.read_only("examples", SYMMETRY_EXAMPLES, test_part, COLUMNS)
        asked = (tested, level, read_fitted(stage.input.classifier, level), settings, stage.seed)
        lost, left_out = importance(*asked), occlusion(*asked, stage.progress)
    stage.write("importance", CLASSIFIER_IMPORTANCE, lost)
    stage.write("occlusion", CLASSIFIER_OCCLUSION, left_out)
