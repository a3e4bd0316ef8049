"""A study of what helps classifiers of symmetry, and what does not."""

from mlindex.base.stage import Stage
from mlindex.classification.settings import Classifiers, ClassifierStudies
from mlindex.classification.studies.carrying import carried_out
from mlindex.classification.studies.subject import Subject
from mlindex.classification.tables import CLASSIFIER_STUDIES, SYMMETRY_EXAMPLES
from mlindex.structures.tables import CELLS

with Stage(snakemake) as stage:
    subject = Subject(
        stage.read("examples", SYMMETRY_EXAMPLES),
        stage.read("cells", CELLS),
        "",
        stage.settings(Classifiers),
        stage.settings(ClassifierStudies),
        stage.seed,
        lambda steps: stage.progress(list(steps), unit="step"),
    )
    stage.write("study", CLASSIFIER_STUDIES, carried_out(stage.wildcards.study, subject))
