"""The model of space groups from stacks, with the page on what it is worth."""

import shutil

from mlindex.base.atomic import atomic_directory
from mlindex.base.schema import read_table
from mlindex.base.stage import Stage
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.cbed.looked import LOOKED_AT
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import (
    CBED_EXAMPLES,
    CBED_FEATURES,
    CBED_PARTS,
    CBED_REJECTS,
    CBED_SCORES,
    CBED_TESTS,
)
from mlindex.classification.tables import CLASSIFIER_STUDIES
from mlindex.reports.cbed.inputs import COLUMNS, CbedData
from mlindex.reports.cbed.page import build_page

with Stage(snakemake) as stage:
    settings = stage.settings(Cbed)
    studies = zip(settings.studies, stage.input.studies, strict=True)
    learning = (stage.read("curves", ACTIVE_LEARNING), stage.read("worth", ACTIVE_WORTH))
    data = CbedData(
        stage.read("features", CBED_FEATURES, COLUMNS),
        stage.read("rejects", CBED_REJECTS),
        stage.read("examples", CBED_EXAMPLES),
        stage.read("parts", CBED_PARTS),
        stage.read("scores", CBED_SCORES),
        stage.read("tests", CBED_TESTS),
        settings,
        LOOKED_AT,
        {name: read_table(path, CLASSIFIER_STUDIES) for name, path in studies},
        learning if settings.learning else None,
    )
    with atomic_directory(stage.output.folder) as inside:
        snakemakes_own = shutil.ignore_patterns(".snakemake*")
        shutil.copytree(stage.input.model, inside, ignore=snakemakes_own, dirs_exist_ok=True)
        (inside / "report.html").write_text(build_page(data), encoding="utf-8")
