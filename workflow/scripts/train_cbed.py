"""The model that tells space groups from stacks: learners compared, the best one kept."""

from mlindex.base.stage import Stage
from mlindex.cbed.card import write_model
from mlindex.cbed.looked import LOOKED_AT
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import CBED_FEATURES, CBED_PARTS, CBED_SCORES, CBED_TESTS
from mlindex.cbed.training import train

with Stage(snakemake) as stage:
    trained = train(
        stage.read("features", CBED_FEATURES),
        LOOKED_AT,
        stage.settings(Cbed),
        stage.seed,
        lambda kinds: stage.progress(list(kinds), unit="learner"),
    )
    write_model(stage.output.model, trained, stage.provenance())
    stage.write("parts", CBED_PARTS, trained.parts)
    stage.write("scores", CBED_SCORES, trained.scores)
    stage.write("tests", CBED_TESTS, trained.tests)
