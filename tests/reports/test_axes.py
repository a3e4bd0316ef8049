"""Titles of axes: a quantity with its unit, everywhere the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.indexing_results import monoclinic, monoclinic_peaks, pattern_of
from mlindex.reports import axes
from mlindex.reports.result.plot import figure_of
from mlindex.reports.result.view import Axis
from mlindex.reports.workflow.figures import axis_title

REPORTS = Path(axes.__file__).parent


def titles(figure) -> dict[str, str]:
    return {
        name: part["title"]["text"]
        for name, part in figure.layout.items()
        if "axis" in name and part.get("title")
    }


def test_the_axes_of_a_result_name_quantity_and_unit() -> None:
    result = monoclinic()
    pattern = pattern_of(monoclinic_peaks())[0]
    shown = figure_of(result, pattern, None, Axis(1.5406))
    assert set(titles(shown).values()) == {"2θ (°)", "intensity (arb. units)"}
    assert "1/d (Å⁻¹)" in titles(figure_of(result, None, None, Axis(None))).values()


@pytest.mark.parametrize(
    ("name", "panel", "title"),
    [
        ("peaks", "cP", "q² (Å⁻²)"),
        ("separations", "cP", "separation in q² (Å⁻²)"),
        ("cell", "a_A", "a (Å)"),
        ("cell", "beta_deg", "β (°)"),
        ("cell", "volume_A3", "volume (Å³)"),
        ("cell_scaled", "a", "a, scaled"),
    ],
)
def test_columns_of_tables_become_titles(name: str, panel: str, title: str) -> None:
    assert axis_title(name, panel) == title


def test_units_of_axes_have_one_home() -> None:
    unit = re.compile(r"\((?:1/)?(?:°|Å[⁻²¹]*|arb\. units)\)|1/Å")
    for path in REPORTS.rglob("*figures.py"):
        assert not unit.search(path.read_text("utf-8")), path
    plot = (REPORTS / "result/plot.py").read_text("utf-8")
    assert not unit.search(plot)
