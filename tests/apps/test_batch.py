"""Batches: what is found to index, processes that die or hang, order, and the tables written."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from helpers.batch_workers import obedient, stillborn, weak
from mlindex.apps.batch import table, work, workers
from mlindex.apps.batch.console import report
from mlindex.apps.batch.pool import Pool
from mlindex.apps.batch.run import partners_path, run_batch, samples_path
from mlindex.apps.batch.sources import Sources
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.tables import BATCH_SAMPLES
from mlindex.apps.batch.task import Lines, Task
from mlindex.apps.cli import app
from mlindex.apps.signals import interruptible, tidily
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_arrow, read_table, write_table
from mlindex.files import read
from mlindex.indexing.options import Options
from mlindex.indexing.tables import CANDIDATE_CELLS, PARTNER_LATTICES
from mlindex.wholepattern.indexer import index

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
CUBIC = Options(lattices=("cubic",), time_limit_s=600.0, keep=3)
runner = CliRunner()


def cubic_lines(a_A):
    """q² of the first lines of a primitive cubic lattice; with fewer it could be another."""
    return np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16]) / a_A**2


def long_table(**edges):
    """A row for each line of primitive cubic lattices."""
    frames = [
        pd.DataFrame({"sample": name, "q2_inv_A2": cubic_lines(a)}) for name, a in edges.items()
    ]
    return pd.concat(frames, ignore_index=True)


def listed(path, wavelength_known=False):
    return list(table.tasks(path, table.columns_of(path, wavelength_known)))


def test_a_table_is_read_the_same_from_parquet_and_csv(tmp_path):
    frame = pd.DataFrame(
        {
            "sample_id": ["b", "b", "a", "a", "a"],
            "two_theta_deg": [10.5, 20.25, 11.0, 12.0, 13.0],
            "fwhm_deg": [0.1, 0.2, 0.1, 0.1, 0.1],
            "I": [5.0, 6.0, np.nan, np.nan, np.nan],
            "wavelength_A": [1.54, 1.54, 0.7, 0.7, 0.7],
        }
    )
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "comma.csv", index=False, sep=";", decimal=",")
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    first, second = listed(tmp_path / "t.parquet")
    assert first.sample == "b"
    assert first.lines == Lines(
        "2theta", [10.5, 20.25], 1.54, [1, 2], intensity=[5.0, 6.0], fwhm=[0.1, 0.2]
    )
    assert (second.sample, second.lines.wavelength_A) == ("a", 0.7)
    assert second.lines.intensity is None
    for name in ("t.csv", "comma.csv", "t.tsv"):
        for found, expected in zip(listed(tmp_path / name), (first, second), strict=True):
            assert found.sample == expected.sample
            assert found.lines.positions == expected.lines.positions
            assert found.lines.wavelength_A == expected.lines.wavelength_A
    assert Task.unpacked(first.packed()) == first


def test_wavelengths_stand_above_a_table_too(tmp_path):
    (tmp_path / "t.csv").write_text("# wavelength: 1.5406\nsample,d,2theta\na,4,22\na,3,30\n")
    (task,) = listed(tmp_path / "t.csv")
    assert (task.lines.quantity, task.lines.wavelength_A) == ("2theta", 1.5406)
    (tmp_path / "t.csv").write_text("sample,d,2theta\na,4,22\na,3,30\n")
    assert listed(tmp_path / "t.csv")[0].lines.quantity == "d"
    assert listed(tmp_path / "t.csv", wavelength_known=True)[0].lines.quantity == "2theta"
    rows = pa.table({"entry_id": ["a"], "q2_inv_A2": [0.1]})
    pq.write_table(rows.replace_schema_metadata({"wavelength_A": "0.7"}), tmp_path / "t.parquet")
    assert listed(tmp_path / "t.parquet")[0].lines.wavelength_A == 0.7


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,4\na,x\nb,3\n", r"line 3: expected a number in column 'd', got 'x'"),
        ("a,4\na\nb,3\n", r"line 3: expected a number in column 'd', got nothing"),
        (",4\nb,3\n", "the name of the sample is empty"),
    ],
)
def test_a_bad_row_spoils_its_own_sample_only(tmp_path, rows, message):
    (tmp_path / "t.csv").write_text(f"sample,d\n{rows}")
    bad, good = listed(tmp_path / "t.csv")
    assert pytest.approx([3.0]) == good.lines.positions
    with pytest.raises(MlindexError, match=message):
        raise MlindexError(bad.error)


def test_two_wavelengths_in_a_sample_are_an_error(tmp_path):
    (tmp_path / "t.csv").write_text("sample,2theta,wavelength_A\na,10,1.5\na,20,0.7\n")
    assert listed(tmp_path / "t.csv")[0].error == "holds lines measured at 2 wavelengths"


def test_a_table_that_ends_in_the_middle_is_told_after_what_was_read(tmp_path):
    frame = long_table(**{f"s{i}": 4.0 + i for i in range(40)})
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet", row_group_size=140)
    data = bytearray((tmp_path / "t.parquet").read_bytes())
    last = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(3).column(1)
    data[last.data_page_offset : last.data_page_offset + 40] = b"\xff" * 40
    (tmp_path / "t.parquet").write_bytes(bytes(data))
    *read, end = listed(tmp_path / "t.parquet")
    assert [task.sample for task in read[:29]] == [f"s{i}" for i in range(29)]
    assert "the table is damaged" in end.error


def test_other_files_are_no_table(tmp_path):
    (tmp_path / "one.csv").write_text("d,intensity\n4,1\n3,2\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing")
    for name in ("one.csv", "broken.parquet", "none.csv"):
        assert table.columns_of(tmp_path / name, False) is None
    (tmp_path / "odd.csv").write_text("sample,colour\na,red\n")
    with pytest.raises(MlindexError, match="none of its columns sample, colour is a position"):
        table.columns_of(tmp_path / "odd.csv", False)


@pytest.fixture
def folder(tmp_path):
    """Lists in two folders, with what is not to be read."""
    for name in ("b.txt", "a.xy", "deep/c.txt", ".hidden.txt", ".git/d.txt", "picture.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("d\n4\n3\n")
    long_table(x=4.0, y=5.0).to_csv(tmp_path / "in/t.csv", index=False)
    return tmp_path / "in"


def test_folders_patterns_and_tables_are_looked_through_in_order(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    sources = Sources.of(["in"], False, [])
    expected = ["in/a.xy", "in/b.txt", "in/t.csv:x", "in/t.csv:y", "in/deep/c.txt"]
    assert [task.sample for task in sources.tasks()] == expected
    assert sources.count() == len(expected)
    some = Sources.of(["in/deep", "in/*.txt", "in/b.txt", "in/**/c.txt"], False, [])
    assert [task.sample for task in some.tasks()] == ["in/deep/c.txt", "in/b.txt"]
    single = Sources.of(["in/t.csv"], False, [])
    assert [task.sample for task in single.tasks()] == ["x", "y"]
    without = Sources.of(["in"], False, [Path("in/t.csv")])
    assert [t.sample for t in without.tasks()] == [n for n in expected if ":" not in n]


def test_rows_that_do_not_stand_together_are_told(tmp_path):
    frame = pd.concat([long_table(x=4.0, y=5.0), long_table(x=4.0)])
    frame.to_csv(tmp_path / "t.csv", index=False)
    *_, last = Sources.of([str(tmp_path / "t.csv")], False, []).tasks()
    assert (last.sample, last.lines) == ("x", None)
    assert "do not stand together" in last.error


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["none.txt"], "none.txt: there is no such file or folder"),
        (["*.xye"], r"\*.xye: no file has such a name"),
        (["empty"], "empty: holds nothing to index; .mlindex formats. lists what can be read"),
        ([], "nothing to index"),
    ],
)
def test_nothing_to_index_is_wrong_use(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MlindexError, match=message):
        Sources.of(given, False, [])


def answers(words, workers=3, **more):
    tasks = (Task(word) for word in words)
    with Pool(workers, Options(time_limit_s=0.1), serve=obedient, **more) as pool:
        return list(pool.answers(tasks))


def test_answers_come_in_order_from_several_processes():
    words = [f"wait {n}" for n in range(300)]
    found = answers(words)
    assert [answer["sample"] for answer in found] == words
    assert len({answer["pid"] for answer in found}) == 3


def test_a_process_that_is_killed_is_one_answer_and_the_rest_goes_on():
    words = ["wait 1", "die", "wait 2", "leave", "die", *(f"wait {n}" for n in range(20))]
    found = answers(words, workers=2)
    assert [answer["sample"] for answer in found] == words
    errors = [answer.get("error") for answer in found]
    assert errors[1] == errors[4] == "its process was killed by SIGKILL, perhaps for lack of memory"
    assert errors[3] == "its process ended with code 3"
    assert [error for error in errors[5:] if error] == []


def test_a_process_that_hangs_is_stopped():
    found = answers(["hang", "wait 1"], workers=1, spare_s=0.7)
    assert found[0]["error"] == "gave no answer in 1 s and was stopped"
    assert "error" not in found[1]


def test_a_process_that_dies_between_two_samples_is_replaced():
    with Pool(1, Options(), serve=obedient) as pool:
        (first,) = pool.answers(iter([Task("a")]))
        os.kill(first["pid"], signal.SIGKILL)
        pool._workers[0].process.join()
        (second,) = pool.answers(iter([Task("b")]))
    assert second["sample"] == "b"
    assert second["pid"] != first["pid"]


def test_stopping_drops_what_is_being_done_and_keeps_what_is_done():
    stopped = []
    words = [*(f"wait {n}" for n in range(5)), "hang", *(f"wait {n}" for n in range(5))]
    with Pool(2, Options(), lambda: bool(stopped), obedient) as pool:
        found = []
        for answer in pool.answers(Task(word) for word in words):
            found.append(answer["sample"])
            if len(found) == 5:
                stopped.append(True)
    assert found[:5] == list(takewhile(lambda word: word != "hang", words))
    assert "hang" not in found


def test_processes_that_can_not_start_are_told():
    with pytest.raises(MlindexError, match="did not start: its process was killed by SIGKILL"):
        Pool(1, Options(), serve=stillborn).__enter__()


def test_one_that_is_killed_while_it_starts_is_replaced(monkeypatch, tmp_path):
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    with Pool(2, Options(), serve=weak) as pool:
        answers = list(pool.answers(iter([Task("a", path="a"), Task("b", path="b")])))
    assert [answer["sample"] for answer in answers] == ["a", "b"]


@pytest.mark.parametrize(
    ("asked", "samples", "free", "used", "why"),
    [
        (2, 9, 10**10, 2, ""),
        (500, 1, 10**10, 1, "1 of 500 worker processes are used: there is one sample"),
        (500, 500, 10**12, 4, "4 of 500 worker processes are used: this process may use 4 cores"),
        (4, 9, 900_000_000, 2, "2 of 4 worker processes are used: free memory is enough for 2"),
        (4, 9, 0, 1, "1 of 4 worker processes are used: free memory is enough for 0"),
        (4, 9, None, 4, ""),
    ],
)
def test_no_more_workers_than_samples_cores_and_memory_allow(
    monkeypatch, asked, samples, free, used, why
):
    monkeypatch.setattr(workers, "cores", lambda: 4)
    monkeypatch.setattr(workers, "free_bytes", lambda: free)
    assert workers.fitting(asked, samples) == (used, why)


def test_an_unexpected_error_is_one_answer(monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(work, "index_content", fail)
    task = Task("a", lines=Lines("d", [4.0, 3.0, 2.5], None, [1, 2, 3]))
    assert work.answer(task, Options()) == {
        "sample": "a",
        "error": "unexpected ZeroDivisionError: odd",
    }


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Three lists that can be indexed, one that can't, and four files that can't be read."""
    folder = tmp_path_factory.mktemp("mixed")
    long_table(p=4.0, q=7.5).to_csv(folder / "lists.csv", index=False)
    shutil.copy(SAMPLES / "silicon.txt", folder)
    (folder / "junk.txt").write_text("d\n9.1\n7.77\n6.4\n5.03\n4.4\n3.1\n2.2\n1.9\n1.3\n")
    (folder / "few.txt").write_text("d\n4\n3\n")
    (folder / "words.txt").write_text("no numbers here\n")
    (folder / "empty.csv").write_text("")
    (folder / "no_wavelength.txt").write_text("2theta\n10\n20\n30\n40\n50\n")
    return folder


@pytest.fixture(scope="module")
def batch(mixed, tmp_path_factory):
    """The command on all of it, with two processes."""
    out = tmp_path_factory.mktemp("out") / "cells.parquet"
    call = ["batch", str(mixed), "--out", str(out), "--workers", "2", "--keep", "3"]
    ended = runner.invoke(app, [*call, "--lattice", "cubic", "--time-limit", "600"])
    return out, ended


def test_a_batch_tells_of_every_sample(mixed, batch):
    out, ended = batch
    assert ended.exit_code == 0, ended.output
    assert "finished: 8 samples, 3 with a convincing cell, 1 without, 4 not indexed" in ended.stderr
    assert "not indexed: " in ended.stderr
    samples = read_table(samples_path(out), BATCH_SAMPLES).set_index("sample")
    samples.index = [Path(name).name for name in samples.index]
    order = ["empty.csv", "few.txt", "junk.txt", "lists.csv:p", "lists.csv:q"]
    assert list(samples.index) == [*order, "no_wavelength.txt", "silicon.txt", "words.txt"]
    errors = samples["error"].dropna()
    assert "too few lines to index anything, 2:" in errors["few.txt"]
    assert "2theta needs the wavelength" in errors["no_wavelength.txt"]
    assert set(errors.index) == {"empty.csv", "few.txt", "no_wavelength.txt", "words.txt"}
    assert (samples.loc[errors.index, "verdict"] == "failed").all()
    assert samples.loc["junk.txt", "verdict"] == "not convincing"
    assert samples.loc["lists.csv:q", ["verdict", "n_lines"]].tolist() == ["convincing", 14]
    cells = read_table(out, CANDIDATE_CELLS)
    assert cells.groupby("sample").size().max() <= 3
    best = cells[cells["rank"] == 1].set_index("sample")["a_A"]
    assert best[f"{mixed}/lists.csv:p"] == pytest.approx(4.0, rel=1e-4)
    assert best[f"{mixed}/lists.csv:q"] == pytest.approx(7.5, rel=1e-4)
    assert best[f"{mixed}/silicon.txt"] == pytest.approx(5.431, rel=1e-3)
    found = cells.groupby("sample").size()
    named = dict(zip((Path(n).name for n in found.index), found, strict=True))
    assert {n: c for n, c in samples["candidates"].items() if c} == named


def test_a_batch_names_lattices_with_the_same_lines(mixed, batch):
    partners = read_table(partners_path(batch[0]), PARTNER_LATTICES)
    silicon = f"{mixed}/silicon.txt"
    alone = index(read(silicon), lattices=CUBIC.lattices, keep=CUBIC.keep).candidates
    expected = [(k, p.bravais, p.relation) for k, c in enumerate(alone, 1) for p in c.partners]
    found = partners[partners["sample"] == silicon][["rank", "bravais_lattice", "relation"]]
    assert expected
    assert list(found.itertuples(index=False, name=None)) == expected


def test_results_do_not_depend_on_the_number_of_processes(mixed, batch, tmp_path):
    out = tmp_path / "cells.parquet"
    run_batch([str(mixed)], out, CUBIC, workers=1)
    assert out.read_bytes() == batch[0].read_bytes()
    assert partners_path(out).read_bytes() == partners_path(batch[0]).read_bytes()
    one, two = (
        read_arrow(samples_path(path), BATCH_SAMPLES).drop_columns("seconds")
        for path in (out, batch[0])
    )
    assert one.equals(two)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_keeps_what_is_finished(mixed, tmp_path):
    def press(sources, summary):
        if summary.total == 3:
            os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "cells.parquet"
    before = signal.getsignal(signal.SIGINT)
    with interruptible(tidily) as stopped:
        summary = run_batch([str(mixed)], out, CUBIC, 1, press, stopped)
    assert signal.getsignal(signal.SIGINT) is before
    assert summary.interrupted
    rows = read_table(samples_path(out), BATCH_SAMPLES)
    assert 3 <= len(rows) == summary.total < 8
    assert [Path(name).name for name in rows["sample"][:3]] == ["empty.csv", "few.txt", "junk.txt"]
    assert "interrupted; finished: " in report(summary, out)


def test_a_batch_that_is_stopped_at_once_leaves_earlier_tables(mixed, batch, tmp_path):
    out = tmp_path / "cells.parquet"
    for path in (batch[0], samples_path(batch[0]), partners_path(batch[0])):
        shutil.copy(path, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        run_batch([str(mixed)], out, CUBIC, 1, stopped=lambda: True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_results_among_the_inputs_are_no_inputs(mixed, batch, tmp_path):
    out = tmp_path / "cells.parquet"
    for path in (batch[0], samples_path(batch[0])):
        shutil.copy(path, tmp_path)
    (tmp_path / "few.txt").write_text("d\n4\n3\n")
    sources = Sources.of([str(tmp_path)], False, [out, samples_path(out)])
    assert [Path(task.sample).name for task in sources.tasks()] == ["few.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.txt", "--out", "r.parquet"], "there is no such file or folder"),
        (["few.txt", "--out", "r.csv"], "end its name in .parquet"),
        (["few.txt", "--out", "r.parquet", "--lattice", "pentagonal"], "expected one of"),
        (["few.txt", "--out", "r.parquet", "--formula", "soot"], "formula 'soot' can't be read"),
        (["few.txt", "--out", "few.txt/r.parquet"], "can't be written"),
        (["few.txt"], "--out"),
        (["few.txt", "--out", "r.parquet", "--workers", "0"], "--workers"),
    ],
)
def test_wrong_use_ends_with_2(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.txt").write_text("d\n4\n3\n")
    ended = runner.invoke(app, ["batch", *arguments])
    assert ended.exit_code == 2
    assert words in ended.output
    assert not list(tmp_path.glob("*.parquet"))


@pytest.mark.parametrize(
    ("verdicts", "interrupted", "code"),
    [
        ({"failed": 3}, False, 2),
        ({"failed": 3, "not convincing": 1}, False, 0),
        ({"convincing": 1}, False, 0),
        ({"failed": 3}, True, 130),
    ],
)
def test_a_batch_that_could_index_nothing_does_not_end_well(
    monkeypatch, verdicts, interrupted, code
):
    summary = Summary(Counter(verdicts), interrupted=interrupted)
    monkeypatch.setattr("mlindex.apps.batch.console.run", lambda *_: summary)
    assert runner.invoke(app, ["batch", "x", "--out", "r.parquet"]).exit_code == code


def test_more_failures_than_are_shown_are_counted():
    summary = Summary()
    for n in range(9):
        summary.add({"sample": f"s{n}\x1b", "verdict": "failed", "error": "why"})
    text = report(summary, Path("x.parquet"))
    assert text.count("not indexed: ") == 5
    assert "and 4 more were not indexed" in text
    assert "\x1b" not in text


def test_the_answer_of_a_process_has_a_candidate_row_for_each_cell():
    task = Task("a", lines=Lines("q2", cubic_lines(4.0).tolist(), None, list(range(1, 15))))
    found = work.answer(task, CUBIC)
    assert json.loads(json.dumps(found)) == found
    assert found["sample"] == "a"
    assert found["candidates"][0]["bravais_lattice"] == "cP"


def test_results_and_pipes_in_a_folder_are_passed_over(tmp_path):
    write_table(tmp_path / "moved.parquet", PARTNER_LATTICES, [])
    (tmp_path / "cell.cif").write_text("data_x\n_audit_creation_method 'mlindex 0.1.0'\n")
    os.mkfifo(tmp_path / "pipe.csv")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    Path(odd).write_text("d\n4\n3\n")
    (task,) = Sources.of([str(tmp_path)], False, []).tasks()
    assert (task.sample, task.path) == (f"{tmp_path}/caf\\xe9.txt", odd)
    assert Task.unpacked(task.packed()) == task
