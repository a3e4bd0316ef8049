"""The fit of all phases together as it is shown: terminal, JSON and page."""

from dataclasses import replace
from io import StringIO

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from helpers import indexing_results as made
from mlindex.indexing.profile import PhaseShare, PhasesProfile
from mlindex.indexing.result import SamplePhase
from mlindex.reports.result import data
from mlindex.reports.result.page import page
from mlindex.reports.result.terminal import show


@pytest.fixture(scope="module")
def pattern():
    return made.pattern_of(made.monoclinic().peaks)[0]


@pytest.fixture(scope="module")
def result(pattern):
    found = made.monoclinic()
    shown = found.candidates[0].settings[0]
    own = shown.cell, shown.centring, np.arange(4), np.zeros(4, dtype=bool), 0.8, 9
    sample = (
        SamplePhase("cell 1", "found", *own, found.candidates[0]),
        SamplePhase("cF 5.64", "known", *own[:-2], 0.2, 5),
    )
    n = len(pattern)
    parts = [
        PhaseShare(share, error, shown.cell, np.full(6, 1e-3), 55.0, np.full(n, 10.0 * share))
        for share, error in ((0.811, 0.0034), (0.189, 0.012))
    ]
    fit = PhasesProfile(
        tuple(parts),
        *(0.0623, 1.08, 0.9991, 1, 0.02, 0.0),
        pattern.two_theta_deg,
        pattern.intensity,
        pattern.intensity - 3.0,
    )
    return replace(found, phases=sample, together=fit)


def test_terminal_says_how_well_all_phases_fit(result):
    out = StringIO()
    show(result, console=Console(file=out, width=80, highlight=False))
    words = " ".join(out.getvalue().split())
    assert "81.1(3) % of the intensity" in words
    assert "18.9(12) % of the intensity" in words
    assert "R_wp 6.2 %, goodness of fit 1.08; their lines explain 99.9 % of the" in words
    assert "1 other peak the rest" in words


def test_json_has_the_fit(result):
    document = data.as_data(result)
    jsonschema.validate(document, data.SCHEMA)
    assert document["together"]["r_wp"] == 0.0623
    assert document["together"]["two_theta_max_deg"] == pytest.approx(
        result.together.two_theta_deg[-1]
    )
    assert document["phases"][1]["profile"]["intensity_share"] == 0.189
    alone = data.as_data(replace(result, together=None))
    jsonschema.validate(alone, data.SCHEMA)
    assert alone["together"] is None
    assert alone["phases"][0]["profile"] is None


def test_page_draws_each_phase(result, pattern):
    text = page(result, pattern)
    assert "18.9(12) %" in text
    assert "All phases together" in text
    assert (
        text.count('class="figure"')
        == page(replace(result, together=None), pattern).count('class="figure"') + 1
    )
    assert '"all phases"' in text
    assert '"cF 5.64"' in text
