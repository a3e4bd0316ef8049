"""Rules of the house that a machine can check."""

import ast
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
    # A referee in few tests, which are skipped without it.
    pip.pop("abtem")
    assert conda == {renamed.get(name, name): versions for name, versions in pip.items()}


#: Modules whose compiled functions multiply matrices: numba needs scipy for that, which only the
#: extras install.
WITH_SCIPY = {"reduction_kernels.py", "structure_factors.py", "placing.py"}


def products(text):
    """Compiled functions of a module that multiply matrices or ask for linear algebra."""
    for function in ast.walk(ast.parse(text)):
        decorators = getattr(function, "decorator_list", ())
        if any("njit" in ast.unparse(one) for one in decorators):
            for node in ast.walk(function):
                product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
                named = isinstance(node, ast.Attribute) and ast.unparse(node)
                if product or named in ("np.dot", "np.vdot", "np.linalg"):
                    yield function.name


def test_what_a_light_installation_compiles_needs_no_scipy():
    text = "@njit(cache=True)\ndef f(a, b):\n    return a @ b + np.dot(a, b)\n"
    assert list(products(text)) == ["f", "f"]
    files = (PROJECT / "workflow/mlindex").rglob("*.py")
    texts = {path.name: path.read_text() for path in files}
    found = {name for name, text in texts.items() if "njit" in text and list(products(text))}
    assert found == WITH_SCIPY
