"""A real Slurm on this machine runs the small workflow, and sends killed jobs again.

Skipped where Slurm is not installed: `tests/helpers/slurm/cluster.sh install` does that on Debian,
as root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from helpers.small_workflow import PROJECT, SYSTEM, TARGETS, make_project, shared_run, snakemake

CLUSTER = PROJECT / "tests/helpers/slurm/cluster.sh"
KEPT = (".parquet", ".npz", ".json", ".gz")
#: The test cluster's node has two CPUs, and its short jobs are asked about sooner.
QUICK = ("--jobs", "6", "--max-threads", "2", "--seconds-between-status-checks", "2")

SLURM = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "3", *QUICK)
GENERIC = ("--profile", "profiles/generic", *QUICK)

HUNGRY = """
include: "workflow/rules/resources.smk"

rule hungry:
    output: "eaten.txt"
    resources: mem_mb=memory_mb(800), runtime=minutes(5)
    run:
        eaten = bytearray(b"x") * 900_000_000
        shell("sleep 6")
        Path(output[0]).write_text(f"{resources.mem_mb} {resources.runtime} {len(eaten)}")
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A running Slurm: the environment in which its commands find it."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("snakemake-executor-plugin-slurm is missing: pip install 'mlindex[cluster]'")
    done = subprocess.run([CLUSTER, "check"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stdout.strip())
    folder = tmp_path_factory.mktemp("slurm")
    log = folder / "start.log"
    with log.open("w") as out:
        started = subprocess.run([CLUSTER, "start", folder], stdout=out, stderr=out, check=False)
    if started.returncode:
        pytest.skip(f"Slurm's daemons do not start here: {log.read_text()[-500:]}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        patch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield folder
    subprocess.run([CLUSTER, "stop", folder], check=True)


def test_the_small_workflow_on_slurm_gives_the_bytes_of_a_local_run(
    cluster, tmp_path, tmp_path_factory
):
    local, remote = shared_run(tmp_path_factory), make_project(tmp_path)
    output = snakemake(remote, *SLURM, *TARGETS)
    ids = set(re.findall(r"submitted with SLURM jobid (\d+)", output))
    assert len(ids) >= 20
    assert "steps (100%) done" in output
    compared = 0
    for path in sorted((local / "results").rglob("*")):
        if path.suffix in KEPT and ".state" not in path.name:
            other = remote / path.relative_to(local)
            assert path.read_bytes() == other.read_bytes(), path.relative_to(local)
            compared += 1
    assert compared > 60
    assert not list((remote / "results").rglob(".*.tmp*"))


def test_a_job_killed_for_memory_is_sent_again_with_more(cluster, tmp_path):
    project = _bare_project(tmp_path, HUNGRY)
    output = snakemake(project, *SLURM, "eaten.txt")
    ids = re.findall(r"submitted with SLURM jobid (\d+)", output)
    assert len(ids) == 2
    assert "Trying to restart job" in output
    assert "exceeded" in (cluster / "slurmd.log").read_text()
    assert (project / "eaten.txt").read_text() == "1600 10 900000000"
    assert [_memory(job) for job in ids] == ["800M", "1600M"]


def test_the_generic_profile_submits_asks_and_notices_a_killed_job(cluster, tmp_path):
    if find_spec("snakemake_executor_plugin_cluster_generic") is None:
        pytest.skip("snakemake-executor-plugin-cluster-generic is missing")
    project = _bare_project(tmp_path, HUNGRY)
    output = snakemake(project, *GENERIC, "eaten.txt")
    assert len(re.findall(r"with external jobid '\d+'", output)) == 2
    assert (project / "eaten.txt").read_text() == "1600 10 900000000"


def test_results_of_a_lattice_system_come_from_the_generic_profile(cluster, tmp_path):
    if find_spec("snakemake_executor_plugin_cluster_generic") is None:
        pytest.skip("snakemake-executor-plugin-cluster-generic is missing")
    project = make_project(tmp_path)
    target = f"results/duplicates/{SYSTEM}.parquet"
    output = snakemake(project, *GENERIC, target)
    assert "steps (100%) done" in output
    assert (project / target).is_file()


def _bare_project(folder: Path, snakefile: str) -> Path:
    # The profiles and resource functions of the project with a Snakefile of one rule.
    shutil.copytree(PROJECT / "workflow/profiles", folder / "workflow/profiles")
    shutil.copytree(PROJECT / "workflow/rules", folder / "workflow/rules")
    (folder / "profiles").symlink_to("workflow/profiles")
    (folder / "Snakefile").write_text(snakefile)
    return folder


def _memory(job: str) -> str:
    command = ["scontrol", "show", "job", job]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.search(r"MinMemoryNode=(\S+)", text)[1]
