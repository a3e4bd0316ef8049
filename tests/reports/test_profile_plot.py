"""Fits to the whole profile as they are shown: terminal, JSON, tables and page."""

import json
from base64 import b64decode
from dataclasses import replace
from io import StringIO

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from helpers import indexing_results as made
from mlindex.indexing.profile import CandidateProfile
from mlindex.indexing.result import IndexingResult
from mlindex.reports.result import data, notation
from mlindex.reports.result.page import page
from mlindex.reports.result.profile_plot import extremes
from mlindex.reports.result.terminal import show


@pytest.fixture(scope="module")
def pattern():
    return made.pattern_of(made.monoclinic().peaks)[0]


@pytest.fixture(scope="module")
def result(pattern) -> IndexingResult:
    """Fits of all candidates but the third; that of each is a little lower than the last."""
    found = made.monoclinic()
    fits = [
        CandidateProfile(
            *(0.083, 1.42, 0.9936, 120, 3, 0.031, 0.0, -1234.5, 0.7),
            pattern.two_theta_deg,
            pattern.intensity,
            pattern.intensity - 10.0 * n,
        )
        for n in range(len(found.candidates))
    ]
    fits[2] = None
    together = zip(found.candidates, fits, strict=True)
    return replace(found, candidates=tuple(replace(c, profile=fit) for c, fit in together))


def text_of(result):
    out = StringIO()
    show(result, console=Console(file=out, width=80, highlight=False))
    return out.getvalue()


def test_terminal_shows_r_factors_and_the_share_explained(result):
    text = text_of(result)
    assert "Rwp/%" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    words = " ".join(text.split())
    assert "R_wp 8.3 %, goodness of fit 1.42; 120 lines explain 99.4 % of the intensity" in words
    assert "3 other peaks the rest" in words
    assert "Rwp" not in text_of(made.monoclinic())


@pytest.mark.parametrize(
    ("share", "shown"), [(0.083, "8.3"), (0.0064, "0.64"), (0.00999, "1.0"), (1.2, "120")]
)
def test_r_factors_have_two_digits(share, shown):
    assert notation.percentage(share) == shown


def test_shares_near_all_are_not_rounded_to_it():
    assert notation.intensity_share(0.99996) == "> 99.9 %"
    assert notation.intensity_share(1.0) == "100.0 %"


def test_json_and_tables_hold_the_fits(result):
    document = data.as_data(result)
    jsonschema.validate(document, data.SCHEMA)
    profile = document["candidates"][0]["profile"]
    assert profile["r_wp"] == 0.083
    assert profile["two_theta_max_deg"] == pytest.approx(
        result.candidates[0].profile.two_theta_deg[-1]
    )
    assert profile["probability_before"] == 0.7
    assert document["candidates"][2]["profile"] is None
    cells = data.tables(result)["candidate_cells"]
    assert cells["explained"].iloc[0] == 0.9936
    assert cells["profile_log_evidence"].isna().tolist() == [False, False, True, False, False]


def parts(text: str, begin: str) -> list[str]:
    """What stands in the elements of the page that begin so."""
    return [part.split("</script>")[0] for part in text.split(begin)[1:]]


def floats(packed: str) -> np.ndarray:
    return np.frombuffer(b64decode(packed), dtype="<f4")


def whole(stored: dict, packed: str) -> np.ndarray:
    numbers = np.frombuffer(b64decode(packed), dtype="<u2")
    return stored["low"] + stored["step"] * numbers


def test_page_draws_the_difference_of_the_first_and_keeps_those_of_all(result, pattern):
    text = page(result, pattern)
    figure = json.loads(parts(text, '<script type="application/json">')[0])
    curves = {t["meta"]["curve"]: t for t in figure["data"] if "curve" in t.get("meta", {})}
    calculated = floats(curves["calculated"]["y"]["bdata"])
    assert calculated == pytest.approx(pattern.intensity)
    assert np.all(floats(curves["difference"]["y"]["bdata"]) == 0)
    assert curves["difference"]["yaxis"] == "y2"
    stored = json.loads(parts(text, '<script type="application/json" id="curves">')[0])
    assert whole(stored, stored["observed"]) == pytest.approx(pattern.intensity, abs=0.1)
    assert whole(stored, stored["calculated"][3]) == pytest.approx(pattern.intensity - 30, abs=0.1)
    assert stored["calculated"][2] is None
    assert "99.4 %" in text


def test_ticks_of_the_first_stand_over_its_difference(result, pattern):
    figure = json.loads(parts(page(result, pattern), '<script type="application/json">')[0])
    ticks = next(t for t in figure["data"] if t.get("meta") == {"curve": "ticks"})
    own = next(t for t in figure["data"] if t.get("meta") == {"candidate": 0, "selected": False})
    assert ticks["x"] == own["x"]
    low, high = figure["layout"]["yaxis2"]["range"]
    heights = floats(ticks["y"]["bdata"])
    assert low < 0 < 0.8 * high < heights.min() <= heights.max() < high
    assert [trace["yaxis"] for trace in (ticks, own)] == ["y2", "y3"]


def test_page_without_the_pattern_has_no_curves(result):
    assert 'id="curves"' not in page(result)


def test_few_points_are_the_extremes_of_all():
    values = np.random.default_rng(1).normal(size=1000)
    shown = extremes(values, 100)
    assert len(shown) <= 100
    assert {values.argmin(), values.argmax()} <= set(shown)
    assert np.array_equal(extremes(values, 1000), np.arange(1000))
