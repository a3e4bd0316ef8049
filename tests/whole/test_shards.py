"""Files that are added, changed or removed touch their shard and no other; large graphs."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.small_workflow import (
    PROJECT,
    SYSTEM,
    crystals,
    make_project,
    planned,
    snakemake,
    write_config,
)
from mlindex.base.schema import read_table
from mlindex.crystal.lattice import SYSTEMS
from mlindex.learning.tables import DATASET
from mlindex.patterns.tables import PEAKS
from mlindex.structures.generator.source import write_shard
from mlindex.structures.manifest import crystals_in_shard
from mlindex.structures.quality import check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import GeneratorSource, Shards
from mlindex.structures.tables import CELLS, ENTRIES

TARGET = f"results/dataset/{SYSTEM}.parquet"
PER_SHARD = ("quality", "reduce", "simulate", "peaks")
FOLDER = [{"kind": "folder", "name": "lab", "path": "cifs"}]
SHARDS = {"files_per_shard": 12, "max_shards": 4, "crystals_per_shard": 2000}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder of 40 files in four shards, run up to the dataset."""
    project = make_project(tmp_path_factory.mktemp("shards"))
    for path in list(project.glob("cifs/*/*.cif"))[40:]:
        path.unlink()
    write_config(project, sources=FOLDER, shards=SHARDS)
    assert jobs_of(snakemake(project, TARGET)) == {
        **dict.fromkeys(PER_SHARD, 4),
        "deduplicate": 1,
        "dataset": 1,
    }
    return project


def jobs_of(output: str) -> dict[str, int]:
    """How many jobs of each rule a run had."""
    stats = output.partition("Job stats:")[2].partition("total")[0]
    rows = (line.split() for line in stats.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def shard_files(project: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and date of everything that belongs to a shard."""
    paths = [
        path
        for path in (project / "results").rglob("lab/*.parquet")
        if not path.name.startswith(".")
    ]
    return {
        str(path.relative_to(project)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in paths
    }


def rows_by_entry(project: Path, table, kind: str) -> dict[str, str]:
    """Every row of a kind of table as text (two NaN are not equal), by its entry."""
    rows = {}
    for path in (project / f"results/{kind}/lab").glob("*.parquet"):
        for row in table.arrow(read_table(path, table)).to_pylist():
            rows[row["entry_id"]] = repr(row)
    return rows


def add(project: Path) -> str:
    """A new file; its entry's name."""
    ((name, text),) = crystals(9000, 1)
    (project / "cifs" / f"{name}.cif").write_text(text)
    return name


def change(project: Path) -> str:
    """Another R factor in one of the files."""
    path = sorted(project.glob("cifs/*/*.cif"))[3]
    text = path.read_text()
    path.write_text(text.replace("_cell_volume", "_refine_ls_R_factor_gt 0.031\n_cell_volume"))
    return path.stem


def remove(project: Path) -> str:
    """One file less."""
    path = sorted(project.glob("cifs/*/*.cif"))[7]
    path.unlink()
    return path.stem


@pytest.mark.parametrize("edit", [add, change, remove])
def test_only_the_touched_shard_runs_again(project, edit):
    tables = {"entries": ENTRIES, "cells": CELLS, "peaks": PEAKS}
    before = shard_files(project)
    rows = {kind: rows_by_entry(project, table, kind) for kind, table in tables.items()}
    name = edit(project)
    done = jobs_of(snakemake(project, TARGET))
    assert done == {**dict.fromkeys(PER_SHARD, 1), "deduplicate": 1, "dataset": 1}
    after = shard_files(project)
    assert after.keys() == before.keys()
    touched = {Path(path).name.partition(".")[0] for path in after if after[path] != before[path]}
    assert len(touched) == 1
    for kind, table in tables.items():
        found = rows_by_entry(project, table, kind)
        other = {e for e in {*rows[kind], *found} if rows[kind].get(e) != found.get(e)}
        assert all(name in entry for entry in other), kind
    changed = {"add": 1, "change": 0, "remove": -1}[edit.__name__]
    assert len(found) - len(rows["peaks"]) == changed
    dataset = read_table(project / TARGET, DATASET)
    assert any(name in e for e in dataset["entry_id"]) == (edit is not remove)


def test_the_results_of_it_all_verify(project):
    assert "everything is in order" in snakemake(project, "verify")


def test_a_million_generated_crystals_are_a_graph_of_a_few_hundred_jobs(tmp_path):
    project = make_project(tmp_path)
    source = {"kind": "generator", "name": "generated", "crystals": {SYSTEM: 1_000_000}}
    write_config(project, sources=[source], shards={"files_per_shard": 2000, "max_shards": 64})
    jobs = planned(project)
    assert jobs["quality"] == 100
    assert sum(jobs.values()) < 600


def test_shards_of_a_generator_double_with_the_source_and_fit_one_file():
    shards = Shards(crystals_per_shard=2000, max_shards=64)
    sizes = [crystals_in_shard(n, shards, 50.0) for n in (1, 80_000, 128_000, 128_001, 10**7)]
    assert sizes == [2000, 2000, 2000, 4000, 10_000]
    assert crystals_in_shard(100, shards, 0.001) == 1
    many = Shards(crystals_per_shard=26_000)
    assert crystals_in_shard(26_000, many, Quality().max_file_MB) == 10_000


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_full_shard_is_smaller_than_quality_control_allows(tmp_path, system):
    count = 200
    path = tmp_path / "shard.cif.gz"
    rng = np.random.default_rng(3)
    write_shard(path, system, 0, count, GeneratorSource(), PROJECT / "resources", rng)
    size_MB = len(gzip.decompress(path.read_bytes())) / 1e6
    full = crystals_in_shard(10**7, Shards(), Quality().max_file_MB)
    assert size_MB * full / count < 0.75 * Quality().max_file_MB


def test_large_generated_shards_are_read_and_not_rejected_whole(tmp_path):
    source, settings = GeneratorSource(crystals={SYSTEM: 60}), Quality(max_file_MB=0.1)
    fitting = crystals_in_shard(60, Shards(crystals_per_shard=60), settings.max_file_MB)
    found = {}
    for count in (fitting, 200):
        path = tmp_path / f"{count}.cif.gz"
        rng = np.random.default_rng(3)
        write_shard(path, SYSTEM, 0, count, source, PROJECT / "resources", rng)
        checked = check_shard(pd.DataFrame({"path": [path.name]}), tmp_path, source, settings)
        found[count] = len(checked.entries), len(checked.rejects)
    assert found == {20: (20, 0), 200: (0, 1)}
