"""Batches: faults outside a sample's own work cost one row, and nothing odd reaches a terminal."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import typer

from helpers.batch_workers import obedient
from mlindex.apps.batch import pool, work
from mlindex.apps.batch.console import report
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.tables import BATCH_SAMPLES
from mlindex.apps.batch.task import Lines, Task
from mlindex.apps.batch.writing import TABLES, Tables
from mlindex.apps.ends import problems_shown
from mlindex.base.errors import MlindexError
from mlindex.base.names import printable, shown
from mlindex.indexing.options import Options
from mlindex.indexing.tables import CANDIDATE_CELLS

CUBIC = Options(lattices=("cubic",), time_limit_s=600.0, keep=2)
#: d of the first lines of a cubic lattice of 4 A.
D = [4 / n**0.5 for n in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16)]


class Kept:
    """A stand-in for the writer of a table: it keeps the rows."""

    def __init__(self):
        self.rows = []

    def write(self, block):
        self.rows += block.to_pylist()


@pytest.fixture(scope="module")
def good():
    """The answer for a list that can be indexed."""
    return work.answer(Task("good", lines=Lines("d", D, None, list(range(1, 15)))), CUBIC)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: a.pop("convincing"), "unexpected KeyError: 'convincing'"),
        (lambda a: a["candidates"][0].pop("cell"), "unexpected KeyError"),
        (lambda a: a["candidates"][0].update(rank=2**40), "unexpected MlindexError: table cand"),
        (lambda a: a.update(seconds="long"), "unexpected MlindexError: table batch_samples"),
        (lambda a: a.update(n_lines=[1]), "unexpected MlindexError: table batch_samples"),
        (lambda a: a.update(reason=None), "where the table allows none"),
    ],
)
def test_an_answer_that_fits_no_table_is_one_row(good, spoil, reason):
    bad = json.loads(json.dumps(good)) | {"sample": "bad"}
    spoil(bad)
    summary = Summary()
    writers = tuple(Kept() for _ in TABLES)
    tables = Tables(writers, summary)
    for answer in (good, bad, good):
        tables.add(answer)
    tables.write()
    rows = writers[TABLES.index(BATCH_SAMPLES)].rows
    assert [(row["sample"], row["verdict"]) for row in rows] == [
        ("good", "convincing"),
        ("bad", "failed"),
        ("good", "convincing"),
    ]
    assert reason in rows[1]["error"]
    assert summary.verdicts == Counter(convincing=2, failed=1)
    assert reason in summary.failures[0]
    cells = writers[TABLES.index(CANDIDATE_CELLS)].rows
    assert len(cells) == 2 * len(good["candidates"])


def test_without_a_wavelength_there_is_no_f(good):
    writers = tuple(Kept() for _ in TABLES)
    tables = Tables(writers, Summary())
    tables.add(good)
    tables.write()
    cells = writers[TABLES.index(CANDIDATE_CELLS)].rows
    assert cells
    assert {cell["f_n"] for cell in cells} == {None}


def test_what_is_no_json_is_one_answer(monkeypatch):
    monkeypatch.setattr(work, "answer", lambda task, options: {"sample": task.sample, "x": {1}})
    found = json.loads(work.packed_answer(Task("a"), Options()))
    assert found["sample"] == "a"
    assert "unexpected TypeError: Object of type set" in found["error"]


@pytest.mark.parametrize("message", [b"\xff", b"{", b"3", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_a_failure(message):
    reason = "its process gave no answer that can be read"
    assert pool._unpacked(Task("a"), message) == {"sample": "a", "error": reason}


def test_a_process_that_can_not_be_made_is_told(monkeypatch):
    one = pool.Pool(1, Options())

    class Refused:
        def __init__(self, **_):
            pass

        def start(self):
            raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(one._context, "Process", Refused, raising=False)
    with pytest.raises(MlindexError, match="a worker process can't start: Resource"):
        one.__enter__()


def test_names_are_shown_as_they_can_be_printed():
    assert printable("caf\udce9 \x1b[2J\n\u202e") == r"caf\xe9 \x1b[2J\n\u202e"
    assert printable("two\nlines\x07", keep="\n") == "two\nlines\\x07"
    assert printable("Å °") == "Å °"
    assert shown("caf\udce9\x1b") == r"caf\xe9\x1b"


def test_no_message_changes_a_terminal(capsys):
    with pytest.raises(typer.Exit), problems_shown():
        raise MlindexError("\x1b[2J.txt: is\nodd\udce9")
    assert capsys.readouterr().err == "mlindex: \\x1b[2J.txt: is\nodd\\xe9\n"
    summary = Summary(ended="\x07", note="\x1b")
    summary.add({"sample": "s\x1b", "verdict": "failed", "error": "why\udce9"})
    text = report(summary, Path("x\x1b.parquet"))
    assert all(line.isprintable() for line in text.splitlines())
    assert r"not indexed: s\x1b: why\xe9" in text
    assert r"written: x\x1b.parquet, x\x1b.samples.parquet" in text


def test_a_long_reason_is_cut_on_the_terminal():
    summary = Summary()
    summary.add({"sample": "a", "verdict": "failed", "error": "a: " + "word " * 99})
    line = report(summary, Path("x.parquet")).splitlines()[0]
    assert line.endswith("word ...")
    assert len(line) <= 320


def test_sigterm_to_all_processes_is_no_failure_of_a_sample():
    started = pool.Pool(1, Options(), serve=obedient)
    # Told only once its worker is gone, as when the worker was faster.
    started._stopped = lambda: not started._workers[0].process.is_alive()
    with started:
        assert list(started.answers(iter([Task("term"), Task("wait 0")]))) == []
