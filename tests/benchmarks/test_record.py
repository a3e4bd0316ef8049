"""Figures of benchmarks as files: everything that is needed to measure them again."""

import json
import sys

import pytest

import mlindex
from helpers.benchmark_modules import benchmark


@pytest.fixture(scope="module")
def record():
    with benchmark("record") as module:
        yield module


def test_the_record_says_how_it_was_measured(record, tmp_path, monkeypatch):
    out = tmp_path / "new" / "real.json"
    arguments = ["/home/me/mlindex/benchmarks/real.py", "/data/mine/patterns", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    record.write(out, "Two patterns.", {"totals": [{"patterns": 2, "first": 1}]})
    read = json.loads(out.read_text())
    assert read["command"] == "python benchmarks/real.py patterns"
    assert read["version"] == mlindex.__version__
    assert read["lists"] == "Two patterns."
    assert read["tables"] == {"totals": [{"patterns": 2, "first": 1}]}
    assert {"commit", "date", "machine"} <= set(read)
    assert 10 < read["memory_MiB"] < 10_000


def test_without_a_file_nothing_is_written(record, tmp_path):
    record.write(None, "Nothing.", {})
    assert not list(tmp_path.iterdir())
