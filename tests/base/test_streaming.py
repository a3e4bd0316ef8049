"""Stages that work block by block give what they give on the whole, in bounded memory."""

from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from helpers.small_results import SHARDS, sources, tables
from helpers.small_workflow import PROJECT
from mlindex.base import stage as stage_module
from mlindex.base.errors import MlindexError
from mlindex.base.schema import FLOAT64, STRING, Column, Table, TableWriter, read_table, write_table
from mlindex.base.stage import Stage
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.tables import PATTERNS, PEAKS, REFLECTIONS
from mlindex.structures.tables import CELLS, ENTRIES

TABLE = Table("t", "a row", (Column("entry_id", STRING, "name"), Column("x", FLOAT64, "number")))
LAB = SHARDS[0]


class Named(list):
    """Like Snakemake's lists of inputs and outputs: with names."""

    def __init__(self, folder, names):
        super().__init__(str(folder / f"{name}.parquet") for name in names)
        for name, path in zip(names, self, strict=True):
            setattr(self, name, path)


class Parameters(dict):
    __getattr__ = dict.get


def job(folder, inputs, outputs):
    settings = {"simulation": Simulation().model_dump(), "peaks": Peaks().model_dump()}
    return SimpleNamespace(
        input=Named(folder, inputs),
        output=Named(folder, outputs),
        wildcards={},
        params=Parameters(settings=settings),
        threads=1,
        rule="made for the test",
        log=[str(folder / "log")],
    )


def run_script(name, snakemake):
    text = (PROJECT / f"workflow/scripts/{name}.py").read_text()
    exec(compile(text, name, "exec"), {"snakemake": snakemake})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    sources(folder)
    return tables(folder)


@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_blocks_of_any_size_give_the_same_tables(made, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(stage_module.Stage.blocks, "__defaults__", (None, rows, None))
    for name, table in (("entries", ENTRIES), ("cells", CELLS)):
        write_table(tmp_path / f"{name}.parquet", table, made[f"{name}/{LAB}"].frame)
    run_script("simulate", job(tmp_path, ["entries"], ["reflections", "patterns", "rejects"]))
    run_script("peaks", job(tmp_path, ["cells", "reflections", "patterns"], ["peaks"]))
    for name, table in (("reflections", REFLECTIONS), ("patterns", PATTERNS), ("peaks", PEAKS)):
        whole = table.arrow(made[f"{name}/{LAB}"].frame)
        found = pq.read_table(tmp_path / f"{name}.parquet")
        for column in table.names:
            # As text, for two NaN are not equal.
            assert str(found[column].to_pylist()) == str(whole[column].to_pylist()), column


def test_only_the_entries_asked_for_are_read(tmp_path):
    for name in ("one", "two"):
        frame = pd.DataFrame({"entry_id": [f"{name}{n}" for n in range(2500)], "x": 1.0})
        write_table(tmp_path / f"{name}.parquet", TABLE, frame)
    snakemake = job(tmp_path, ["one", "two"], [])
    snakemake.input.both = list(snakemake.input)
    with Stage(snakemake) as stage:
        found = stage.read_only("both", TABLE, ["two7", "one2400", "none"])
        assert found["entry_id"].tolist() == ["one2400", "two7"]
        assert [len(b) for b in stage.blocks("both", TABLE)] == [1000, 1000, 500] * 2
        assert stage.read_only("both", TABLE, []).columns.tolist() == TABLE.names
        chosen = stage.blocks("both", TABLE, where={"entry_id": "two7"})
        assert pd.concat(chosen)["entry_id"].tolist() == ["two7"]


def test_small_blocks_are_gathered_into_row_groups(tmp_path):
    path = tmp_path / "t.parquet"
    with TableWriter(path, TABLE) as writer:
        for start in range(0, 2600, 100):
            rows = range(start, start + 100)
            writer.write({"entry_id": [str(n) for n in rows], "x": [float(n) for n in rows]})
        assert not path.exists()
    groups = pq.ParquetFile(path).metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [1000, 1000, 600]
    assert read_table(path, TABLE)["x"].tolist() == [float(n) for n in range(2600)]
    assert writer.rows == 2600


def test_a_table_without_rows_can_be_read(tmp_path):
    with TableWriter(tmp_path / "t.parquet", TABLE):
        pass
    assert read_table(tmp_path / "t.parquet", TABLE).empty


@pytest.mark.parametrize("when", ["write", "close"])
def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, when):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    name = {"write": "write_table", "close": "close"}[when]
    with (
        pytest.raises(MlindexError, match="No space left"),
        TableWriter(tmp_path / "t.parquet", TABLE) as writer,
    ):
        monkeypatch.setattr(writer._writer, name, fail)
        writer.write({"entry_id": ["a"], "x": [1.0]})
    assert list(tmp_path.iterdir()) == []
