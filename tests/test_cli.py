"""The command: help, documentation, exit codes, messages and files."""

import json
import subprocess
import sys
from pathlib import Path

import gemmi
import numpy as np
import pytest
from typer.testing import CliRunner

from mlindex.cli import app
from mlindex.output.data import SCHEMA
from mlindex.tables import declared

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"
runner = CliRunner()


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys, mlindex.cli\n"
        "slow = {'tensorflow', 'keras', 'pandas', 'numba', 'numpy'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert runner.invoke(app, ["index", "--help"]).exit_code == 0


def test_indexing_imports_no_training_library() -> None:
    code = (
        "import sys, mlindex.command, mlindex.search.plan, mlindex.search.describe\n"
        "slow = {'tensorflow', 'keras', 'sklearn', 'pandas', 'matplotlib', 'pymatgen'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("sample", "bravais", "cell"),
    [
        ("silicon", "cF", [5.431, 5.431, 5.431, 90, 90, 90]),
        ("quartz", "hP", [4.913, 4.913, 5.405, 90, 90, 120]),
        ("corundum", "hR", None),
        ("rutile", "tP", [4.594, 4.594, 2.959, 90, 90, 90]),
        ("tenorite", "mC", [4.685, 3.426, 5.130, 90, 99.5, 90]),
    ],
)
def test_measured_lists_are_indexed_with_nothing_told(
    sample: str, bravais: str, cell: list[float] | None, tmp_path: Path
) -> None:
    call = ["index", str(SAMPLES / f"{sample}.txt"), "--json", "--out", str(tmp_path)]
    found = runner.invoke(app, call)
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    best = data["candidates"][0]
    assert data["convincing"]
    assert best["bravais_lattice"] == bravais
    written = gemmi.cif.read(str(tmp_path / "best.cif")).sole_block()
    assert float(gemmi.cif.as_number(written.find_value("_cell_length_a"))) > 0
    if cell is not None:
        crystal = gemmi.make_small_structure_from_block(written)
        np.testing.assert_allclose(crystal.cell.parameters, cell, rtol=1e-3)
    assert "<html" in (tmp_path / "result.html").read_text()
    assert set(SCHEMA["required"]) <= set(data)


def test_nothing_convincing_ends_with_1() -> None:
    call = ["index", str(SAMPLES / "tenorite.txt"), "--lattice", "cubic", "--time-limit", "20"]
    shown = runner.invoke(app, call)
    assert shown.exit_code == 1, shown.output


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("1 2\n", [], "too few"),
        ("d\n5\n4\n3\n2\n1\n", ["--lattice", "pentagonal"], "expected one of"),
        ("2theta\n10\n20\n30\n40\n50\n", [], "wavelength"),
        ("", [], ""),
        ("d\n5\n4\n3\n2\n1\n", ["--time-limit", "0"], "time limit"),
    ],
)
def test_bad_use_ends_with_2_and_says_why(
    text: str, arguments: list[str], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "peaks.txt"
    path.write_text(text)
    ended = runner.invoke(app, ["index", str(path), *arguments])
    assert ended.exit_code == 2
    assert words in ended.output
    assert "Traceback" not in ended.output


def test_docs_are_written_from_the_declarations(tmp_path: Path) -> None:
    assert runner.invoke(app, ["docs", str(tmp_path)]).exit_code == 0
    tables = (tmp_path / "tables.md").read_text()
    assert all(f"## {table.name}\n" in tables for table in declared())
    assert "`optimization.iterations`" in (tmp_path / "config.md").read_text()
