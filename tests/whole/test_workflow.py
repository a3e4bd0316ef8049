"""The whole workflow on a small scale: what comes out, and what reruns."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from helpers.small_workflow import (
    DATA_FILE,
    SYSTEM,
    TARGETS,
    crystals,
    one_byte_changed,
    planned,
    shared_run,
    snakemake,
    write_config,
)
from mlindex.base.schema import read_provenance, read_table
from mlindex.learning.tables import DATASET
from mlindex.method.tables import EXAMPLES, RATES, VALIDATION
from mlindex.structures.tables import DUPLICATES, ENTRIES, FILES, REJECTS

CLASSIFIERS = {
    "symmetry_examples",
    "train_classifier",
    "explain_classifier",
    "classification_report",
}
AFTER_MERGE = {
    *CLASSIFIERS,
    "deduplicate",
    "dataset",
    "scaling",
    "reference",
    "augment",
    "train_regression",
    "train_forests",
    "train_assignment",
    "compare_splits",
    "compare_estimators",
    "templates",
    "bundle",
    "validate",
    "models",
    "indexing_rates",
    "report",
}
AFTER_EXAMPLES = AFTER_MERGE - {
    *CLASSIFIERS,
    "deduplicate",
    "dataset",
    "scaling",
    "reference",
    "compare_splits",
    "augment",
    "indexing_rates",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished run of the small workflow, moved: nothing depends on where a project lies."""
    copy = tmp_path_factory.mktemp("workflow") / "project"
    return shutil.copytree(shared_run(tmp_path_factory), copy, symlinks=True)


def test_results_add_up(project):
    results = project / "results"
    for source in ("lab", "generated"):
        for files in (results / "sources" / source).glob("*.files.parquet"):
            shard = files.name.removesuffix(".files.parquet")
            kept = read_table(results / f"entries/{source}/{shard}.parquet", ENTRIES)
            rejects = read_table(results / f"rejects/quality/{source}/{shard}.parquet", REJECTS)
            expected = 240 if source == "generated" else len(read_table(files, FILES))
            assert len(kept) + len(rejects) == expected
    duplicates = read_table(results / f"duplicates/{SYSTEM}.parquet", DUPLICATES)
    assert len(duplicates) == 300
    dataset = read_table(results / f"dataset/{SYSTEM}.parquet", DATASET)
    assert set(dataset["entry_id"]) <= set(duplicates.loc[duplicates["kept"], "entry_id"])


def test_augmented_examples_stay_on_their_parents_side(project):
    dataset = read_table(project / f"results/dataset/{SYSTEM}.parquet", DATASET)
    examples = read_table(project / f"results/examples/{SYSTEM}.parquet", EXAMPLES)
    side = dataset.set_index("entry_id")["side"]
    assert (examples["side"].to_numpy() == side[examples["parent_id"]].to_numpy()).all()
    assert examples["augmented"].any()


def test_validation_is_of_validation_entries_only(project):
    dataset = read_table(project / f"results/dataset/{SYSTEM}.parquet", DATASET)
    validation = read_table(project / f"results/validation/{SYSTEM}.parquet", VALIDATION)
    assert validation["method"].value_counts().to_dict() == {"nearest": 8, "network": 4}
    sides = dataset.set_index("entry_id")["side"]
    assert set(sides[validation["entry_id"]]) == {"validation"}
    rates = read_table(project / f"results/rates/{SYSTEM}.parquet", RATES)
    assert (rates["low"] <= rates["rate"]).all()
    assert (rates["rate"] <= rates["high"]).all()


def test_every_table_carries_its_provenance(project):
    for path in (project / "results").rglob("*.parquet"):
        if path.name.startswith("."):
            continue
        found = read_provenance(path)
        assert found["code"], path
        assert "numpy" in found["packages"]
        assert found["inputs"] or found["rule"] == "manifest", path


def test_finished_work_is_not_done_again(project):
    assert planned(project) == {}


def test_dates_and_unrelated_code_rerun_nothing(project):
    for path in [*project.glob("cifs/*/*.cif"), *project.glob("workflow/scripts/*.py")]:
        os.utime(path)
    cli = project / "workflow/mlindex/apps/cli.py"
    cli.write_text(cli.read_text() + "\nUNRELATED = 1\n")
    assert planned(project) == {}


def test_changed_augmentation_reruns_augmentation_and_what_follows(project):
    module = project / "workflow/mlindex/method/augmentation.py"
    before = module.read_text()
    try:
        module.write_text(before + "\nCHANGED = 1\n")
        jobs = planned(project)
    finally:
        module.write_text(before)
    assert set(jobs) == AFTER_EXAMPLES | {"augment"}


def test_changed_package_data_reruns_the_stages_that_use_it(project):
    # Which stages use which file: tests/base/test_package_data.py.
    with one_byte_changed(project / "workflow/mlindex" / DATA_FILE):
        assert planned(project) == {"indexing_rates": 1, "report": 1}
    assert planned(project) == {}


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"forest": {"trees": 9}}, {"train_forests", "compare_splits", "compare_estimators"}),
        ({"validation": {"entries": 9}}, {"validate"}),
        ({"augmentation": {"fraction": 0.5}}, AFTER_EXAMPLES | {"augment"}),
    ],
)
def test_one_changed_value_reruns_what_uses_it(project, changes, rules):
    try:
        write_config(project, **changes)
        jobs = planned(project)
    finally:
        write_config(project)
    ends = {"bundle", "validate", "models", "report"} if "train_forests" in rules else {"report"}
    assert set(jobs) == rules | ends | ({"models"} if "validate" in rules else set())


def test_an_added_file_reruns_one_shard_and_what_follows_the_merge(project):
    ((name, text),) = crystals(9000, 1)
    added = project / "cifs" / f"{name}.cif"
    try:
        added.write_text(text)
        jobs = planned(project)
    finally:
        added.unlink()
        planned(project)
    for rule in ("quality", "reduce", "simulate", "peaks"):
        assert jobs.pop(rule) == 1
    assert set(jobs) == AFTER_MERGE


def test_a_broken_file_and_an_empty_source_are_explained(project):
    empty = project / "nothing"
    empty.mkdir(exist_ok=True)
    try:
        write_config(project, sources=[{"kind": "folder", "name": "x", "path": "nothing"}])
        output = snakemake(project, "--dry-run", *TARGETS, check=False)
        assert "source 'x': no CIF file below 'nothing'" in output
        write_config(project, forest={"leaves": 3})
        output = snakemake(project, "--dry-run", *TARGETS, check=False)
        assert "forest.leaves: unknown key" in output
    finally:
        write_config(project)
        shutil.rmtree(empty)
    assert "Traceback" not in output
    assert 'File "' not in output


def test_the_report_is_one_page_that_needs_nothing_else(project):
    text = (project / "results/report.html").read_text()
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="https?:', text)
    for heading in ("Data flow", "Rejects", "Distributions", "Training", "Validation", "Run times"):
        assert f">{heading}" in text
