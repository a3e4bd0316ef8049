"""Stacks of CIF files and of files in the challenge's layout, by one line of config each."""

from dataclasses import replace

import pytest

from helpers.cbed_patterns import pattern, stack_of
from helpers.small_workflow import make_project, planned, snakemake, write_config
from mlindex.base.schema import read_table
from mlindex.cbed.store import write_stacks
from mlindex.cbed.tables import CBED_FEATURES


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("cbed"))


def test_the_entries_of_cif_files_are_a_source(project):
    write_config(project, cbed={"source": "sources", "studies": []})
    jobs = planned(project, "results/cbed/space_group")
    # Sixty files by forty, and one shard that is generated.
    assert jobs["cbed_stacks"] == 3
    assert jobs["train_cbed"] == jobs["cbed_space_group"] == 1
    assert jobs["quality"] == 3


def test_a_folder_of_stacks_is_a_source_and_needs_no_crystals(project):
    folder = project / "stacks"
    folder.mkdir()
    images = [pattern("square", "4mm"), pattern("rectangular", "2mm"), pattern("oblique", "2")]
    for name in ("batch_train_0", "batch_dev_0"):
        stack = replace(stack_of(images), space_group=123, formula="Si2 O4", material=name)
        write_stacks(folder / f"{name}.h5", [("sample_0_0", stack)])
    write_config(project, cbed={"source": "stacks", "studies": []})
    jobs = planned(project, "results/cbed/space_group")
    assert jobs["cbed_stacks"] == 2
    assert set(jobs) == {"cbed_stacks", "train_cbed", "cbed_space_group"}
    target = "results/cbed/features/batch_dev_0.parquet"
    snakemake(project, target)
    (row,) = read_table(project / target, CBED_FEATURES).itertuples()
    assert (row.entry_id, row.spacegroup_number) == ("cbed:batch_dev_0", 123)
