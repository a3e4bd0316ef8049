"""Sections on studies of classifiers, from small made tables."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import pytest

from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.classification.settings import Study
from mlindex.classification.studies.registry import STUDIES
from mlindex.classification.tables import CLASSIFIER_STUDIES
from mlindex.reports.classification.learning_section import learning_part
from mlindex.reports.classification.studies.bias_variance_section import bias_variance_part
from mlindex.reports.classification.studies.imbalance_section import imbalance_part
from mlindex.reports.classification.studies.multitask_section import multitask_part
from mlindex.reports.classification.studies.peers_section import peers_part
from mlindex.reports.classification.studies.sections import SECTIONS


def table_of(study: str, level: str, rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame([(study, level, *row) for row in rows], columns=CLASSIFIER_STUDIES.names)


def imbalance(gain: float, cost: float) -> pd.DataFrame:
    rows = []
    for part in ("natural", "balanced"):
        for name, more in (("plain", 0.0), ("source_fitted", gain)):
            values = {"accuracy": 0.6 - (cost if more else 0), "tail_recall": 0.1 + more}
            for metric, value in {**values, "macro_f1": 0.3, "weighted_f1": 0.5}.items():
                rows.append((name, 900, 0, part, metric, "", value, value - 0.02, value + 0.02))
            rows.append((name, 900, 0, part, "f1", "cP P - - -", 0.4, None, None))
        for metric, value in (("accuracy_gain", -cost), ("tail_recall_gain", gain)):
            ends = (value - 0.01, value + 0.01)
            rows.append(("source_fitted", 900, 0, part, metric, "", value, *ends))
    rows.append(("plain", 900, 0, "tail", "crystals", "cP P - - -", 4.0, None, None))
    return table_of("imbalance", "extinction_symbol", rows)


@pytest.mark.parametrize(
    ("gain", "cost", "said"),
    [
        (0.07, 0.005, "equal source, prior fitted gives +7.0 for -0.5."),
        (0.03, 0.005, "none reaches it; the nearest, equal source, prior fitted, gives +3.0"),
        (0.20, 0.05, "every strategy costs more."),
    ],
)
def test_the_section_on_imbalance_says_whether_the_goal_is_reached(gain, cost, said):
    body = imbalance_part(imbalance(gain, cost))
    assert said in body
    assert "head 0, middle 0, tail 1" in body
    assert "60.0 (58.0 to 62.0)" in body


def with_gains(study: str, level: str, variants: list[str]) -> pd.DataFrame:
    rows = []
    for place, name in enumerate(variants):
        for metric, value in (("accuracy", 0.7), ("macro_f1", 0.5), ("weighted_f1", 0.6)):
            ends = (value - 0.02 * place, value - 0.1, value + 0.1)
            rows.append((name, 900, 0, "measured", metric, "", *ends))
        if place:
            for metric in ("accuracy_gain", "macro_f1_gain"):
                rows.append((name, 900, 0, "measured", metric, "", -0.02 * place, -0.05, 0.01))
            for metric, value in (("only_ours", 12.0), ("only_it", 5.0), ("p", 0.0001)):
                rows.append((name, 900, 1, "measured", metric, "", value, None, None))
    return table_of(study, level, rows)


def test_the_section_on_peers_compares_in_pairs():
    body = peers_part(with_gains("peers", "bravais", ["ours", "ten_lines", "degree_grid"]))
    assert "Measured lists." in body
    assert "-2.0 (-5.0 to +1.0)" in body
    assert "below 0.001" in body
    assert "Suzuki" in body


def test_the_section_on_further_outputs_shows_gains():
    body = multitask_part(with_gains("multitask", "space_group", ["alone", "volume", "all"]))
    assert "with the volume" in body
    assert "-4.0 (-5.0 to +1.0)" in body


def test_the_section_on_bias_and_variance_says_what_more_lists_give():
    rows = []
    for lists, training, validation in ((100, 0.95, 0.5), (200, 0.9, 0.6)):
        for metric in ("accuracy", "log_loss"):
            rows.append(("boosting", lists, 0, "training", metric, "", training, None, None))
            ends = (validation, validation - 0.1, validation + 0.1)
            rows.append(("boosting", lists, 0, "validation", metric, "", *ends))
    rows += [("boosting: l2 9", *row[1:]) for row in rows[-4:]]
    body = bias_variance_part(table_of("bias_variance", "bravais", rows))
    assert "with 200 lists training is right for 90.0 %, validation for 60.0 %" in body
    assert "the last step from 100 lists gave +10.0 points" in body
    assert "l2 9" in body
    assert "60.0 (50.0 to 70.0)" in body


def test_every_study_has_a_section():
    assert set(SECTIONS) == set(STUDIES) == set(get_args(Study))


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (0.9, "No method is surely better than simulating crystals at random"),
        (1.1, "A crystal that upper bound chose is worth 1.3 crystals at random."),
    ],
)
def test_the_section_on_choosing_crystals_says_whether_it_pays(low, said):
    rows = [
        (name, repeat, 100 * k, 100.0 * k, 0.5 + 0.1 * k, 2.0 / k)
        for name in ("random", "upper_bound")
        for repeat in (1, 2)
        for k in (1, 2)
    ]
    curves = pd.DataFrame(rows, columns=ACTIVE_LEARNING.names)
    worth = pd.DataFrame([("upper_bound", 2, 1.3, low, 1.5)], columns=ACTIVE_WORTH.names)
    body = learning_part(curves, worth)
    assert said in body
    assert f"1.30 ({low:.2f} to 1.50)" in body
    assert body.count("crystals simulated") == 2
