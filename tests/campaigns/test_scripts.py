"""The stages of campaigns: from files to a folder with proposals, and to tables of replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.scripts_in_process import run
from mlindex.apps.verify import verify_results
from mlindex.base.schema import read_arrow
from mlindex.campaigns.tables import REPLAY, REPLAY_FIGURES

SPACE = """
quantities:
  x: {kind: discrete, values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}
objectives:
  y: {}
method: random
batch: 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "results.csv").write_text("x,y\n" + "".join(f"{n},{n}\n" for n in (1, 5, 9)))
    (tmp_path / "all.csv").write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(1, 13)))
    return tmp_path


def plan(folder: Path, place: str) -> dict[str, bytes]:
    inputs = {"space": "space.yaml", "tables": [], "results": ["results.csv"]}
    run("plan_campaign", folder, inputs, {"campaign": place}, {"campaign": "c"}, batch=2, scores="")
    files = sorted(path for path in (folder / place).rglob("*") if path.is_file())
    return {path.relative_to(folder / place).as_posix(): path.read_bytes() for path in files}


def test_a_campaign_is_planned_the_same_from_the_same_files(folder: Path) -> None:
    made = plan(folder, "results/campaigns/c")
    assert {"proposals.csv", "experiments.parquet", "report.html", "space.yaml"} <= made.keys()
    lines = made["proposals.csv"].decode().splitlines()
    assert len(lines) == 3
    again = plan(folder, "results/campaigns/again")
    # The page names the folder in the command that goes on.
    assert {n for n in made if made[n] != again[n]} <= {"report.html"}
    report = verify_results(folder / "results", sources=False)
    assert not report.findings
    assert report.checked["tables"] == 4


def test_a_table_is_replayed(folder: Path) -> None:
    outputs = {"replay": "results/replay/t"}
    inputs = {"space": "space.yaml", "table": "all.csv"}
    run("replay", folder, inputs, outputs, {"table": "t"}, sections=("replay",))
    rows = read_arrow(folder / "results/replay/t/steps.parquet", REPLAY)
    assert rows.num_rows >= 10
    assert max(rows["score"].to_pylist()) == 144
    figures = read_arrow(folder / "results/replay/t/figures.parquet", REPLAY_FIGURES)
    assert figures["conditions"].to_pylist() == [12] * 4
    assert not verify_results(folder / "results", sources=False).findings
