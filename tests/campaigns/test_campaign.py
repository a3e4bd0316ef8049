"""Campaigns: what is asked and told, kept in a folder, and when to stop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.campaign_methods import Kriging
from mlindex.base.errors import MlindexError
from mlindex.campaigns import Campaign, planning
from mlindex.campaigns.experiments import FAILED, MEASURED, PENDING

TEXT = """
quantities:
  salt: {kind: categorical, values: [NaCl, KCl, LiCl]}
  pH: {kind: continuous, low: 4, high: 10, step: 0.5}
objectives:
  drop: {levels: [clear, powder, crystals]}
batch: 4
seed: 7
"""


@pytest.fixture
def kriging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "method", lambda name, options: Kriging())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "space.yaml").write_text(TEXT)
    Campaign.new(tmp_path / "space.yaml", tmp_path / "c").ask()
    return tmp_path / "c"


def campaign(**more: Any) -> Campaign:
    line = {"kind": "continuous", "low": 0, "high": 10}
    return Campaign({"quantities": {"x": line}, "objectives": {"y": {}}, "batch": 4, **more})


def told(campaign: Campaign, *rows: dict[str, Any]) -> dict[str, str]:
    campaign.tell(rows)
    return {one.id: one.status for one in campaign.experiments}


def problem(campaign: Campaign, *rows: dict[str, Any]) -> str:
    before = campaign.experiments
    with pytest.raises(MlindexError) as caught:
        campaign.tell(rows)
    assert campaign.experiments == before
    return str(caught.value)


def test_results_are_known_by_id_or_by_values() -> None:
    c = campaign()
    first, second, *_ = c.ask()
    near = first.values["x"] + 0.1
    assert told(c, {"x": near, "y": 1.0})[first.id] == MEASURED
    assert c.experiments[0].values == {"x": near}
    assert c.experiments[0].planned == first.values
    assert told(c, {"id": second.id, "status": "failed"})[second.id] == FAILED
    far = told(c, {"x": 25, "y": 3.0, "note": "outside"})
    assert far["P0001"] == MEASURED
    assert told(c, {"id": "my own", "x": 1.234567, "y": 2})["my own"] == MEASURED
    assert c.best.id == "P0001"


def test_the_same_results_twice_change_nothing() -> None:
    c = campaign()
    rows = [{"id": one.id, "y": n} for n, one in enumerate(c.ask())]
    rows += [{"x": 3.3333, "y": 1.0}, {"x": 3.3333, "y": 1.0}]
    assert c.tell(rows).count == 6
    before = c.experiments
    again = c.tell(rows)
    assert (again.count, again.skipped) == (0, 6)
    assert c.experiments == before
    assert [one.replicate for one in before if one.id == "P0001"] == [1, 2]


def test_a_second_result_is_refused_unless_it_is_meant() -> None:
    c = campaign()
    one = c.ask()[0].id
    assert "two results for one experiment" in problem(c, {"id": one, "y": 1}, {"id": one, "y": 2})
    c.tell([{"id": one, "y": 1}])
    assert "has a result already, y 1" in problem(c, {"id": one, "y": 2})
    c.tell([{"id": one, "y": 2, "replicate": 2}])
    assert [e.scores["y"] for e in c.experiments if e.id == one] == [1, 2]
    c.tell([{"id": one, "y": 5, "replicate": 1}], replaces=True)
    assert [e.scores["y"] for e in c.experiments if e.id == one] == [5, 2]
    c.tell([{"id": one, "replicate": 1, "status": "excluded"}])
    assert c.best.scores["y"] == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "E0009", "y": 1}, "no experiment is called 'E0009'; did you mean"),
        ({"id": "E0001", "y": "high"}, "y: expected a number, got 'high'"),
        ({"id": "E0001", "y": "1,5"}, "write the decimal sign as a point"),
        ({"id": "E0001", "y": "inf"}, "expected a finite number"),
        ({"id": "E0001", "y": "nan"}, "expected a finite number, got 'nan'; leave the cell empty"),
        ({"id": "E0001", "y": 1e200}, "is too large to calculate with"),
        ({"x": "wide", "y": 1}, "x: expected a number"),
        ({"y": 1}, "has no id, and no x"),
        ({"id": "E0001", "status": "measured"}, "has no y"),
        ({"id": "E0001", "status": "failed", "y": 1}, "is said to have failed, but has y"),
        ({"id": "E0001", "status": "lost"}, "say measured, failed, pending or excluded"),
        ({"id": "E0001", "y": 1, "replicate": 1.5}, "expected a whole number"),
        ({"id": "E0001", "y": 1, "cost": -1}, "cost: is below 0"),
        ({"id": "=1+1", "x": 3, "y": 1}, "would be a formula to spreadsheets"),
        ({"id": "E0001", "Y": 1}, "no column is named y or status; is it"),
    ],
)
def test_what_is_wrong_in_results_is_said(row: dict[str, Any], said: str) -> None:
    c = campaign()
    c.ask()
    assert said in problem(c, row)


def test_a_slip_in_an_id_is_noticed() -> None:
    c = campaign()
    first = c.ask()[0]
    assert f"those of {first.id}" in problem(c, {"id": "E001", "x": first.values["x"], "y": 1})


def test_good_rows_of_a_bad_table_do_not_count() -> None:
    c = campaign()
    ids = [one.id for one in c.ask()]
    said = problem(c, {"id": ids[0], "y": 1}, {"id": ids[1], "y": "?"}, {"id": ids[2], "y": ""})
    assert "line 2" in said


def test_levels_are_told_by_name_or_number() -> None:
    levels = {"clear": 10, "skin": 60, "crystals": 90}
    c = campaign(objectives={"y": {"levels": levels}})
    ids = [one.id for one in c.ask()]
    rows = ["Crystals", "60", "10-90", 10]
    c.tell([{"id": name, "y": word} for name, word in zip(ids, rows, strict=True)])
    assert [one.scores["y"] for one in c.experiments] == [90, 60, 90, 10]
    assert "'crystal' is no level; did you mean 'crystals'?" in problem(c, {"x": 1, "y": "crystal"})


def test_replicates_fill_the_batch() -> None:
    c = campaign(replicates=2)
    asked = c.ask()
    assert [(one.id, one.replicate) for one in asked] == [
        ("E0001", 1), ("E0001", 2), ("E0002", 1), ("E0002", 2),
    ]  # fmt: skip
    c.tell([{"id": "E0001", "y": 1.0}, {"id": "E0001", "y": 3.0}])
    known = planning.known_of(c.space, c.experiments)
    assert known.values.tolist() == [[2.0]]
    assert len(known.open) == 1


@pytest.mark.usefixtures("kriging")
def test_the_best_is_found_and_nothing_asked_twice() -> None:
    c = campaign(stop={"better_below": 1e-3, "target": 25.0})
    seen: set[float] = set()
    for _ in range(5):
        asked = c.ask()
        assert not {one.values["x"] for one in asked} & seen
        seen |= {one.values["x"] for one in asked}
        c.tell([{"id": one.id, "y": 25 - (one.values["x"] - 7) ** 2} for one in asked])
    assert c.best.values["x"] == pytest.approx(7, abs=0.1)
    assert all(0 <= one.better <= 1 for one in asked)
    # What was measured is not far from what was expected.
    assert np.mean([abs(one.scores["y"] - one.expected) for one in c.experiments[-4:]]) < 2


@pytest.mark.usefixtures("kriging")
def test_minimized_scores_are_expected_in_their_own_units() -> None:
    c = campaign(objectives={"y": {"direction": "minimize"}})
    for _ in range(3):
        c.tell([{"id": o.id, "y": 100 + (o.values["x"] - 2) ** 2} for o in c.ask()])
    assert c.best.values["x"] == pytest.approx(2, abs=0.5)
    assert all(90 < one.expected < 170 for one in c.ask())


@pytest.mark.usefixtures("kriging")
def test_nothing_is_expected_of_results_that_are_all_the_same() -> None:
    c = campaign()
    c.tell([{"id": one.id, "y": 7} for one in c.ask(4)])
    planned = c.plan(3)
    assert len(planned.rows) == 3
    assert planned.better is None
    assert {row["expected"] for row in planned.rows} == {None}
    assert "all results so far are the same" in planned.rows[0]["why"]


@pytest.mark.usefixtures("kriging")
def test_proposals_of_a_round_are_no_nearer_than_measured_values_are_told_apart() -> None:
    fine = {"kind": "continuous", "low": 0, "high": 10, "step": 0.001}
    c = campaign(quantities={"x": fine, "z": fine}, batch=12)
    for _ in range(2):
        c.tell([{"id": o.id, "y": -abs(o.values["x"] - 3)} for o in c.ask()])
    at = np.array([[one.values["x"], one.values["z"]] for one in c.ask()]) / 10
    cells = np.floor(at / c.space.document.tolerance + 1e-9)
    assert len(np.unique(cells, axis=0)) == 12


@pytest.mark.usefixtures("kriging")
def test_a_batch_is_shared_out_among_several_objectives() -> None:
    aims = {"y": {}, "z": {"direction": "minimize", "weight": 2}}
    c = campaign(objectives=aims, batch=6)
    for _ in range(3):
        asked = c.ask()
        c.tell([{"id": o.id, "y": o.values["x"], "z": (o.values["x"] - 3) ** 2} for o in asked])
    assert all(one.why.startswith("for 33 % y, 67 % z") for one in asked[:1])
    assert all(one.each.keys() == {"y", "z"} and one.expected is None for one in asked)
    near = [one for one in asked if abs(one.values["x"] - 3) < 1]
    assert all(abs(one.each["y"][0] - one.values["x"]) < 2 for one in near)
    row = c.rows()[-1]
    assert [row["z_expected"], row["z_error"]] == list(asked[-1].each["z"])
    assert len({one.why.partition(":")[0] for one in asked}) >= 5
    half = c.tell([{"id": c.ask()[0].id, "y": 1.0}])
    assert half.count == 1
    assert c.experiments[18].status == PENDING


@pytest.mark.parametrize("scores", [[5.0] * 4, [1.0], [0.0, 0.0, 1e100, 0.0]])
@pytest.mark.usefixtures("kriging")
def test_few_or_equal_scores_are_no_fault(scores: list[float]) -> None:
    c = campaign()
    asked = c.ask()
    c.tell([{"id": o.id, "y": y} for o, y in zip(asked, scores, strict=False)])
    assert len(c.ask()) == 4


def test_nothing_is_left_of_a_space_of_one_point() -> None:
    c = campaign(quantities={"x": {"kind": "continuous", "low": 1, "high": 1}})
    assert [one.values for one in c.ask()] == [{"x": 1.0}]
    assert c.ask() == ()


def test_stop_rules_say_why() -> None:
    c = campaign(
        method="random",
        stop={"budget": 4, "target": 3},
        cost={"base": 1, "unit": "h", "of": {"x": 0.1}},
    )
    c.tell([{"id": one.id, "y": 3} for one in c.ask()])
    reasons = " ".join(c.reasons_to_stop(c.plan()))
    assert "the budget is spent: 6" in reasons
    assert "of 4 h" in reasons
    assert "the target is reached: y 3, wanted 3" in reasons
    assert c.cost == pytest.approx(4 + 0.1 * sum(o.values["x"] for o in c.experiments))


def test_a_folder_is_remade_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    c = Campaign.open(folder)
    rows = [{"id": o.id, "drop": "clear"} for o in c.experiments]
    c.tell(rows)
    c.ask(5)
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    (again / "journal/0003.json").unlink()
    Campaign.open(again).ask(5)
    for name in ("journal/0003.json", "proposals.csv", "experiments.csv", "proposals.parquet"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_whenever_it_is_killed_a_folder_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    real, calls = Path.replace, []
    results = [{"id": "E0001", "drop": "powder"}]
    for last in range(4):
        calls.clear()

        def killed(self: Path, target: Path, last: int = last) -> Path:
            calls.append(target)
            if len(calls) > last:
                raise KeyboardInterrupt
            return real(self, target)

        monkeypatch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            Campaign.open(folder).tell(results)
        monkeypatch.setattr(Path, "replace", real)
        # The next one finds all of it, or nothing, and makes the tables again.
        found = Campaign.open(folder)
        statuses = {one.status for one in found.experiments}
        number = len(os.listdir(folder / "journal"))
        assert statuses == ({"proposed"} if number == 1 else {"proposed", MEASURED})
        assert found.folder.written_after("experiments") == number
        results = [{"id": f"E000{last + 2}", "drop": "powder"}]


def test_two_who_write_at_once_do_not_overwrite_each_other(folder: Path) -> None:
    one, other = Campaign.open(folder), Campaign.open(folder)
    one.tell([{"id": "E0001", "drop": "clear"}])
    with pytest.raises(MlindexError, match="someone else has changed this campaign"):
        other.tell([{"id": "E0002", "drop": "clear"}])
    assert sum(o.status == MEASURED for o in Campaign.open(folder).experiments) == 1


def test_what_was_filled_in_is_not_written_over(folder: Path) -> None:
    path = folder / "proposals.csv"
    filled = path.read_text().replace("\n", "clear\n", 2).replace("dropclear", "drop")
    path.write_text(filled)
    with pytest.raises(MlindexError, match="was changed since it was written"):
        Campaign.open(folder).ask()
    assert path.read_text() == filled
    assert Campaign.open(folder).tell(path).count == 1
    assert len(Campaign.open(folder).ask()) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"ki', "is damaged"),
        (json.dumps({"kind": "x"}).encode(), "is damaged"),
        (None, "missing"),
    ],
)
def test_a_damaged_journal_is_said(folder: Path, content: bytes | None, said: str) -> None:
    Campaign.open(folder).tell([{"id": "E0001", "drop": "clear"}])
    path = folder / "journal/0001.json"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(MlindexError, match=said):
        Campaign.open(folder)


def test_a_space_that_lost_a_name_is_refused(folder: Path) -> None:
    text = (folder / "space.yaml").read_text().replace("NaCl, KCl, LiCl", "NaCl")
    (folder / "space.yaml").write_text(text)
    with pytest.raises(MlindexError, match="doesn't fit the space any more"):
        Campaign.open(folder)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffid;drop\r\nE0001;powder\r\n".encode(),
        "id\tdrop\nE0001\tpowder\n".encode("utf-16"),
        "# from the robot\nid,drop,Größe µm\nE0001,powder,3\n".encode("cp1252"),
        b'id,drop\n\n"E0001","powder"\n,\n',
    ],
    ids=["marked", "utf-16", "windows", "quoted"],
)
def test_tables_of_any_spreadsheet_are_read(folder: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(content)
    assert Campaign.open(folder).tell(path).count == 1


def test_parquet_is_read_as_csv_is(folder: Path, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"id": ["E0001", "E0002"], "drop": ["clear", None], "pH": [5.25, None]})
    pq.write_table(table, tmp_path / "r.parquet")
    c = Campaign.open(folder)
    assert c.tell(tmp_path / "r.parquet").count == 1
    assert c.experiments[0].values["pH"] == 5.25


def test_notes_are_no_formulas_to_spreadsheets(folder: Path) -> None:
    Campaign.open(folder).tell([{"id": "E0001", "drop": "clear", "note": '=HYPERLINK("x")'}])
    assert ",\"'=HYPERLINK" in (folder / "experiments.csv").read_text()


def test_past_campaigns_are_shown_to_the_method(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("salt,pH,drop\nNaCl,5,clear\nKCl,6,crystals\n")
    (tmp_path / "space.yaml").write_text(TEXT + "past: [old.csv]\n")
    c = Campaign.new(tmp_path / "space.yaml", tmp_path / "c")
    asked = c.ask()
    c.tell([{"id": one.id, "drop": "clear"} for one in asked])
    known = planning.known_of(c.space, c.experiments)
    (goal,) = planning.goals(c.space.document, known.values, 1, np.random.default_rng(0))
    ((features, scores),) = planning.seen_of(c.space, known, goal).priors
    assert features.shape == (2, 4)
    assert scores.tolist() == [0.0, 2.0]
    (tmp_path / "old.csv").write_text("salt,drop\nNaCl,clear\n")
    with pytest.raises(MlindexError, match=r"old\.csv, line 2: has no pH"):
        Campaign.new(tmp_path / "space.yaml", tmp_path / "d")
    assert not (tmp_path / "d").exists()


def test_the_first_plate_follows_past_campaigns(tmp_path: Path) -> None:
    ratings = "".join(
        f"{salt},{0.5 * n},{'crystals' if salt == 'KCl' else 'clear'}\n"
        for salt in ("NaCl", "KCl", "LiCl")
        for n in range(8, 21)
    )
    (tmp_path / "old.csv").write_text("salt,pH,drop\n" + ratings)
    (tmp_path / "space.yaml").write_text(TEXT.replace("batch: 4", "batch: 5") + "past: [old.csv]\n")
    asked = Campaign.new(tmp_path / "space.yaml", tmp_path / "c").ask()
    by_past = [one for one in asked if one.why.startswith("past")]
    assert [one.values["salt"] for one in by_past] == ["KCl"] * 3
    assert len({tuple(one.values.items()) for one in asked}) == 5
    # A method that asks no past has its design.
    text = (tmp_path / "space.yaml").read_text() + "method: random\n"
    (tmp_path / "space.yaml").write_text(text)
    other = Campaign.new(tmp_path / "space.yaml", tmp_path / "d").ask()
    assert not any(one.why.startswith("past") for one in other)


def test_past_campaigns_count_for_several_objectives(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("salt,pH,drop,price\nNaCl,5,clear,2\nKCl,6,crystals,4\nKCl,7,,1\n")
    two = TEXT.replace("batch:", "  price: {direction: minimize}\nbatch:")
    (tmp_path / "space.yaml").write_text(two + "past: [old.csv]\n")
    c = Campaign.new(tmp_path / "space.yaml", tmp_path / "c")
    c.tell([{"id": o.id, "drop": "clear", "price": n} for n, o in enumerate(c.ask())])
    known = planning.known_of(c.space, c.experiments)
    ((_, cheap),) = planning.seen_for(c.space, known, "price").priors
    assert cheap.tolist() == [-2, -4, -1]
    goal = planning.goals(c.space.document, known.values, 1, np.random.default_rng(0))[0]
    ((features, scores),) = planning.seen_of(c.space, known, goal).priors
    # Only rows with both; their scores are those of the goal.
    np.testing.assert_allclose(scores, goal.scores(np.array([[0.0, 2.0], [2.0, 4.0]])))
    assert len(features) == 2
    old.write_text("salt,pH,drop\nNaCl,5,clear\n")
    with pytest.raises(MlindexError, match=r"old\.csv: no row has a result for drop and price"):
        Campaign.new(tmp_path / "space.yaml", tmp_path / "d")
