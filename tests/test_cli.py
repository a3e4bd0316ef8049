"""The command: help, documentation, exit codes and messages."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mlindex.models
from indexing_models import Models
from mlindex.cli import all_tables, app

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"
runner = CliRunner()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cells = {"hexagonal": [4.9, 4.9, 5.4, 90, 90, 120], "cubic": [5.4, 5.4, 5.4, 90, 90, 90]}
    for name in cells:
        (tmp_path / "models" / name).mkdir(parents=True)

    def load(directory: Path) -> Models:
        return Models(directory.name, cells[directory.name], count=40)

    monkeypatch.setattr(mlindex.models, "load_trained", load)
    return tmp_path / "models"


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys, mlindex.cli\n"
        "slow = {'tensorflow', 'keras', 'pandas', 'numba', 'numpy'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert runner.invoke(app, ["index", "--help"]).exit_code == 0


def test_convincing_cell_ends_with_0(models: Path) -> None:
    call = ["index", str(SAMPLES / "quartz.txt"), "--models", str(models)]
    shown = runner.invoke(app, call)
    assert shown.exit_code == 0, shown.output
    assert "hP" in shown.output
    found = runner.invoke(app, [*call, "--json"])
    data = json.loads(found.stdout)
    assert data["convincing"]
    best = data["candidates"][0]
    np.testing.assert_allclose([best["a_A"], best["c_A"]], [4.9133, 5.4053], rtol=1e-3)
    assert len(best["h"]) == best["lines"] == 20
    assert runner.invoke(app, [*call, "--json"]).stdout == found.stdout


def test_nothing_convincing_ends_with_1(models: Path) -> None:
    call = ["index", str(SAMPLES / "tenorite.txt"), "--models", str(models)]
    assert runner.invoke(app, [*call, "--lattice-system", "cubic"]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.txt"], "can't be read"),
        ([str(SAMPLES / "quartz.txt"), "--lattice-system", "cubical"], "unknown lattice system"),
        ([str(SAMPLES / "quartz.txt"), "--lattice-system", "triclinic"], "no models for triclinic"),
        ([str(SAMPLES / "quartz.txt"), "--models", "nowhere"], "no models"),
    ],
)
def test_bad_use_ends_with_2_and_one_line(models: Path, arguments: list[str], words: str) -> None:
    result = runner.invoke(app, ["index", "--models", str(models), *arguments])
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_docs_are_written_from_the_declarations(tmp_path: Path) -> None:
    assert runner.invoke(app, ["docs", str(tmp_path)]).exit_code == 0
    tables = (tmp_path / "tables.md").read_text()
    assert all(f"## {table.name}\n" in tables for table in all_tables())
    assert "`optimization.iterations`" in (tmp_path / "config.md").read_text()
