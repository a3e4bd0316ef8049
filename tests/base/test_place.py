"""Where a table lies: patterns of paths below the results."""

from pathlib import PurePosixPath

import pytest

from mlindex.base.errors import MlindexError
from mlindex.base.place import Place
from mlindex.base.schema import STRING, Column, Table, document

SHARD = Place("rejects/a/{source}/{shard}.parquet", rule="a", reported="rejects_a")
SYSTEM = Place("rejects/b/{system}.parquet")
TABLE = Table("rejects", "a reject", (Column("name", STRING, "Name"),), (SHARD, SYSTEM))


def test_a_place_is_a_pattern_with_wildcards():
    assert SHARD.path == "results/rejects/a/{source}/{shard}.parquet"
    assert SHARD.wildcards == ["source", "shard"]
    assert SHARD.glob == "rejects/a/*/*.parquet"
    assert SHARD.fits(PurePosixPath("rejects/a/lab/000.parquet"))
    assert not SHARD.fits(PurePosixPath("deeper/rejects/a/lab/000.parquet"))
    assert not SYSTEM.fits(PurePosixPath("rejects/a/lab/000.parquet"))


def test_rules_ask_a_table_for_its_place():
    assert TABLE.place() == SHARD.path
    assert TABLE.place("rejects/b") == SYSTEM.path
    with pytest.raises(MlindexError, match="no place rejects/c is declared"):
        TABLE.place("rejects/c")
    assert f"Files: `{SHARD.path}`, `{SYSTEM.path}`" in document([TABLE])
