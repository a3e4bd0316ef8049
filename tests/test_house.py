"""Rules of the house that a machine can check."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def run(*command):
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_code_is_formatted_and_lint_free():
    folders = ("workflow", "tests", "benchmarks", "resources")
    run(sys.executable, "-m", "ruff", "format", "--check", *folders)
    run(sys.executable, "-m", "ruff", "check", *folders)


def test_rule_files_are_formatted():
    rules = sorted(str(p) for p in (PROJECT / "workflow/rules").glob("*.smk"))
    run(str(Path(sys.executable).with_name("snakefmt")), "--check", "Snakefile", *rules)


def test_workflow_lints():
    report = run(sys.executable, "-m", "snakemake", "--lint")
    assert "Congratulations" in report


def test_files_are_short():
    for path in [*PROJECT.glob("workflow/**/*.py"), *PROJECT.glob("tests/*.py")]:
        lines = len(path.read_text().splitlines())
        assert lines <= (60 if path.parent.name == "scripts" else 500), f"{path}: {lines} lines"
