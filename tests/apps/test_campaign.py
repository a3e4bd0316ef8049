"""``mlindex campaign``: what people type, what they read, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlindex.apps.cli import app

runner = CliRunner()
SPACE = """
quantities:
  salt: {kind: categorical, values: [NaCl, KCl]}
  pH: {kind: discrete, values: [5, 6, 7]}
objectives:
  yield: {unit: '%'}
batch: 3
method: random
"""


def run(*given: object) -> tuple[int, str]:
    done = runner.invoke(app, ["campaign", *map(str, given)])
    return done.exit_code, done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(SPACE)
    code, said = run("new", tmp_path / "space.yaml", "--out", tmp_path / "c")
    assert code == 0, said
    assert "6 combinations" in said
    assert "3 proposals in" in said
    return tmp_path / "c"


def fill(folder: Path, score: float) -> Path:
    path = folder / "proposals.csv"
    head, *rows = path.read_text().splitlines()
    assert head.endswith(",salt,pH,yield")
    path.write_text("\n".join([head, *(f"{row}{score}" for row in rows)]) + "\n")
    return path


def test_a_campaign_from_the_first_plate_to_the_last(folder: Path) -> None:
    code, said = run("tell", folder, fill(folder, 12.5), "--by", "anna")
    assert (code, "3 results" in said) == (0, True)
    assert "best so far: yield 12.5 at salt" in said
    assert run("propose", folder)[0] == 0
    code, said = run("propose", folder)
    assert (code, "nothing is left" in said) == (1, True)
    assert run("tell", folder, fill(folder, 2))[0] == 0
    assert (folder / "experiments.csv").read_text().count("anna") == 3
    code, said = run("report", folder)
    assert (code, "report.html" in said) == (0, True)
    assert 100_000 < (folder / "report.html").stat().st_size < 1_500_000


def test_a_stop_rule_ends_with_one_unless_told_otherwise(folder: Path) -> None:
    with (folder / "space.yaml").open("a") as file:
        file.write("stop: {target: 10}\n")
    run("tell", folder, fill(folder, 12.5))
    code, said = run("propose", folder)
    assert (code, "stop: the target is reached: yield 12.5" in said) == (1, True)
    assert run("propose", folder, "--anyway", "--batch", 1)[0] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("propose", "nowhere"), "holds no campaign; begin one with"),
        (("tell", "nowhere", "x.csv"), "holds no campaign"),
        (("new", "nowhere.yaml", "--out", "x"), "can't be read: No such file"),
        (("propose", "x", "--batch", "0"), "give a whole number, 1 or more"),
    ],
)
def test_bad_use_ends_with_two(
    given: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = run(*given)
    assert code == 2
    assert said in output
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_replayed(tmp_path: Path) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "replay.parquet"
    path.write_text("x,y\n" + "".join(f"{n},{n}\n" for n in range(30)))
    given = ("replay", path, "--objective", "y", "--method", "random", "--seeds", 3)
    code, said = run(*given, "--out", out)
    assert (code, "30 conditions, 30 measured in each of 3 replays" in said) == (0, True)
    assert "faster than random until 30 %" in said
    assert out.is_file()
    code, said = run("replay", path)
    assert (code, "Name it with --objective" in said) == (2, True)
    code, said = run(*given, "--seeds", 5000)
    assert (code, "--seeds: must be at most 1000" in said) == (2, True)


def test_without_the_extra_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys\nfor name in ('scipy', 'sklearn', 'yaml'): sys.modules[name] = None\n"
        "from mlindex.apps.cli import app\napp(['campaign', 'propose', 'x'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "mlindex[campaigns]"' in done.stderr
    assert done.stderr.count("\n") == 1


def test_results_that_are_wrong_end_with_two_and_lose_nothing(folder: Path) -> None:
    before = sorted(path.name for path in folder.rglob("*"))
    wrong = folder.parent / "r.csv"
    wrong.write_text("id,yield\nE0001,1\nE0002,much\n")
    code, said = run("tell", folder, wrong)
    assert code == 2
    assert "line 3: yield: expected a number, got 'much'" in said
    assert sorted(path.name for path in folder.rglob("*")) == before
    code, said = run("new", folder.parent / "space.yaml", "--out", folder)
    assert (code, "is there already and not empty" in said) == (2, True)
