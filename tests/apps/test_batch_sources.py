"""Batches: what is met among the sources and is no sample is passed over, and told."""

from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlindex.apps.batch import found, table
from mlindex.apps.batch.console import report
from mlindex.apps.batch.passed import Kind, PassedOver
from mlindex.apps.batch.run import run_batch
from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.summary import Summary
from mlindex.base.errors import MlindexError
from mlindex.base.schema import write_table
from mlindex.indexing.options import Options
from mlindex.indexing.tables import INDEXED_SAMPLES, OBSERVED_LINES, PARTNER_LATTICES

LIST = "d\n4\n3\n2.5\n"
PEAKS = "# wavelength: 1.54\n# peaks of x\ntwo_theta_deg intensity\n10 1\n20 2\n"


def names(*given, left_out=()):
    """The samples of sources, and what was passed over."""
    sources = Sources.of([str(one) for one in given], False, left_out)
    return [task.sample for task in sources.tasks()], sources.passed.lines()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in/deep").mkdir(parents=True)
    Path("in/a.txt").write_text(LIST)
    Path("in/deep/b.txt").write_text(LIST)
    return tmp_path


@pytest.fixture
def result(here):
    """What ``index --out`` leaves in a folder."""
    folder = Path("in/run")
    folder.mkdir()
    row = dict.fromkeys(INDEXED_SAMPLES.names, "") | {"wavelength_A": None, "convincing": True}
    row |= {"observed_lines": 3, "candidates": 0, "seconds": None, "notes": []}
    write_table(folder / "indexed_samples.parquet", INDEXED_SAMPLES, [row])
    write_table(folder / "observed_lines.parquet", OBSERVED_LINES, [])
    for name in ("peaks.txt", "peaks.before.txt"):
        (folder / name).write_text(PEAKS)
    (folder / "result.json").write_text('{"schema": 2, "mlindex_version": "0.2.0", "sample": "x"}')
    (folder / "result.html").write_text("<!doctype html>")
    (folder / "best.cif").write_text("data_x\n_audit_creation_method 'mlindex 0.2.0'\n")
    return folder


def test_what_is_passed_over_is_told_by_kind(here):
    for name in ("photo.png", "scan.pdf", "notes.docx", "z.zip", ".DS_Store"):
        Path("in", name).write_text("x")
    os.mkfifo("in/pipe.csv")
    os.mkfifo("in/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("in/socket")
    os.symlink("loop.txt", "in/loop.txt")
    os.symlink("..", "in/deep/up")
    os.symlink("gone", "in/gone.txt")
    Path("other").mkdir()
    os.symlink("../other", "in/other")
    write_table("in/old.parquet", PARTNER_LATTICES, [])
    samples, passed = names("in")
    assert samples == ["in/a.txt", "in/deep/b.txt"]
    assert passed == [
        "1 result of mlindex: in/old.parquet",
        "3 pipes, sockets or devices: in/pipe, in/pipe.csv, in/socket",
        "2 links that lead in a circle: in/loop.txt, in/deep/up",
        "1 link to nothing: in/gone.txt",
        "1 link to a folder (give the folder): in/other",
        "4 files of other kinds (see 'mlindex formats'): in/notes.docx, in/photo.png, "
        "in/scan.pdf, ...",
        "1 hidden name: in/.DS_Store",
    ]
    text = report(Summary(passed=passed), Path("x.parquet"))
    assert "passed over:\n  1 result of mlindex: in/old.parquet\n  3 pipes" in text


def test_nothing_is_told_where_all_was_taken(here):
    assert names("in")[1] == []
    assert "passed over" not in report(Summary(), Path("x.parquet"))


def test_names_of_any_bytes_are_told_as_text(here):
    Path(os.fsdecode(b"in/caf\xe9\x1b.png")).write_text("x")
    (phrase,) = names("in")[1]
    assert phrase == r"1 file of another kind (see 'mlindex formats'): in/caf\xe9\x1b.png"


def test_a_folder_that_can_not_be_opened_is_told(here, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    samples, passed = names("in")
    assert samples == ["in/a.txt"]
    assert passed == ["1 folder that can't be opened: in/deep"]
    with pytest.raises(MlindexError, match="in/deep: holds nothing to index; passed over: 1 fold"):
        names("in/deep")


def test_a_folder_of_a_result_is_passed_over_whole(here, result):
    samples, passed = names("in")
    assert samples == ["in/a.txt", "in/deep/b.txt"]
    assert passed == [
        "7 results of mlindex: in/run/best.cif, in/run/indexed_samples.parquet, "
        "in/run/observed_lines.parquet, ..."
    ]
    (result / "indexed_samples.parquet").unlink()
    assert names("in")[0] == samples
    (result / "result.json").unlink()
    assert names("in")[0] == [*samples, "in/run/peaks.before.txt", "in/run/peaks.txt"]


def test_pipes_called_like_results_are_not_waited_for(here):
    for name in ("result.json", "indexed_samples.parquet"):
        os.mkfifo(f"in/{name}")
    Path("in/peaks.txt").write_text(PEAKS)
    samples, passed = names("in")
    assert samples == ["in/a.txt", "in/peaks.txt", "in/deep/b.txt"]
    assert passed == ["2 pipes, sockets or devices: in/indexed_samples.parquet, in/result.json"]


@pytest.mark.parametrize(
    "given", ["in/run/peaks.txt", "in/*/peaks.txt", "in/run/observed_lines.parquet"]
)
def test_lists_of_a_result_are_read_when_they_are_named(result, given):
    if given.endswith("parquet"):
        row = {"sample": "x", "line": 1, "q2_inv_A2": 0.1, "d_A": 10**0.5}
        write_table(given, OBSERVED_LINES, [dict.fromkeys(OBSERVED_LINES.names) | row])
        assert names(given) == (["x"], [])
    else:
        assert names(given) == (["in/run/peaks.txt"], [])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("in/run/indexed_samples.parquet", "is the table 'indexed_samples' that mlindex wrote, no"),
        ("in/run/best.cif", "is a result of mlindex; give the pattern or the peak list that it"),
        ("in/run/result.json", "is a result of mlindex; give the pattern"),
        ("in/run", "holds nothing to index; passed over: 7 results of mlindex: in/run/best.cif, "),
        ("pipe.csv", r"is a FIFO \(named pipe\), not a file; .* pipe it to 'mlindex index -'"),
        ("/dev/null", "is a device, not a file; a batch takes files only: save what comes"),
        ("gone.txt", "is a link that leads to a file that is not there; give the file itself"),
        ("loop.txt", "is a link that leads in a circle; give the file itself"),
        ("in/run/*.parquet", "matches nothing to index; passed over: 2 results of mlindex"),
        ("out.parquet", "is where the results are to be written; give another --out"),
        ("caf\udce9\x1b.txt", r"^caf\\xe9\\x1b.txt: there is no such file or folder"),
    ],
)
def test_what_is_named_and_no_sample_is_called_what_it_is(result, given, words):
    os.mkfifo("pipe.csv")
    os.symlink("gone", "gone.txt")
    os.symlink("loop.txt", "loop.txt")
    write_table("out.parquet", OBSERVED_LINES, [])
    with pytest.raises(MlindexError, match=words):
        names(given, left_out=[Path("out.parquet")])


def test_results_among_names_that_a_shell_made_are_passed_over(result):
    os.mkfifo("in/pipe")
    Path("in/empty").mkdir()
    samples, passed = names(*sorted(Path("in").iterdir()))
    assert samples == ["in/a.txt", "in/deep/b.txt"]
    assert passed[0].startswith("7 results of mlindex: ")
    assert passed[1:] == [
        "1 pipe, socket or device: in/pipe",
        "2 folders that hold no sample: in/empty, in/run",
    ]
    with pytest.raises(MlindexError, match=r"slip.txt: there is no such file"):
        names("in/a.txt", "in/slip.txt")


def test_patterns_do_not_follow_links_in_a_circle(here):
    for name in "xy":
        os.symlink("..", f"in/deep/{name}")
    Path("in/.old").mkdir()
    Path("in/.old/c.txt").write_text(LIST)
    passed = PassedOver()
    matched = found.files("in/**/*.txt", lambda _: False, passed)
    assert list(itertools.islice(matched, 9)) == ["in/a.txt", "in/deep/b.txt"]
    assert names("in/**", "./in/a.t?t") == (["in/a.txt", "in/deep/b.txt"], [])
    assert names(f"{here}/i*/**.txt")[0] == [f"{here}/in/a.txt"]
    assert names("in/.old/*.txt", "in/.*/*.txt")[0] == ["in/.old/c.txt"]


def test_the_same_file_is_one_sample_however_it_is_given(here):
    os.symlink("a.txt", "in/again.txt")
    Path("t.csv").write_text("sample,d\nx,4\nx,3\n")
    given = ["in", "./in", f"{here}/in/a.txt", "t.csv", "./t.csv"]
    samples, _ = names(*given)
    assert samples == ["in/a.txt", "in/again.txt", "in/deep/b.txt", "t.csv:x"]
    assert Sources.of(given, False, []).count() == 4


def test_a_table_that_raises_anything_is_one_row(here, monkeypatch):
    def fail(path, known):
        raise OverflowError("too large")

    monkeypatch.setattr(table, "columns_of", fail)
    first, second = Sources.of(["in"], False, []).tasks()
    assert first.error == "in/a.txt: unexpected OverflowError: too large"
    assert second.sample == "in/deep/b.txt"


def test_files_of_others_are_not_written_over(here):
    Path("mine.samples.parquet").write_text("something")
    with pytest.raises(MlindexError, match=r"mine.samples.parquet: is there, and no table that"):
        run_batch(["in"], Path("mine.parquet"), Options(), 1)
    assert Path("mine.samples.parquet").read_text() == "something"


@pytest.mark.parametrize("name", ["Q", "Q (1/A)", "q_2pi", "Q_inv_A"])
def test_q_with_two_pi_is_named_by_a_capital(tmp_path, name):
    columns = {"sample": ["a", "a"], name: [2 * np.pi / 4, 2 * np.pi / 2]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text(f"sample,{name}\na,{np.pi / 2}\na,{np.pi}\n")
    for suffix in ("parquet", "csv"):
        path = tmp_path / f"t.{suffix}"
        (task,) = table.tasks(path, table.columns_of(path, False))
        assert task.lines.quantity == "Q"
        assert task.lines.positions == pytest.approx([np.pi / 2, np.pi])


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("d_A", pa.array([[4.0], [3.0]]), r"column 'd_A' is of type list<.*; write it as double"),
        ("d_A", pa.array([0, 1], pa.date32()), "column 'd_A' is of type date32"),
        ("wavelength_A", pa.array([[1.5], [1.5]]), r"column 'wavelength_A' is of type list<"),
    ],
)
def test_types_that_hold_no_numbers_are_named(tmp_path, column, values, words):
    columns = {"sample": ["a", "a"], "d_A": pa.array([4.0, 3.0]), column: values}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    (task,) = Sources.of([str(tmp_path / "t.parquet")], False, []).tasks()
    with pytest.raises(MlindexError, match=words):
        raise MlindexError(task.error)


def test_kinds_are_counted_once_each():
    passed = PassedOver()
    for name in "abcda":
        passed.add(Kind.OTHER, name)
    assert passed.lines() == ["4 files of other kinds (see 'mlindex formats'): a, b, c, ..."]
