"""The command: help, documentation, exit codes, messages and files."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gemmi
import numpy as np
import pytest
from typer.testing import CliRunner

from mlindex.apps.cli import app
from mlindex.apps.declared import declared
from mlindex.base.errors import MlindexError
from mlindex.reports.result.data import SCHEMA

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
runner = CliRunner()


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys, mlindex.apps.cli\n"
        "slow = {'tensorflow', 'keras', 'pandas', 'numba', 'numpy'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert runner.invoke(app, ["index", "--help"]).exit_code == 0


def test_indexing_imports_no_training_library() -> None:
    code = (
        "import sys, mlindex.apps.command\n"
        "import mlindex.indexing.search.plan, mlindex.indexing.search.describe\n"
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
def test_measured_lists_are_indexed_with_no_prior_information(
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
    assert "## mlindex index\n" in (tmp_path / "cli.md").read_text()
    assert "## mlindex.index\n" in (tmp_path / "python.md").read_text()


def test_docs_are_not_written_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = runner.invoke(app, ["docs"])
    assert ended.exit_code == 2
    assert "no such folder; run this in a clone" in ended.output
    assert not list(tmp_path.iterdir())


def test_compiling_is_said_once_and_only_where_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from numba import njit

    from mlindex.indexing.compiling import NOTICE, announced

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
    from mlindex.indexing.compiling import announced

    with announced() as compiled:
        ended = runner.invoke(app, ["index", str(SAMPLES / "tenorite.txt"), "--lines", "12"])
    assert ended.exit_code in (0, 1), ended.output
    assert compiled == []
    assert "compiled already" in runner.invoke(app, ["warm-up"]).output


def test_compiling_is_no_part_of_the_search(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from contextlib import contextmanager
    from dataclasses import replace

    from helpers.indexing_results import one_ambiguous
    from mlindex.apps import command
    from mlindex.indexing.options import Options

    cut, compiled, calls = one_ambiguous(), [], []
    whole = replace(cut, searched=tuple(replace(s, status="complete") for s in cut.searched))

    def search(*args: object, stopped: Callable[[], bool], **kwargs: object) -> command.Done:
        compiled.extend(["kernel"] * (2 - len(calls)))
        calls.append(stopped())
        return command.Done(whole if len(calls) > 2 else cut, None, None)

    @contextmanager
    def telling() -> object:
        yield compiled

    monkeypatch.setattr(command, "index_content", search)
    monkeypatch.setattr(command, "announced", telling)
    monkeypatch.setattr(command, "warm_up", lambda stopped: calls.append("warm-up"))
    done = command.run(SAMPLES / "silicon.txt", Options(), quiet=True)
    assert done.result.searched is whole.searched
    # The first search ends as soon as something is compiled; the second has its time to itself.
    assert calls == [True, "warm-up", False]
    assert re.fullmatch(r"mlindex: compiled once, \d+ s\n", capsys.readouterr().err)
    # A peak search that ends so has no peaks.
    compiled.clear()
    calls.clear()

    def without_peaks(*args: object, **kwargs: object) -> command.Done:
        if not calls:
            compiled.append("kernel")
            raise MlindexError("the peak search was not finished")
        return command.Done(whole, None, None)

    monkeypatch.setattr(command, "index_content", without_peaks)
    assert (
        command.run(SAMPLES / "silicon.txt", Options(), quiet=True).result.searched
        is whole.searched
    )
    assert calls == ["warm-up"]
    # Compiled already, the limit is the limit.
    compiled.clear()
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


@pytest.mark.parametrize(
    ("wavelength", "words"),
    [
        (
            "CuKb",
            "'CuKb' is not a number; give the wavelength in A, such as 1.5406, or a tube such",
        ),
        ("8.0478keV", "'8.0478keV' is not a number; give the wavelength in A: that is 1.5406"),
        ("copper", "'copper' is not a number; give the wavelength in A, such as 1.5406"),
        ("-1.5406", "a wavelength of -1.5406 A can't be right; give it in A, such as 1.5406"),
    ],
)
def test_what_is_no_wavelength_is_refused_with_the_value_in_angstrom(
    wavelength: str, words: str, tmp_path: Path
) -> None:
    file = str(SAMPLES / "silicon.txt")
    for call in (["index", file], ["batch", file, "--out", str(tmp_path / "never.parquet")]):
        ended = runner.invoke(app, [*call, "--wavelength", wavelength])
        assert ended.exit_code == 2
        assert words in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["index", "x", "--rows", "-1"], "--rows: -1: give a whole number, 1 or more"),
        (
            ["index", "x", "--timelimit", "2"],
            "there is no option --timelimit; did you mean --time-",
        ),
        (["index", "x", "--foo"], "there is no option --foo; see '"),
        (["index", "x", "--rows"], "--rows needs a value"),
        (["index", "x", "--json=1"], "--json takes no value"),
        (["index", "x", "y"], "there is no use for: y; see '"),
        (["index"], "file is missing: peak list or measured pattern"),
        (["batch", "x"], "--out is missing: table of candidates to write"),
        (["indx", "x"], "there is no command indx; did you mean index?"),
    ],
)
def test_wrong_use_is_one_line(call: list[str], said: str) -> None:
    ended = runner.invoke(app, call)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"mlindex: {said}")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--lines", "20.5", "lines to use 20.5: give a whole number, 4 to 60"),
        ("--lines", "x", "'x' is not a number"),
        ("--rows", "0", "0: give a whole number, 1 or more"),
        ("--error", "none", "'none' is not a number"),
        ("--wavelength", "1e9", "0.01 to 100 are possible"),
        ("--out", "/proc/x", "/proc/x: nothing can be written to /proc"),
    ],
)
def test_wrong_values_are_refused_before_anything_is_searched(
    flag: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlindex.apps import command

    monkeypatch.setattr(command, "run", lambda *_, **__: pytest.fail("searched"))
    ended = runner.invoke(app, ["index", str(SAMPLES / "silicon.txt"), flag, value])
    assert ended.exit_code == 2
    assert words in ended.stderr


def test_names_of_files_are_no_phases(tmp_path: Path) -> None:
    (tmp_path / "salt.txt").write_text("cF 5.64")
    for name, said in (
        ("", "is a folder"),
        ("salt.txt", "is a file, but its name does not end in"),
    ):
        call = ["index", str(SAMPLES / "silicon.txt"), "--known-phase", str(tmp_path / name)]
        ended = runner.invoke(app, call)
        assert ended.exit_code == 2
        assert said in ended.stderr


def test_options_reach_the_search_as_they_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlindex.apps import command
    from mlindex.base.errors import MlindexError

    asked = []

    def run(file: Path, options: object, quiet: bool) -> None:
        asked.append((file, options))
        raise MlindexError("enough")

    monkeypatch.setattr(command, "run", run)
    call = ["index", "-", "--wavelength", "1,5406", "--lattice", "Cubic,tP", "--lattice", "mC aP"]
    call += ["--known-phase", "cF 4.0496", "--known-phase", "si.cif"]
    ended = runner.invoke(app, call)
    assert (ended.exit_code, ended.output) == (2, "mlindex: enough\n")
    ((file, options),) = asked
    assert file == Path("/dev/stdin")
    assert options.wavelength_A == 1.5406
    runner.invoke(app, ["index", "-", "--wavelength", "Cu Kα"])
    assert asked[1][1].wavelength_A == "CuKa"
    assert options.lattices == ("cubic", "tP", "mC", "aP")
    assert options.known_phases == ("cF 4.0496", "si.cif")


def test_where_nothing_can_be_written_is_said_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlindex.apps import command

    monkeypatch.setattr(command, "run", lambda *_, **__: pytest.fail("searched"))
    taken = tmp_path / "taken"
    taken.write_text("")
    for out in (taken, taken / "below" / "it"):
        ended = runner.invoke(app, ["index", str(SAMPLES / "silicon.txt"), "--out", str(out)])
        assert ended.exit_code == 2
        assert ended.output == (
            f"mlindex: {taken}: is a file, not a folder; give another folder to write to\n"
        )
    call = ["index", str(SAMPLES / "silicon.txt"), "--out", str(tmp_path / ("x" * 300))]
    assert "can't be written to: File name too long" in runner.invoke(app, call).output
    monkeypatch.setattr(command.os, "access", lambda path, mode, **_: not mode & os.W_OK)
    ended = runner.invoke(
        app, ["index", str(SAMPLES / "silicon.txt"), "--out", str(tmp_path / "new" / "one")]
    )
    assert ended.exit_code == 2
    assert f"nothing can be written to {tmp_path}; give yourself the right" in ended.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("as_data", [False, True])
def test_a_closed_pipe_ends_nothing_and_a_full_disk_is_said(as_data: bool, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from helpers.indexing_results import one_ambiguous\n"
        "from mlindex.apps import command\n"
        "sys.stdout.reconfigure(encoding='ascii')\n"
        "from mlindex.base.errors import MlindexError\n"
        "try:\n"
        f"    command.tell(command.Done(one_ambiguous(), None, None), 3, {as_data})\n"
        "except MlindexError as error:\n"
        "    print(error, file=sys.stderr)\n"
        "print('went on', file=sys.stderr)\n"
    )
    call = [sys.executable, "-c", code]
    tests = Path(__file__).parents[1]
    closed = subprocess.Popen(
        call, cwd=tests, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    closed.stdout.close()
    assert closed.stderr.read() == "went on\n"
    assert closed.wait() == 0
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                call, cwd=tests, stdout=full, stderr=subprocess.PIPE, text=True, check=True
            )
        assert done.stderr.startswith("standard output can't be written: No space left on device")
        assert done.stderr.endswith("went on\n")


def test_no_cell_of_an_earlier_run_stays(tmp_path: Path) -> None:
    from dataclasses import replace

    from helpers.indexing_results import one_ambiguous
    from mlindex.apps import command

    found = one_ambiguous()
    command.write(command.Done(found, None, None), tmp_path)
    assert (tmp_path / "best.cif").exists()
    nothing = replace(found, candidates=(), convincing=False)
    command.write(command.Done(nothing, None, None), tmp_path)
    assert not (tmp_path / "best.cif").exists()


def test_a_pattern_without_peaks_is_said(tmp_path: Path) -> None:
    x = np.arange(10, 60, 0.02)
    y = np.random.default_rng(3).poisson(100, len(x))
    path = tmp_path / "flat.xy"
    path.write_text("".join(f"{a:.2f} {b}\n" for a, b in zip(x, y, strict=True)))
    ended = runner.invoke(app, ["index", str(path), "--wavelength", "1.5406"])
    assert ended.exit_code == 2
    assert ended.output.endswith(
        f"mlindex: {path}: no peak stands out of the 2500 points from 10 to 59.98 degrees; is it "
        "the right file, and the right column? If so, count longer\n"
    )


def test_version_formats_and_a_folder_without_results(tmp_path: Path) -> None:
    from mlindex import __version__

    assert runner.invoke(app, ["--version"]).output == f"{__version__}\n"
    formats = runner.invoke(app, ["formats"]).output.splitlines()
    assert formats[:2] == ["Parquet with named columns", "    .parquet .pq"]
    assert max(map(len, formats)) <= 90
    ended = runner.invoke(app, ["verify", str(tmp_path)])
    assert ended.exit_code == 2
    assert "holds no results; give the folder that the workflow fills" in ended.output
    ended = runner.invoke(app, ["index", str(SAMPLES / "silicon.txt"), "--error", "inf"])
    assert ended.exit_code == 2


def test_a_folder_without_a_name_is_not_this_one() -> None:
    for name in ("", " "):
        ended = runner.invoke(app, ["index", str(SAMPLES / "silicon.txt"), "--out", name])
        assert ended.exit_code == 2
        assert "the name is empty" in ended.output


def test_a_scheduler_ends_a_search_like_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers.indexing_results import one_ambiguous
    from mlindex.apps import command
    from mlindex.indexing.options import Options

    def search(*args: object, stopped: Callable[[], bool], **kwargs: object) -> command.Done:
        assert not stopped()
        signal.raise_signal(signal.SIGTERM)
        assert stopped()
        return command.Done(one_ambiguous(), None, None)

    def nothing(*args: object, **kwargs: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise MlindexError("no peak was found in time")

    monkeypatch.setattr(command, "index_content", search)
    assert command.run(SAMPLES / "silicon.txt", Options(), quiet=True).result.candidates
    monkeypatch.setattr(command, "index_content", nothing)
    ended = runner.invoke(app, ["index", str(SAMPLES / "silicon.txt")])
    assert (ended.exit_code, ended.stderr) == (130, "mlindex: stopped before there was a result\n")
