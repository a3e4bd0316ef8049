"""The symmetry that ``mlindex index`` adds to results without a convincing cell."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from helpers.symmetry_models import lines_of, small_classifier
from mlindex.apps import joined
from mlindex.apps.joined import with_symmetry
from mlindex.base.errors import MlindexError
from mlindex.classification import shipped, shipped_joined
from mlindex.classification.joined import Joined
from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.options import Options
from mlindex.indexing.result import IndexingResult, SamplePhase, Searched
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.data import SCHEMA, as_data
from mlindex.reports.result.page import page
from mlindex.reports.result.terminal import show

PEAKS = PeakList("cubic", lines_of("cF F - - -", np.random.default_rng(5)), None, None)
SEARCHED = tuple(Searched(bravais, "complete", 10, 0.1) for bravais in BRAVAIS)
#: A search that found nothing.
RESULT = IndexingResult(PEAKS, (), SEARCHED, False, "No lattice.", 0.1, options=Options().shown())

KNOWN = SamplePhase("NaCl", "known", np.ones(6), "F", np.empty(0), np.empty(0), None, 5)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    model = Joined(np.array([0.5, 0.5, 0.0, 3.0]), np.array([1.0, 1.0, -1.0]))
    monkeypatch.setattr(shipped, "shipped", small_classifier)
    monkeypatch.setattr(shipped_joined, "shipped_joined", lambda: model)


def test_a_result_without_a_convincing_cell_has_the_symmetry_of_its_lines():
    symmetry = with_symmetry(RESULT, None).symmetry
    assert symmetry.bravais[0][0] == "cF"
    assert symmetry.extinction_symbol[0][0] == "cF F - - -"
    for ranked in (symmetry.bravais, symmetry.extinction_symbol, symmetry.space_group):
        shares = [share for _, share in ranked]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1 + 1e-9


@pytest.mark.parametrize(
    "result",
    [
        replace(RESULT, convincing=True),
        replace(RESULT, searched=(*SEARCHED[:-1], replace(SEARCHED[-1], status="cut off"))),
        replace(RESULT, searched=()),
        replace(RESULT, searched=SEARCHED[1:]),
        replace(RESULT, phases=(KNOWN,)),
    ],
    ids=["convincing", "cut off", "not searched", "some lattices", "phases"],
)
def test_where_it_would_not_help_nothing_is_asked(result, monkeypatch):
    monkeypatch.setattr(joined, "_shares", lambda *_: pytest.fail("asked"))
    assert with_symmetry(result, None) is result


def test_damaged_arrays_do_not_take_the_result(monkeypatch):
    def damaged():
        raise MlindexError("joined.npz: damaged")

    monkeypatch.setattr(shipped_joined, "shipped_joined", damaged)
    assert with_symmetry(RESULT, None) is RESULT


def test_it_is_shown_on_the_terminal_the_page_and_in_json():
    result = with_symmetry(RESULT, None)
    text = StringIO()
    show(result, 5, Console(file=text, width=80, color_system=None))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (shown,) = (line for line in lines if line.startswith("  Bravais lattice"))
    assert shown.split()[2] == "cF"
    assert "<h2" in page(result, None, None)
    assert "cF F - - -" in page(result, None, None)
    document = json.loads(json.dumps(as_data(result), allow_nan=False))
    jsonschema.validate(document, SCHEMA)
    assert document["symmetry"]["bravais"][0]["name"] == "cF"
    assert len(document["symmetry"]["space_group"]) == 5


def test_without_it_nothing_is_shown():
    text = StringIO()
    show(RESULT, 5, Console(file=text, width=80, color_system=None))
    assert "Symmetry" not in text.getvalue()
    assert as_data(RESULT)["symmetry"] is None
