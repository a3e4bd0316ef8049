"""The report page, made from small fabricated results in the layout of the workflow."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import fabricated_results as made
from mlindex.apps.declared import declared
from mlindex.base.errors import MlindexError
from mlindex.base.schema import FLOAT64, STRING, Column, Table
from mlindex.indexing.rates.summary import curves
from mlindex.patterns.spoil import UNITS
from mlindex.reports.html import table
from mlindex.reports.workflow import figures, flow, indexing_figures, model_figures, model_tables
from mlindex.reports.workflow.further_section import further_tables
from mlindex.reports.workflow.inputs import read_inputs
from mlindex.reports.workflow.page import build_page

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(1)
    return made.read(
        tmp_path_factory.mktemp("results"), made.entry_frames(rng) | made.model_frames(rng)
    )


@pytest.fixture(scope="module")
def page(data):
    return build_page(data, RESOURCES)


def body(page):
    """The page's own text, without the plotting library."""
    return page[page.index("<main>") :]


def test_the_page_has_every_section_and_system(page):
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[:5] == ["Data flow", "Rejects", "Distributions", "Groups", "Training"]
    assert headings[5:7] == ["Splits", "Validation"]
    assert headings[7:] == ["Ab initio indexing", "Run times", "Provenance"]
    for system in made.SYSTEMS:
        assert f"<summary>{system}</summary>" in page
    assert "No model of cubic was trained: too few entries." in page
    assert "No entry of cubic was indexed" in page


def test_the_page_loads_nothing(page):
    assert not re.search(r"<(link|img|iframe|script)[^>]*(src|href)=", body(page))
    assert "<script src" not in page
    assert "@import" not in page
    assert "https://" not in re.sub(r"<pre>.*?</pre>", "", body(page), flags=re.S)
    assert page.count("</html>") == 1


def test_the_page_is_the_same_each_time(data, page):
    assert build_page(data, RESOURCES) == page


def test_numbers_are_on_the_page(page):
    for text in ("85", "90.0 (76.9 to 96.0)", "81 to 92", "12.5", "0.7.77", "0.377"):
        assert f">{text}<" in page
    assert "All counts add up" in page
    assert "do not add up" not in page
    # Median relative error of the volume, 0.0321, under the split by structure type.
    assert ">3.21<" in page
    assert ">4.81<" in page


def test_text_from_files_is_escaped(page):
    assert "Wrong: impossible cell &lt;b&gt;." in page
    assert "<b>" not in body(page)


def test_flow_adds_up(data):
    sources = flow.source_flow(data).set_index("source")
    assert list(sources.loc["lab", ["files", "in", "rejected", "kept"]]) == [
        made.FROM_FOLDER - made.REJECTED + 1,
        made.FROM_FOLDER,
        made.REJECTED,
        made.FROM_FOLDER - made.REJECTED,
    ]
    row = flow.system_flow(data).set_index("lattice system").loc["monoclinic"]
    assert list(row) == [
        made.KEPT,
        made.DUPLICATES,
        made.KEPT - made.DUPLICATES,
        made.WITHOUT_CELL,
        made.TOO_FEW,
        made.TRAINING,
        made.VALIDATION,
    ]
    models = flow.model_flow(data).set_index("lattice system")
    assert list(models.loc["monoclinic"]) == [290, 900, 11, 11, 11, 4, 80]
    assert not models.loc["cubic"].any()
    assert flow.discrepancies(data) == []


def test_rejects_are_counted_once(data):
    counts = flow.reject_counts(data)
    assert list(counts["stage"]) == ["quality control", "reduction", "dataset"]
    assert list(counts["entries"]) == [made.REJECTED, made.WITHOUT_CELL, made.TOO_FEW]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("dataset", "monoclinic", "unique entries, but"),
        ("duplicates", "monoclinic", "passed quality control"),
        ("entries", "generated", "crystals made"),
        ("rejects_reduction", "generated", "lists no reason"),
    ],
)
def test_a_lost_entry_shows(tmp_path, kind, name, message):
    frames = made.entry_frames(np.random.default_rng(1))
    frames[kind][name] = frames[kind][name][:-1]
    lacking = made.read(tmp_path, frames)
    assert any(message in problem for problem in flow.discrepancies(lacking))
    assert '<p class="warning">The counts do not add up.' in build_page(lacking, RESOURCES)


def test_an_entry_counted_twice_shows(tmp_path):
    frames = made.entry_frames(np.random.default_rng(1))
    twice = frames["entries"]["lab"]["entry_id"].iloc[:1].tolist()
    frames["rejects_quality"]["generated"] = made.reject("quality control", twice, 1, "twice")
    assert any(
        "counted twice" in problem for problem in flow.discrepancies(made.read(tmp_path, frames))
    )


def test_nothing_at_all_still_makes_a_page(tmp_path):
    page = build_page(made.read(tmp_path, {}), RESOURCES)
    assert "No entry was rejected." in page
    assert "No entry was met." in page
    assert f"{made.GENERATED} crystals made, but 0 entries met" in page


def test_a_reported_table_that_no_section_knows_is_shown(tmp_path):
    data = made.read(tmp_path, {})
    columns = (Column("name", STRING, "Name"), Column("size", FLOAT64, "Size", "A"))
    table = Table("sizes", "a thing & its size", columns)
    frame = pd.DataFrame({"name": ["<x>"] * 150, "size": 2.5, "system": ["cubic"] * 150})
    found = further_tables(
        replace(data, frames={"cubic_sizes": frame}, tables={"cubic_sizes": table})
    )
    ((title, body),) = found
    assert title == "Further tables"
    for text in ("Cubic sizes", "a thing &amp; its size", "size (A)", "&lt;x&gt;"):
        assert text in body
    assert "cubic: 150 rows, the first 100 shown" in body
    assert further_tables(data) == []


def test_a_table_of_another_kind_is_refused(tmp_path):
    paths = made.write_results(tmp_path, {})
    paths["rates"] = paths["metrics"]
    with pytest.raises(MlindexError, match="not a table 'rates'"):
        read_inputs(paths, made.SYSTEMS, made.CONFIG, tmp_path, declared())


def test_histograms_are_shares_with_units(data):
    frame = data.frame("histograms", "monoclinic")
    fig = figures.histograms(frame[frame["figure"] == "cell"], "cell")
    assert [axis.title.text for axis in fig.select_xaxes()][:4] == [
        "a (Å)",
        "b (Å)",
        "c (Å)",
        "β (°)",
    ]
    for trace in fig.data:
        assert sum(trace.y[:-1]) == pytest.approx(1.0)
    assert [t.name for t in fig.data if t.showlegend] == ["original", "augmented"]


def test_labels_are_one_map_for_each_lattice_and_kind(data):
    frame = data.frame("histograms", "monoclinic")
    fig = figures.labels(frame[frame["figure"] == "labels"])
    assert len(fig.data) == 4
    for trace in fig.data:
        assert np.shape(trace.z)[0] == 20
        np.testing.assert_allclose(np.sum(trace.z, axis=1), 100.0)


def test_curves_of_many_groups_have_few_names(data):
    curves = data.frame("training", "monoclinic")
    fig = model_figures.training_curves(curves[curves["network"] != "assignment"], made.GROUPS)
    names = [t.name for t in fig.data if t.showlegend]
    assert len(names) == len(set(names)) == 9
    assert "other groups" in names
    assert fig.layout.yaxis.range[1] < 5, "the first epoch, at 50, must not flatten the others"


def test_published_rates_are_drawn(data):
    fig = model_figures.rates(data.frames["rates"])
    published = next(t for t in fig.data if t.name == "published")
    assert [x for x in published.x if x is not None] == [85.0, 81.0, 92.0]
    found = next(t for t in fig.data if t.name == "found (network)")
    assert list(found.x) == [90.0, 50.0]


def test_degradation_stands_beside_the_published_points(data, page):
    found = curves(data.frames["indexing_rates"])
    noise = found[found["degradation"] == "noise"].set_index("amount")
    assert list(noise["successes"]) == [9, 7]
    assert list(noise["wrong"]) == [0.0, 0.1]
    fig = indexing_figures.degradation(found, dict.fromkeys(UNITS, ""))
    published = next(t for t in fig.data if t.name == "SVD-Index, monoclinic")
    assert dict(zip(published.x, published.y, strict=True)) == {3: 91, 6: 72, 9: 56}
    mine = [t for t in fig.data if t.name == "monoclinic"]
    assert [len(t.x) for t in mine] == [2, 2, 3, 2]
    assert sum(t.showlegend for t in mine) == 1
    # mC: the last 4 entries, of which 2 are first and 1 is named.
    for text in ("50.0 (15.0 to 85.0)", "75.0 (30.1 to 95.4)", "7 of 10", "2.25", "7.5"):
        assert f">{text}<" in page


def test_metric_tables_have_a_row_for_each_model(data):
    metrics = data.frame("metrics", "monoclinic")
    errors = model_tables.error_table(metrics)
    assert len(errors) == 4 * len(made.GROUPS)
    assert list(errors.columns)[-8:] == [
        f"{e} {p} %" for e in ("network", "forest") for p in (50, 68, 90, 95)
    ]
    coverage = model_tables.coverage_table(model_tables.coverage(metrics))
    assert len(coverage) == 4 * len(made.GROUPS)
    accuracy = model_tables.accuracy_table(model_tables.accuracies(metrics))
    assert list(accuracy["noise"]) == [0.001, 0.01, 0.04, 0.1]
    assert accuracy["nearest (%)"].iloc[0] == pytest.approx(84.66)
    shares = model_tables.overlap_shares(data.frame("overlap", "monoclinic"))
    np.testing.assert_allclose(shares.sum(axis=1), 100.0)


def test_numbers_are_short():
    frame = pd.DataFrame({"n": [1234567], "x": [0.0012345], "missing": [np.nan], "yes": [True]})
    html = table(frame)
    assert ">1,234,567<" in html
    assert ">0.00123<" in html
    assert "nan" not in html
    assert "<td>yes</td>" in html
