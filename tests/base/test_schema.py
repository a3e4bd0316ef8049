"""Tables: what does not fit the declaration is refused, on write and on read."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlindex.base.atomic import atomic_directory
from mlindex.base.errors import MlindexError
from mlindex.base.schema import (
    BOOL,
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    STRING,
    Column,
    Table,
    TableWriter,
    list_of,
    read_blocks,
    read_provenance,
    read_table,
    write_table,
)

TABLE = Table(
    "thing",
    "a thing",
    (
        Column("name", STRING, "Name"),
        Column("size_A", FLOAT64, "Size", "A", nullable=True),
        Column("q2", list_of(FLOAT64), "q²", "1/A²"),
    ),
)
ROWS = [{"name": "x", "size_A": 1.5, "q2": [1.0, 2.0]}, {"name": "y", "size_A": None, "q2": []}]


def test_round_trip_keeps_values_units_and_provenance(tmp_path):
    path = tmp_path / "deep" / "thing.parquet"
    write_table(path, TABLE, ROWS, {"seed": 7})
    frame = read_table(path, TABLE)
    assert list(frame["name"]) == ["x", "y"]
    assert list(frame["q2"][0]) == [1.0, 2.0]
    assert pd.isna(frame["size_A"][1])
    assert read_provenance(path) == {"seed": 7}
    field = pq.read_schema(path).field("size_A")
    assert field.metadata[b"unit"] == b"A"


KINDS = Table(
    "kinds",
    "a row",
    (
        Column("text", STRING, "", nullable=True),
        Column("yes", BOOL, "", nullable=True),
        Column("whole", INT32, "", nullable=True),
        Column("large", INT64, ""),
        Column("number", FLOAT64, "", nullable=True),
        Column("short", FLOAT32, "", nullable=True),
        Column("numbers", list_of(FLOAT64), "", nullable=True),
        Column("names", list_of(STRING), ""),
    ),
)


def test_rows_without_pandas_are_those_that_a_frame_has(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {
            "text": None if i % 5 == 0 else f"x{i}",
            "yes": None if i % 7 == 0 else bool(i % 2),
            "whole": None if i % 4 == 1 else i,
            "large": np.int64(2**40 + i),
            "number": (None, np.nan, float(rng.normal()))[i % 3],
            "short": np.float32(rng.normal()),
            "numbers": None if i % 6 == 2 else [1.0, np.nan, float(i)][: i % 4],
            "names": np.array(["a", "b"][: i % 3], dtype=object) if i % 2 else ("c",),
        }
        for i in range(50)
    ]
    for some in (rows, rows[:1], rows[7:8], []):
        frame = pd.DataFrame(some, columns=KINDS.names)
        assert KINDS.arrow(some).equals(KINDS.arrow(frame))
        write_table(tmp_path / "rows", KINDS, some)
        write_table(tmp_path / "frame", KINDS, frame)
        assert (tmp_path / "rows").read_bytes() == (tmp_path / "frame").read_bytes()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"name": "x", "size_A": 1.0}], r"missing columns \['q2'\]"),
        ([{**ROWS[0], "more": 1}], r"unknown \['more'\]"),
        ([{**ROWS[0], "name": None}], "column name: 1 empty values, the first in row 0"),
        ([{**ROWS[0], "size_A": "large"}], "column size_A"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, rows, message):
    path = tmp_path / "thing.parquet"
    with pytest.raises(MlindexError, match=message):
        write_table(path, TABLE, rows)
    assert list(tmp_path.iterdir()) == []


def test_files_of_another_table_are_refused(tmp_path):
    path = tmp_path / "thing.parquet"
    other = Table("other", "another", TABLE.columns[:1])
    write_table(path, other, [{"name": "x"}])
    with pytest.raises(MlindexError, match="not a table 'thing'"):
        read_table(path, TABLE)
    path.write_bytes(b"PAR1 cut short")
    with pytest.raises(MlindexError, match="not a readable Parquet file"):
        read_table(path, TABLE)


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "thing.parquet"
    write_table(path, TABLE, ROWS)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), TableWriter(path, TABLE) as writer:
        writer.write(ROWS[:1])
        raise KeyboardInterrupt
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["thing.parquet"]


def test_an_interrupted_directory_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_directory(tmp_path / "models") as directory:
        (directory / "half").write_text("x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_blocks_filters_and_same_bytes(tmp_path):
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    for path in (first, second):
        with TableWriter(path, TABLE, {"seed": 1}) as writer:
            for _ in range(3):
                writer.write(ROWS)
    assert first.read_bytes() == second.read_bytes()
    assert sum(len(block) for block in read_blocks(first, TABLE)) == 6
    assert len(read_table(first, TABLE, ["name"], {"name": "y"})) == 3
