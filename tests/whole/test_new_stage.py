"""The recipe of workflow/README.md: a new stage with a table in the report touches six files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.small_workflow import SYSTEM, make_project, planned, snakemake, write_config

pytestmark = pytest.mark.slow
#: What is put into each file: a text that is there already and what goes before it, or a new file.
EDITS = {
    "workflow/mlindex/learning/settings.py": (
        None,
        '''

class Families(Section):
    """How composition families are counted."""

    most: int = setting(3, "Families kept of each lattice system, the commonest first.", gt=0)
''',
    ),
    "workflow/mlindex/config.py": (
        '    split: Split = setting(Split, "Training and validation sides.")\n',
        '    families: Families = setting(Families, "Composition families.")\n',
    ),
    "workflow/mlindex/learning/tables.py": (
        None,
        """

FAMILIES = Table(
    "families",
    "a composition family and how many entries have it",
    (
        Column("composition_family", STRING, "Elements but hydrogen"),
        Column("entries", INT32, "Entries of the family"),
    ),
    places=(Place("families/{system}.parquet", reported="families"),),
)
""",
    ),
    "workflow/mlindex/learning/families.py": (
        "",
        '''"""The commonest composition families of a lattice system."""

import pandas as pd

from mlindex.learning.settings import Families


def families(dataset: pd.DataFrame, settings: Families) -> pd.DataFrame:
    """The table FAMILIES of the rows of DATASET."""
    counts = dataset["composition_family"].value_counts().head(settings.most)
    return counts.rename("entries").reset_index()
''',
    ),
    "workflow/scripts/families.py": (
        "",
        '''"""The commonest composition families of a lattice system."""

from mlindex.base.stage import Stage
from mlindex.learning.families import families
from mlindex.learning.settings import Families
from mlindex.learning.tables import DATASET, FAMILIES

with Stage(snakemake) as stage:
    dataset = stage.read("dataset", DATASET, ["composition_family"])
    stage.write("families", FAMILIES, families(dataset, stage.settings(Families)))
''',
    ),
    "workflow/rules/learning.smk": (
        None,
        """

from mlindex.learning.tables import FAMILIES


rule families:
    input:
        dataset=DATASET.place(),
    output:
        families=FAMILIES.place(),
    log:
        "results/logs/families/{system}.log",
    params:
        code=code("families.py"),
        settings=settings("families"),
    script:
        "../scripts/families.py"
""",
    ),
}
LOOK = """
from pathlib import Path, PurePath
from mlindex.apps.declared import declared
from mlindex.apps.verify import verify_results
from mlindex.apps.verify.layout import table_at
from mlindex.base.schema import document, read_table
from mlindex.config import document as config_document
from mlindex.reports.workflow.inputs import reported_tables

path = "families/SYSTEM.parquet"
table = table_at(PurePath(path))
assert len(read_table(Path("results") / path, table)) == 3
assert verify_results("results").findings == ()
assert "## families" in document(declared())
assert "families.most" in config_document()
assert reported_tables(declared())["families"] is table
"""


def write(project):
    for name, (before, text) in EDITS.items():
        path = project / name
        content = path.read_text() if path.exists() else ""
        if before:
            head, tail = content.split("from mlindex.learning.settings import ")
            content = f"{head}from mlindex.learning.settings import Families, {tail}"
            assert content.count(before) == 1
            path.write_text(content.replace(before, text + before))
        else:
            path.write_text(content + text)


def test_a_new_stage_with_a_table_in_the_report_touches_six_files(tmp_path):
    assert len(EDITS) <= 6
    project = make_project(tmp_path)
    folder = {"kind": "folder", "name": "lab", "path": "cifs"}
    write_config(project, sources=[folder], shards={"files_per_shard": 60})
    write(project)
    assert planned(project, "results/report.html")["families"] == 1
    snakemake(project, f"results/families/{SYSTEM}.parquet")
    environment = {**os.environ, "PYTHONPATH": str(project / "workflow")}
    look = LOOK.replace("SYSTEM", SYSTEM)
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
