"""The page on the classifiers of symmetry."""

from mlindex.base.atomic import atomic_path
from mlindex.base.schema import read_table
from mlindex.base.stage import Stage
from mlindex.campaigns.settings import ActiveLearning
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.classification.settings import Classifiers, ClassifierStudies
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_STUDIES,
    CLASSIFIER_TESTS,
    SYMMETRY_EVIDENCE,
    SYMMETRY_EXAMPLES,
)
from mlindex.reports.classification.inputs import EXAMPLE_COLUMNS, ClassifierData, LevelTables
from mlindex.reports.classification.page import build_page

with Stage(snakemake) as stage:
    settings = stage.settings(Classifiers)
    tables = {
        "search": CLASSIFIER_SEARCH,
        "scores": CLASSIFIER_SCORES,
        "tests": CLASSIFIER_TESTS,
        "importance": CLASSIFIER_IMPORTANCE,
        "occlusion": CLASSIFIER_OCCLUSION,
    }
    levels = {
        level: LevelTables(
            level,
            **{
                kind: read_table(getattr(stage.input, kind)[place], table)
                for kind, table in tables.items()
            },
        )
        for place, level in enumerate(settings.levels)
    }
    examples = stage.read("examples", SYMMETRY_EXAMPLES, EXAMPLE_COLUMNS)
    names = stage.settings(ClassifierStudies).studies
    studies = {
        name: read_table(path, CLASSIFIER_STUDIES)
        for name, path in zip(names, stage.input.studies, strict=True)
    }
    evidence = stage.read("evidence", SYMMETRY_EVIDENCE)
    paths = zip(stage.input.learning, stage.input.worth, strict=True)
    learning = {
        level: (read_table(curves, ACTIVE_LEARNING), read_table(worth, ACTIVE_WORTH))
        for level, (curves, worth) in zip(stage.settings(ActiveLearning).levels, paths, strict=True)
    }
    data = ClassifierData(examples, levels, settings, studies, evidence, learning)
    with atomic_path(stage.output.page) as path:
        path.write_text(build_page(data), encoding="utf-8")
