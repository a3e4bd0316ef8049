"""Spaces: what space.yaml may say, what is wrong with it, and what may be drawn from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.campaigns.space.space import Space

NUMBER = {"kind": "continuous", "low": 0, "high": 10}
SALTS = {"kind": "categorical", "values": ["NaCl", "KCl", "LiCl"]}


def space(**more: Any) -> Space:
    given = {"quantities": {"pH": NUMBER, "salt": SALTS}, "objectives": {"score": {}}}
    return Space.from_dict({**given, **more})


def parts(**more: Any) -> dict[str, Any]:
    return {"kind": "continuous", "low": 0, "high": 100, **more}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"quantitis": {}}, "quantitis: unknown key; did you mean 'quantities'?"),
        ({"quantities": {"pH": {**NUMBER, "lo": 1}}}, "unknown key; did you mean 'low'?"),
        ({"low": 1}, "low: unknown key; it stands elsewhere: see the reference of spaces"),
        ({"quantities": {"pH": {**NUMBER, "step": 99}}}, "step 99 is larger than the range"),
        ({"quantities": {"pH": {"kind": "number"}}}, "one of continuous, discrete, ordinal"),
        ({"quantities": {"pH": {**NUMBER, "low": 11}}}, "low 11 is above high 10"),
        ({"quantities": {"pH": {**NUMBER, "logarithmic": True}}}, "must be above 0"),
        ({"quantities": {"id": NUMBER}}, "'id' is a column of every table"),
        ({"quantities": {"Score": NUMBER}}, "the same to spreadsheets"),
        ({"quantities": {"a": {**SALTS, "values": ["x", "x"]}}}, "'x' is given twice"),
        ({"quantities": {"a": {**SALTS, "values": [True]}}}, "write it in quotes"),
        ({"batch": "many"}, "batch: must be a whole number (got 'many')"),
        ({"objectives": {"score": {"direction": "up"}}}, "'maximize' or 'minimize'"),
        ({"constraints": [{"kind": "linear", "of": {"ph": 1}, "at_most": 1}]}, "mean 'pH'?"),
        ({"constraints": [{"kind": "linear", "of": {"salt": 1}, "at_most": 1}]}, "no numbers"),
        ({"constraints": [{"kind": "linear", "of": {"pH": 1}}]}, "needs at_least or at_most"),
        ({"constraints": [{"kind": "forbidden", "when": {"salt": "NaI"}}]}, "'NaI' is none of"),
        ({"constraints": [{"kind": "forbidden", "when": {"salt": {"x": 1}}}]}, "at_least and"),
        ({"mixtures": [{"of": ["pH", "salt"]}]}, "salt must be continuous"),
        ({"mixtures": [{"of": ["pH", "pH2"]}]}, "no quantity is named 'pH2'"),
        ({"candidates": "nowhere.csv"}, "nowhere.csv: can't be read"),
    ],
)
def test_what_is_wrong_is_said(more: dict[str, Any], said: str) -> None:
    with pytest.raises(MlindexError) as problem:
        space(**more)
    assert said in str(problem.value)


def test_a_constraint_that_leaves_nothing_is_named() -> None:
    bound = {"kind": "linear", "of": {"pH": 1}, "at_least": 11}
    ban = {"kind": "forbidden", "when": {"salt": "NaCl"}}
    with pytest.raises(MlindexError, match=r"leave nothing to do; without '1 pH >= 11'"):
        space(constraints=[ban, bound])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1,", "line"),
        ("a: 1\na: 2\n", "line 2: the key 'a' is given twice"),
        ("", "expected keys"),
        ("\xff", "can't be read"),
    ],
)
def test_no_yaml_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text, "latin-1")
    with pytest.raises(MlindexError) as problem:
        Space.read(path)
    assert said in str(problem.value)


def test_a_billion_combinations_cost_nothing() -> None:
    many = {f"x{n}": {"kind": "discrete", "values": list(range(10))} for n in range(12)}
    large = space(quantities=many)
    assert large.size == 10**12
    assert large.everything is None
    drawn = large.sample(50, np.random.default_rng(0))
    assert len(set(large.keys(drawn))) == 50


def test_mixtures_add_up_in_steps_and_touch_their_faces() -> None:
    mixture = {"of": ["a", "b", "c"], "sum": 100, "at_most": 2}
    quantities = {name: parts(step=5) for name in "abc"}
    drawn = space(quantities=quantities, mixtures=[mixture]).sample(60, np.random.default_rng(1))
    assert np.all(drawn.sum(axis=1) == 100)
    assert np.all((drawn > 0).sum(axis=1) <= 2)
    assert np.any(drawn == 100)
    assert np.all(drawn % 5 == 0)


def test_parts_with_odd_bounds_add_up_too() -> None:
    quantities = {"a": parts(low=2.25), "b": parts(low=0.5, high=50), "c": parts()}
    mixed = space(quantities=quantities, mixtures=[{"of": list("abc"), "sum": 100}])
    drawn = mixed.sample(50, np.random.default_rng(1))
    assert drawn.sum(axis=1) == pytest.approx(100, abs=1e-9)
    assert mixed.sums[0].step == pytest.approx(0.01)
    with pytest.raises(MlindexError, match="can't be reached in steps of 5"):
        both = {"a": parts(low=2, step=5), "b": parts(step=5)}
        space(quantities=both, mixtures=[{"of": ["a", "b"], "sum": 100}])


def test_neighbours_of_a_mixture_are_mixtures() -> None:
    quantities = {name: parts(high=60) for name in "abcd"}
    mixed = space(quantities=quantities, mixtures=[{"of": list("abcd"), "sum": 100}])
    rows = mixed.sample(100, np.random.default_rng(2))
    near = mixed.neighbours(rows, np.random.default_rng(3))
    assert len(near) > 60
    assert near.sum(axis=1) == pytest.approx(100, abs=1e-9)


def test_a_sliver_of_a_space_is_found() -> None:
    # A millionth of the box: the sum of six numbers within its last hundredth.
    quantities = {f"x{n}": NUMBER for n in range(6)}
    bound = {"kind": "linear", "of": dict.fromkeys(quantities, 1.0), "at_least": 58.5}
    drawn = space(quantities=quantities, constraints=[bound]).sample(20, np.random.default_rng(0))
    assert len(drawn) == 20
    assert np.all(drawn.sum(axis=1) >= 58.5 - 1e-9)


def test_ranges_and_names_are_forbidden_together() -> None:
    ban = {"kind": "forbidden", "when": {"salt": ["KCl", "LiCl"], "pH": {"at_least": 5}}}
    some = space(constraints=[ban])
    rows = some.sample(300, np.random.default_rng(0))
    names = [some.values(row)["salt"] for row in rows]
    assert {"NaCl", "KCl", "LiCl"} == set(names)
    acid = [row[0] for row, name in zip(rows, names, strict=True) if name != "NaCl"]
    assert max(acid) < 5


def test_descriptors_take_the_place_of_columns_of_names(tmp_path: Path) -> None:
    table = tmp_path / "salts.csv"
    table.write_text("salt,radius,charge\nNaCl,1.0,1\nKCl,1.4,1\nMgCl2,0.7,2\n")
    given = {
        "quantities": {"salt": {"kind": "categorical", "descriptors": "salts.csv"}, "pH": NUMBER},
        "objectives": {"score": {}},
    }
    some = Space.from_dict(given, tmp_path)
    assert some.axes[0].names == ("NaCl", "KCl", "MgCl2")
    assert some.features(np.array([[1.0, 0.0]])).tolist() == [[1.0, 0.0, 0.0]]
    assert len(set(some.groups)) == 3
    table.write_text("salt,radius\nNaCl,1.0\nKCl,1.4\nother,1.4\n")
    told_apart = Space.from_dict(given, tmp_path).features(np.array([[0.0, 0], [1, 0], [2, 0]]))
    assert told_apart[:, :3].tolist() == [[0, 0, 0], [1, 1, 0], [1, 0, 1]]
    long = tmp_path / "long.csv"
    long.write_text("salt,NaCl,radius,1.0\nsalt,KCl,radius,1.4\nother,x,radius,2\n")
    given["quantities"]["salt"]["descriptors"] = "long.csv"
    assert Space.from_dict(given, tmp_path).axes[0].names == ("NaCl", "KCl")
    table.write_text("salt,radius\nNaCl,1.0\nKCl,\n")
    given["quantities"]["salt"]["descriptors"] = "salts.csv"
    with pytest.raises(MlindexError, match="a descriptor is missing for KCl: radius"):
        Space.from_dict(given, tmp_path)


def test_only_listed_candidates_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("pH;salt\n1,5;NaCl\n2;KCl\n1,50;NaCl\n99;KCl\n")
    given = {
        "quantities": {"pH": NUMBER, "salt": SALTS},
        "objectives": {"score": {}},
        "candidates": "rows.csv",
    }
    some = Space.from_dict(given, tmp_path)
    assert [some.values(row) for row in some.everything] == [
        {"pH": 1.5, "salt": "NaCl"},
        {"pH": 2.0, "salt": "KCl"},
    ]


def test_settings_are_numbers_that_can_be_set() -> None:
    logarithmic = {"kind": "continuous", "low": 1e-6, "high": 1, "logarithmic": True}
    some = space(quantities={"x": NUMBER, "c": logarithmic, "s": {**NUMBER, "step": 0.3}})
    for row in some.sample(50, np.random.default_rng(0)):
        values = some.values(row)
        assert len(f"{values['x']:.10g}") <= 5
        assert float(f"{values['c']:.3g}") == values["c"]
        assert values["s"] == pytest.approx(0.3 * round(values["s"] / 0.3), abs=1e-12)
