"""A copy of the project with a small config, and Snakemake runs in it."""

from __future__ import annotations

import fcntl
import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml

from helpers.compiled import bring_back
from mlindex.structures.generator.source import write_shard
from mlindex.structures.sources import GeneratorSource

PROJECT = Path(__file__).resolve().parents[2]
_PARTS = ("Snakefile", "environment.yml", "config", "resources", "workflow")
SYSTEM = "tetragonal"
TARGETS = (
    f"results/models/{SYSTEM}",
    "results/report.html",
    "results/classifiers/bravais",
    "results/classification.html",
)

#: A data file of the package, in its folder; tests/base/test_package_data.py knows of all.
DATA_FILE = "indexing/ranking/pretrained/ranking.npz"

CONFIG = {
    "seed": 11,
    "lattice_systems": [SYSTEM],
    "sources": [
        {"kind": "folder", "name": "lab", "path": "cifs"},
        {"kind": "generator", "name": "generated", "crystals": {SYSTEM: 240}},
    ],
    "shards": {"files_per_shard": 40, "crystals_per_shard": 240},
    "grouping": {"min_entries": 60},
    # Each job of networks takes a quarter of a minute; tests/method/test_models.py joins several.
    "regression": {
        "batches": 1,
        "cycles": 1,
        "epochs": 2,
        "mean_layers": [16],
        "variance_layers": [8],
        "min_train": 20,
    },
    "forest": {"trees": 8},
    "assignment": {
        "epochs": 1,
        "layers": [16],
        "noise_levels": [0.05],
        "epsilons": [0.01],
    },
    "optimization": {"candidates_network": 10, "candidates_forest": 10, "iterations": 10},
    "validation": {"entries": 8, "network_entries": 4},
    "symmetry_examples": {"measured": 1},
    "classifiers": {
        "levels": ["bravais"],
        "learners": ["frequency", "extra_trees"],
        "candidates": 1,
        "folds": 2,
    },
    # tests/classification/test_studies.py carries them out.
    "classifier_studies": {"studies": []},
    "explanation": {"permuted_lists": 20, "repeats": 2, "occluded_lists": 3},
    # The search would be compiled anew in each copy; tests/indexing/test_rates.py runs it.
    "indexing": {"entries": 0, "degraded_entries": 0},
}


def write_config(project: Path, **changes: dict) -> None:
    """Write the small config with some sections updated."""
    values = {
        k: {**v, **changes.get(k, {})} if isinstance(v, dict) else changes.get(k, v)
        for k, v in {**{k: {} for k in changes}, **CONFIG}.items()
    }
    (project / "config/config.yaml").write_text(yaml.safe_dump(values))


def make_project(folder: Path) -> Path:
    """Copy the project and put 60 CIF files, one crystal each, beside its Snakefile."""
    project = folder / "project"
    project.mkdir(parents=True)
    texts = crystals(0, 60)
    # What is compiled goes along, or each copy would compile it again; not what is being written.
    ignore = shutil.ignore_patterns("*.egg-info", "*.tmp.*", "*.pyc.*")
    for part in _PARTS:
        source = PROJECT / part
        if source.is_dir():
            shutil.copytree(source, project / part, ignore=ignore, symlinks=True)
        else:
            shutil.copy(source, project / part)
    (project / "profiles").symlink_to("workflow/profiles")
    write_config(project)
    for name, text in texts:
        path = project / "cifs" / name[-1] / f"{name}.cif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return project


def crystals(first: int, count: int) -> list[tuple[str, str]]:
    """Generated crystals as (name, CIF text)."""
    rng = np.random.default_rng(5 + first)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crystals.cif.gz"
        write_shard(path, SYSTEM, first, count, GeneratorSource(), PROJECT / "resources", rng)
        blocks = re.split(r"(?m)^(?=data_)", gzip.decompress(path.read_bytes()).decode())
    return [(b.split()[0].removeprefix("data_"), b) for b in blocks if b.startswith("data_")]


def snakemake(project: Path, *arguments: str, check: bool = True) -> str:
    """Run Snakemake in a project; its output."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, output[-6000:]
    return output


def shared_run(factory: pytest.TempPathFactory) -> Path:
    """A small project after a whole run, which tests share and nobody changes.

    It is made by the first test that asks, whichever process that is in.
    """
    base = factory.getbasetemp()
    # xdist gives each process a folder of its own below that of the whole session.
    folder = (base.parent if base.name.startswith("popen-") else base) / "finished"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder / "project", ignore_errors=True)
            project = make_project(folder)
            snakemake(project, *TARGETS)
            bring_back(project / "workflow/mlindex")
            (folder / "done").touch()
    return folder / "project"


def planned(project: Path, *targets: str) -> dict[str, int]:
    """How many jobs of each rule Snakemake would run."""
    output = snakemake(project, "--dry-run", *(targets or TARGETS))
    stats = output.partition("Job stats:")[2].partition("total")[0]
    rows = (line.split() for line in stats.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


@contextmanager
def one_byte_changed(path):
    """A file with another byte in its middle, while the block lasts."""
    before = path.read_bytes()
    middle = len(before) // 2
    path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
    try:
        yield
    finally:
        path.write_bytes(before)
