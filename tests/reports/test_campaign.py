"""The page of a campaign."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.campaign_methods import Kriging
from mlindex.campaigns import Campaign, diagnosis, planning
from mlindex.reports.campaigns.page import page
from mlindex.reports.campaigns.ternary import CORNERS, placed, triangle


def campaign(**more: object) -> Campaign:
    line = {"kind": "continuous", "low": 0, "high": 10, "unit": "<b>mm</b>"}
    other = {"kind": "continuous", "low": 1, "high": 100, "logarithmic": True}
    space = {"quantities": {"x": line, "z": other}, "objectives": {"y": {}}, "batch": 6}
    return Campaign({**space, **more})


@pytest.fixture(autouse=True)
def _kriging(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (planning, diagnosis):
        monkeypatch.setattr(module, "method", lambda name, options: Kriging())


def measured(c: Campaign, rounds: int) -> Campaign:
    for _ in range(rounds):
        rows = [{"id": o.id, **dict.fromkeys(c.objectives, o.values["x"])} for o in c.ask()]
        c.tell([*rows[1:], {"id": rows[0]["id"], "status": "failed"}])
    return c


def test_it_says_what_the_model_goes_by() -> None:
    c = measured(campaign(stop={"target": 12}), 4)
    found = diagnosis.diagnosed(c.space, c.experiments, "y")
    assert found.reliance["x"] > 1.2 * found.reliance["z"]
    assert found.held_out.explained > 0.5
    assert [line.name for line in found.lines] == ["x", "z"]
    text = page(c)
    assert "of the variance" in text.lower()
    assert "short of the target by" in text
    assert "&lt;b&gt;mm&lt;/b&gt;" in text
    assert "<b>mm</b>" not in text.replace("<\\/b>", "</b>").split("<script")[0]
    assert "http" not in text.partition("</style>")[0]
    assert len(text) < 1_500_000


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_there_is_a_page_at_any_time(rounds: int) -> None:
    assert "What to do next" in page(measured(campaign(), rounds))
    several = {"y": {}, "price": {"direction": "minimize"}}
    text = page(measured(campaign(objectives=several), rounds))
    assert "What to do next" in text
    # Each objective has a model, a judgement of it and expectations of its own.
    assert text.lower().count("of the variance") == (2 if rounds else 0)
    assert ("expected price" in text) == (rounds > 0)


def test_levels_are_named() -> None:
    c = campaign(objectives={"y": {"levels": ["clear", "powder", "crystals"]}})
    c.tell([{"id": o.id, "y": "powder"} for o in c.ask()])
    assert '"ticktext":["clear","powder","crystals"]' in page(c)


def test_a_mixture_of_three_is_a_triangle() -> None:
    parts = {name: {"kind": "continuous", "low": 0, "high": 1} for name in ("water", "salt", "oil")}
    mixture = {"of": list(parts), "sum": 1}
    c = campaign(quantities=parts, mixtures=[mixture])
    assert "Mixtures" not in page(c)
    c.tell([{"id": o.id, "y": o.values["oil"]} for o in c.ask()])
    c.ask()
    text = page(c)
    assert "Mixtures" in text
    assert "20 % oil" in text
    assert "waits for a result" in text
    assert "Mixtures" not in page(measured(campaign(), 1))


def test_of_one_mixture_the_best_score_is_on_top() -> None:
    parts = np.array([[1.0, 1, 2], [4, 0, 0], [1, 1, 2]])
    given = "abc", parts, np.array([9.0, 5.0, 1.0]), "ghi", "y", np.empty((0, 3))
    figure = triangle(*given)
    drawn = figure.data[-1]
    assert triangle(*given, low_is_best=True).data[-1]["marker"]["color"] == [9.0, 5.0, 1.0]
    assert drawn["marker"]["color"] == [1.0, 5.0, 9.0]
    assert [text[0] for text in drawn["text"]] == ["i", "h", "g"]
    # The share of each part is written where the line of it meets a side.
    notes = [n for n in figure.layout["annotations"] if n["text"] == "20"]
    at = [(n["x"], n["y"]) for n in notes]
    np.testing.assert_allclose(at, placed(np.array([[1.0, 4, 0], [0, 1, 4], [4, 0, 1]])))


def test_a_part_alone_is_in_its_corner_and_equal_shares_are_in_the_middle() -> None:
    at = placed(np.array([[2.0, 0, 0], [0, 5, 0], [0, 0, 1], [3, 3, 3]]))
    np.testing.assert_allclose(at, [*CORNERS, CORNERS.mean(axis=0)])
    sides = np.linalg.norm(CORNERS - np.roll(CORNERS, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 1)
