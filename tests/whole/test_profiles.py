"""What jobs ask of a cluster, the cluster profiles, and the status command for other schedulers."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from helpers.small_workflow import PROJECT, make_project, snakemake, write_config

PROFILES = PROJECT / "workflow/profiles"
STATUS = PROFILES / "generic/status.py"
PLUGINS = {
    "slurm": "snakemake_executor_plugin_slurm",
    "generic": "snakemake_executor_plugin_cluster_generic",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in which nothing has run."""
    return make_project(tmp_path_factory.mktemp("profiles"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """{MB of each input file: {rule: {attempt: resources}}} of the whole small workflow."""
    project = make_project(tmp_path_factory.mktemp("asked"))
    levels = {"noise_levels": [0.05, 0.01], "epsilons": [0.01, 0.005]}
    write_config(project, regression={"batches": 2}, assignment=levels)
    script = PROJECT / "tests/helpers/requested_resources.py"
    targets = ("report.html", "pretrained", "classification.html", "joined_symmetry")
    targets += ("classifier_studies/imbalance.parquet", "active_learning/bravais.parquet")
    targets += ("cbed/space_group", "cbed/active_learning.parquet")
    names = ",".join(f"results/{target}" for target in targets)
    command = [sys.executable, str(script), names, "1", "40"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(re.search(r"^ASKED(.*)$", done.stdout, re.MULTILINE)[1])


def test_every_rule_asks_for_threads_memory_and_time(asked):
    rules = set(re.findall(r"^rule (\w+):", _rule_files(), re.MULTILINE))
    elsewhere = {"index_sample", "plan_campaign", "replay", "verify", "all", "models"}
    assert set(asked["1"]) == rules - elsewhere
    for rule, attempts in asked["1"].items():
        assert attempts["1"]["threads"] >= 1, rule
        assert 1000 <= attempts["1"]["mem_mb"] <= 16000, rule
        assert 5 <= attempts["1"]["runtime"] <= 24 * 60, rule


def test_rules_outside_the_report_ask_by_the_same_functions():
    for rule in ("index_sample", "models", "plan_campaign", "replay", "verify"):
        text = re.search(rf"^rule {rule}:(.*?)(?=^rule |\Z)", _rule_files(), re.M | re.S)[1]
        assert re.search(r"^    threads: ", text, re.M), rule
        assert "mem_mb=memory_mb(" in text, rule
        assert "runtime=minutes(" in text, rule


def test_every_attempt_asks_for_twice_as_much(asked):
    for by_rule in asked.values():
        for rule, attempts in by_rule.items():
            for name in ("mem_mb", "runtime"):
                first = attempts["1"][name]
                assert attempts["2"][name] == 2 * first, (rule, name)
                assert attempts["3"][name] == 4 * first, (rule, name)


def test_larger_inputs_ask_for_more(asked):
    for rule in set(asked["1"]) - {"generate", "cbed_stacks"}:
        small, large = asked["1"][rule]["1"], asked["40"][rule]["1"]
        assert large["mem_mb"] > small["mem_mb"], rule
        assert large["runtime"] > small["runtime"], rule
    assert asked["1"]["validate"]["1"]["threads"] < asked["40"]["validate"]["1"]["threads"] == 8


def test_what_a_directory_holds_counts(asked):
    # bundle reads directories: 3 tables, 2 batches, the forests and 2 levels, 40 MB and 2 MB a MB.
    grown = asked["40"]["bundle"]["1"]["mem_mb"] - asked["1"]["bundle"]["1"]["mem_mb"]
    tables_alone = 4 * 39 * 2
    assert grown > 2 * tables_alone


@pytest.mark.parametrize("name", ["slurm", "generic"])
def test_profiles_are_taken_by_snakemake(project, name):
    if find_spec(PLUGINS[name]) is None:
        pytest.skip(f"{PLUGINS[name]} is not installed: pip install 'mlindex[cluster]'")
    output = snakemake(project, "--profile", f"profiles/{name}", "--dry-run", "results/report.html")
    assert f"profiles/{name}" in output
    assert "results/report.html" in output


@pytest.mark.parametrize("name", ["slurm", "generic"])
def test_profiles_retry_wait_and_resume(name):
    profile = yaml.safe_load((PROFILES / name / "config.yaml").read_text())
    assert profile["retries"] >= 2
    assert profile["latency-wait"] >= 30
    assert profile["rerun-incomplete"]


def test_the_examples_of_the_generic_profile_are_whole():
    text = (PROFILES / "generic/config.yaml").read_text()
    blocks = re.split(r"\n\n", text)
    submits = [block for block in blocks if "cluster-generic-submit-cmd" in block]
    assert len(submits) == 4
    for block in submits:
        values = yaml.safe_load(re.sub(r"^# (?=[c ])", "", block, flags=re.M))
        for resource in ("{threads}", "{resources.mem_mb}", "{resources.runtime}"):
            assert resource in values["cluster-generic-submit-cmd"]
        script, scheduler = values["cluster-generic-status-cmd"].split()[1:]
        assert (PROJECT / script).is_file()
        assert f"def {scheduler}(" in STATUS.read_text()
        assert values["cluster-generic-cancel-cmd"]


def test_the_lsf_example_prints_the_job_id_alone(tmp_path):
    text = (PROFILES / "generic/config.yaml").read_text()
    block = next(b for b in text.split("\n\n") if "bsub" in b)
    command = yaml.safe_load(re.sub(r"^# (?=[c ])", "", block, flags=re.M))
    submit = command["cluster-generic-submit-cmd"].replace("{threads}", "1")
    submit = re.sub(r"\{resources\.\w+\}", "10", submit)
    _fake(tmp_path, "bsub", "Job <4711> is submitted to queue <normal>.")
    assert _run(f'{submit} "job.sh"', tmp_path, shell=True) == "4711"


SGE_GONE = "Following jobs do not exist: \n7"
ANSWERS = [
    ("slurm", {"scontrol": "JobId=7 JobName=mlindex\n   JobState=RUNNING Reason=None"}, "running"),
    ("slurm", {"scontrol": "JobId=7\n   JobState=COMPLETED Reason=None"}, "success"),
    ("slurm", {"scontrol": "JobId=7\n   JobState=OUT_OF_MEMORY Reason=x"}, "failed"),
    ("slurm", {"scontrol": "error: Invalid job id specified", "sacct": "COMPLETED"}, "success"),
    ("slurm", {"scontrol": "error: Invalid job id specified", "sacct": "TIMEOUT"}, "failed"),
    ("slurm", {"scontrol": "error: Invalid job id specified", "sacct": ""}, "failed"),
    ("slurm", {"scontrol": "Unable to contact slurm controller"}, "running"),
    ("slurm", {}, "running"),
    ("pbs", {"qstat": "Job Id: 7.head\n    job_state = R"}, "running"),
    ("pbs", {"qstat": "Job Id: 7.head\n    job_state = F\n    Exit_status = 0"}, "success"),
    ("pbs", {"qstat": "Job Id: 7.head\n    job_state = F\n    Exit_status = 271"}, "failed"),
    ("pbs", {"qstat": "Job Id: 7.head\n    job_state = C\n    exit_status = 0"}, "success"),
    ("pbs", {"qstat": "qstat: Unknown Job Id 7.head"}, "failed"),
    ("sge", {"qstat": "=====\njob_number:                 7"}, "running"),
    ("sge", {"qstat": SGE_GONE, "qacct": "failed       0    \nexit_status  0   "}, "success"),
    ("sge", {"qstat": SGE_GONE, "qacct": "failed       0\nexit_status  137"}, "failed"),
    ("sge", {"qstat": SGE_GONE, "qacct": "failed       100 : x\nexit_status  0"}, "failed"),
    ("sge", {"qstat": "error: commlib error: got select error"}, "running"),
    ("lsf", {"bjobs": "PEND"}, "running"),
    ("lsf", {"bjobs": "DONE"}, "success"),
    ("lsf", {"bjobs": "EXIT"}, "failed"),
    ("lsf", {"bjobs": "Job <7> is not found"}, "failed"),
]


@pytest.mark.parametrize(("scheduler", "answers", "expected"), ANSWERS)
def test_status_of_jobs(tmp_path, scheduler, answers, expected):
    for command, text in answers.items():
        _fake(tmp_path, command, text)
    assert _run([sys.executable, str(STATUS), scheduler, "7"], tmp_path) == expected


def _rule_files() -> str:
    rules = sorted((PROJECT / "workflow/rules").glob("*.smk"))
    return "\n".join(path.read_text() for path in [*rules, PROJECT / "Snakefile"])


def _fake(folder: Path, command: str, answer: str) -> None:
    # A scheduler's command that always says the same.
    path = folder / command
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(answer)}\n")
    path.chmod(0o755)


def _run(command: list[str] | str, folder: Path, shell: bool = False) -> str:
    # Without a shell nothing but the fakes is found, so that no real scheduler is asked.
    path = os.pathsep.join([str(folder), "/usr/bin", "/bin"] if shell else [str(folder)])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        shell=shell,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
