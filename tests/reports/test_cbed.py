"""The page on space groups from stacks: what it says of tables, and of empty ones."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import (
    CBED_EXAMPLES,
    CBED_FEATURES,
    CBED_PARTS,
    CBED_REJECTS,
    CBED_SCORES,
    CBED_TESTS,
)
from mlindex.classification.tables import CLASSIFIER_STUDIES
from mlindex.reports.cbed.inputs import CbedData
from mlindex.reports.cbed.page import build_page

NAMES = ("zone 1, whole pattern: 2, fine", "zone 2, bright field: m best, fine")


def data() -> CbedData:
    """Two crystals, one to learn from and one that is taken for another group."""
    cell = [4.0, 5.0, 6.0, 90.0, 90.0, 90.0]
    stacks = [
        (
            *(f"x:{n}", 0, "Na4 Cl4", n, "cF", "t", "Cl-Na", *cell, *cell, 120.0, 1, 100.0, 150.0),
            *([1, 0, 0, 1, 1, 0, 1, 1, 1], "zone 1: 4mm", np.array([-4.2, -0.3], dtype=np.float32)),
        )
        for n in (216, 225)
    ]
    scores = [
        (level, name, name == "extra_trees", 1, 1, *([share] * 3), 0.5, 0.4, 1.1, 0.1, 1.2)
        for level in ("space_group", "point_group", "crystal_system")
        for name, share in (("majority", 0.079), ("extra_trees", 0.613))
    ]
    study = [
        *(
            ("multitask", "space_group", v, 9, 0, "test", m, "", 0.5, 0.4, 0.6)
            for v in ("alone", "lattice")
            for m in ("accuracy", "macro_f1", "weighted_f1")
        ),
        ("multitask", "space_group", "lattice", 0, 0, "test", "axis_error", "", 0.123, 0.1, 0.2),
    ]
    shape, pixels = [3, 16, 16], np.arange(768, dtype=np.int16) % 256
    parts = [("x:216", 216, "t", "train", 1), ("x:225", 225, "u", "test", 1)]
    return CbedData(
        pd.DataFrame(stacks, columns=CBED_FEATURES.names),
        pd.DataFrame([("f.h5", "s", "NaN", "holds <no> number")], columns=CBED_REJECTS.names),
        pd.DataFrame([("x:225", 0, shape, pixels)], columns=CBED_EXAMPLES.names),
        pd.DataFrame(parts, columns=CBED_PARTS.names),
        pd.DataFrame(scores, columns=CBED_SCORES.names),
        pd.DataFrame([("x:225", 0, 225, 216, 0.71, 0.2, 2)], columns=CBED_TESTS.names),
        Cbed(),
        NAMES,
        {"multitask": pd.DataFrame(study, columns=CLASSIFIER_STUDIES.names)},
    )


def words(page: str) -> str:
    text = re.sub(r"<script.*?</script>|<style.*?</style>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_page_says_what_the_tables_hold():
    page = build_page(data())
    text = words(page)
    for said in (
        "It covers 1 of 230 space groups, learnt from 1 crystals",
        "space group 61.3 (61.3 to 61.3) %",
        "The model answers 216, F -4 3 m with 71 %: wrong; the true group is number 2",
        "Median relative error of the axes of the Niggli cell: with the lattice constants 12.3 %",
        "zone 1: 4mm",
        "holds &lt;no&gt; number",
        "-4.2",
    ):
        assert said in text, said
    assert page.count("data:image/png;base64,") == 1


def test_without_rows_each_section_says_that_there_is_nothing():
    tables = (CBED_FEATURES, CBED_REJECTS, CBED_EXAMPLES, CBED_PARTS, CBED_SCORES, CBED_TESTS)
    nothing = CbedData(*(table.empty() for table in tables), Cbed(), NAMES)
    text = words(build_page(nothing))
    for said in ("covers nothing", "no stacks", "No model was trained", "Nothing was left out"):
        assert said in text, said


@pytest.mark.parametrize("rows", [2, 3])
def test_learning_curves_are_shown_where_they_were_made(rows):
    curves = [("random", 1, 10 * n, 10.0 * n, 0.1 * n, 3.0 - n) for n in range(1, rows)]
    worth = [("diversity", 2, 1.4, 1.1, 1.8)]
    tables = (
        pd.DataFrame(curves, columns=ACTIVE_LEARNING.names),
        pd.DataFrame(worth, columns=ACTIVE_WORTH.names),
    )
    given = data()
    page = build_page(CbedData(**{**vars(given), "learning": tables}))
    assert "Which crystals to simulate next" in words(page)
    assert "Which crystals to simulate next" not in words(build_page(given))
