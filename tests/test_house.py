"""Rules of the house that a machine can check."""

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[1]


def run(*command):
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_code_is_formatted_and_lint_free():
    folders = ("workflow", "tests", "benchmarks", "resources", "docs")
    run(sys.executable, "-m", "ruff", "format", "--check", *folders)
    run(sys.executable, "-m", "ruff", "check", *folders)


def test_rule_files_are_formatted():
    rules = sorted(str(p) for p in (PROJECT / "workflow/rules").glob("*.smk"))
    run(str(Path(sys.executable).with_name("snakefmt")), "--check", "Snakefile", *rules)


def test_workflow_lints():
    report = run(sys.executable, "-m", "snakemake", "--lint")
    assert "Congratulations" in report


def test_files_are_short():
    for path in [*PROJECT.glob("workflow/**/*.py"), *PROJECT.glob("tests/**/*.py")]:
        lines = len(path.read_text().splitlines())
        assert lines <= (60 if path.parent.name == "scripts" else 500), f"{path}: {lines} lines"


def test_conda_environment_has_the_same_ranges():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    wanted = [d.split(";")[0].strip() for d in wanted if not d.startswith("mlindex[")]
    pip = {re.match(r"[\w-]+", d)[0]: re.sub(r"^[\w-]+", "", d) for d in wanted}
    lines = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    conda = dict(line.split(" ", 1) for line in lines)
    assert conda.pop("python") == project["requires-python"]
    renamed = {"snakemake": "snakemake-minimal"}
    pip.pop("tensorflow-cpu")
    assert conda == {renamed.get(name, name): versions for name, versions in pip.items()}
