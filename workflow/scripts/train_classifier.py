"""The classifier of one level of symmetry: learners compared, the best one kept."""

from mlindex.base.stage import Stage
from mlindex.classification.card import write_classifier
from mlindex.classification.settings import Classifiers
from mlindex.classification.tables import (
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_TESTS,
    SYMMETRY_EXAMPLES,
)
from mlindex.classification.training import train_classifier

with Stage(snakemake) as stage:
    trained = train_classifier(
        stage.read("examples", SYMMETRY_EXAMPLES),
        stage.wildcards.level,
        stage.settings(Classifiers),
        stage.seed,
        lambda kinds: stage.progress(list(kinds), unit="learner"),
    )
    write_classifier(stage.output.classifier, stage.wildcards.level, trained, stage.provenance())
    stage.write("search", CLASSIFIER_SEARCH, trained.search)
    stage.write("scores", CLASSIFIER_SCORES, trained.scores)
    stage.write("tests", CLASSIFIER_TESTS, trained.tests)
