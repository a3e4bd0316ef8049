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
    assert "A convincing cell" in (tmp_path / "result.txt").read_text()
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


def test_compiling_is_said_once_and_only_where_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from numba import njit

    from mlindex.compiling import NOTICE, announced

    source = tmp_path / "small_kernels.py"
    source.write_text(
        "from numba import njit\n\n\n@njit(cache=True)\ndef twice(x):\n    return 2 * x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import small_kernels

    with announced() as compiled:
        small_kernels.twice(1.0)
        small_kernels.twice(1)
    assert compiled.count("twice") == 2
    assert capfd.readouterr().err.count(NOTICE) == 1
    # What is in the cache is loaded, not compiled; a new dispatcher stands for a new process.
    again = njit(cache=True)(small_kernels.twice.py_func)
    with announced() as compiled:
        assert again(2.0) == 4.0
    assert compiled == []
    assert capfd.readouterr().err == ""


def test_warming_up_leaves_nothing_to_compile() -> None:
    assert runner.invoke(app, ["warm-up"]).exit_code == 0
    from mlindex.compiling import announced

    with announced() as compiled:
        ended = runner.invoke(app, ["index", str(SAMPLES / "tenorite.txt"), "--lines", "12"])
    assert ended.exit_code in (0, 1), ended.output
    assert compiled == []
    assert "compiled already" in runner.invoke(app, ["warm-up"]).output


def test_a_search_that_compiling_cut_short_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager
    from dataclasses import replace

    from indexing_results import one_ambiguous
    from mlindex import command
    from mlindex.options import Options

    cut, compiled, calls = one_ambiguous(), [], []
    whole = replace(cut, searched=tuple(replace(s, status="complete") for s in cut.searched))

    def search(*args: object, **kwargs: object) -> command.Done:
        compiled.extend(["kernel"] * (2 - len(calls)))
        calls.append(len(compiled))
        return command.Done(whole if len(calls) > 2 else cut, None, None)

    @contextmanager
    def telling() -> object:
        yield compiled

    monkeypatch.setattr(command, "index_content", search)
    monkeypatch.setattr(command, "announced", telling)
    done = command.run(SAMPLES / "silicon.txt", Options(), quiet=True)
    assert done.result is whole
    assert calls == [2, 3, 3]
    # Compiled already, the limit is the limit.
    calls[:] = [0, 0]
    monkeypatch.setattr(command, "index_content", lambda *a, **k: command.Done(cut, None, None))
    assert command.run(SAMPLES / "silicon.txt", Options(), quiet=True).result is cut


def test_a_note_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(f"{6.1 / n**0.5:.5f}" for n in (2, 1, 3, 4, 5, 6, 8, 9)))
    out = tmp_path / "out"
    done = runner.invoke(app, ["index", str(path), "--lattice", "cP", "--out", str(out)])
    assert done.stdout.count("not in order") == 1
    page = (out / "result.html").read_text()
    assert page.count("Note: the lines were not in order") == 1
