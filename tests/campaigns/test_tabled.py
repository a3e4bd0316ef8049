"""Measured tables as pools, and replays of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.campaigns.reading import read_rows
from mlindex.campaigns.settings import Replay
from mlindex.campaigns.space.space import Space
from mlindex.campaigns.tabled import pool_of, replay, space_of

RESOURCES = Path(__file__).resolve().parents[2] / "resources/campaigns"


def write(path: Path, rows: list[tuple]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return path


def line(n: int) -> list[tuple]:
    return [("x", "salt", "same", "loss"), *((i, "ab"[i % 2], 7, (i - 9) ** 2) for i in range(n))]


def test_columns_make_a_space_and_rows_a_pool(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path / "t.csv", line(12)))
    space = space_of(rows, "loss", minimized=True)
    assert space.names == ("x", "salt")
    pool = pool_of(space, rows)
    assert len(pool) == 12
    assert pool.scores[9] == pool.scores.max() == 0


@pytest.mark.parametrize(
    ("rows", "objective", "said"),
    [
        (line(12), "los", "did you mean 'loss'?"),
        (line(4), "loss", "has 4 conditions with a loss; a replay needs 10"),
        ([("loss",), *((n,) for n in range(12))], "loss", "nothing is varied in it but loss"),
        ([*line(12), (1, "a", 7, "high")], "loss", "line 14, loss: expected a number, got 'high'"),
        ([*line(12), (1, "", 7, 5)], "loss", "line 14: has no salt"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, rows: list[tuple], objective: str, said: str
) -> None:
    with pytest.raises(MlindexError) as problem:
        table = read_rows(write(tmp_path / "t.csv", rows))
        pool_of(space_of(table, objective, minimized=True), table)
    assert said in str(problem.value)


def test_replays_by_chance_are_no_faster_than_chance(tmp_path: Path) -> None:
    table = read_rows(write(tmp_path / "t.csv", line(60)))
    space = space_of(table, "loss", minimized=True)
    settings = Replay(method="random", seeds=40, steps=60)
    rows, figures = replay(space, pool_of(space, table), settings, seed=3)
    assert {row["replay"] for row in rows} == set(range(1, 41))
    first = [row for row in rows if row["replay"] == 1]
    assert first[-1]["found"] == 1
    assert first[0]["score"] >= 0
    half = next(f for f in figures if f["figure"] == "acceleration_50")
    assert half["low"] <= 1 <= half["high"] * 1.15
    again, _ = replay(space, pool_of(space, table), settings, seed=3)
    assert again == rows


@pytest.mark.parametrize("name", ["crossed_barrel", "p3ht_cnt", "vapour_diffusion"])
def test_public_tables_fit_their_spaces(name: str) -> None:
    space = Space.read(RESOURCES / f"{name}.yaml")
    rows = read_rows(RESOURCES / f"{name}.csv")
    pool = pool_of(space, rows)
    assert len(pool) == {"crossed_barrel": 600, "p3ht_cnt": 178, "vapour_diffusion": 918}[name]
    if space.listed is None:
        codes = [space.codes({n: row[n] for n in space.names}) for _, row in rows.rows]
        assert space.allowed(np.array(codes)).all()
    else:
        assert len(space.listed) == len(pool)
