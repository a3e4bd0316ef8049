"""The section on calibration: whether probabilities are kept, and what abstention is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotly.subplots import make_subplots

from mlindex.classification.summary import CALCULATED, MEASURED, answered, of_lists, reliability
from mlindex.reports.classification.inputs import ClassifierData, LevelTables
from mlindex.reports.classification.pieces import by_level, drawn
from mlindex.reports.colours import BLUE, GREY, ORANGE
from mlindex.reports.html import note, table

_COLOURS = {CALCULATED: BLUE, MEASURED: ORANGE}
#: Shares of the lists that are answered: of the curve, and of the table.
_CURVE = np.arange(2, 101, 2) / 100
_TABLE = np.array([0.2, 0.4, 0.6, 0.8, 0.9, 1.0])


def calibration_section(data: ClassifierData) -> str:
    """Reliability, expected calibration error, share of right answers against share answered."""
    lead = (
        "A probability is kept where as many answers are right as it says: points on the line. The "
        "expected calibration error is the mean distance from it over ten bins, by their counts. "
        "Who answers only where the probability is high answers less and is right more often."
    )
    return by_level(data, lambda level: _calibration(data, level), lead)


def _calibration(data: ClassifierData, level: LevelTables) -> str:
    tests = {kind: of_lists(level.own, kind) for kind in (CALCULATED, MEASURED)}
    tests = {kind: rows for kind, rows in tests.items() if len(rows)}
    scores = level.on(data.settings.split)
    scores = scores[scores["chosen"]].set_index("lists")["calibration_error"]
    errors = ", ".join(f"{scores[kind]:.3f} ({kind})" for kind in tests if kind in scores.index)
    return (
        note(f"Expected calibration error: {errors}.")
        + drawn(_reliability({kind: reliability(rows) for kind, rows in tests.items()}), 480)
        + note("Right answers against the share of the lists that is answered, the surest first.")
        + drawn(_curve({kind: answered(rows, _CURVE) for kind, rows in tests.items()}), 340)
        + table(abstention_table({k: answered(rows, _TABLE) for k, rows in tests.items()}))
    )


def _reliability(bins: dict[str, pd.DataFrame]) -> object:
    fig = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    line = {"color": GREY, "dash": "dot", "width": 1}
    fig.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="as stated", row=1, col=1)
    for kind, rows in bins.items():
        colour = _COLOURS[kind]
        fig.add_scatter(
            x=rows["confidence"].tolist(),
            y=rows["right"].tolist(),
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (rows["right_high"] - rows["right"]).tolist(),
                "arrayminus": (rows["right"] - rows["right_low"]).tolist(),
                "width": 2,
            },
            mode="lines+markers",
            marker={"color": colour},
            line={"width": 1},
            name=kind,
            row=1,
            col=1,
        )
        fig.add_bar(
            x=((rows["low"] + rows["high"]) / 2).tolist(),
            y=rows["count"].tolist(),
            marker_color=colour,
            name=kind,
            showlegend=False,
            row=2,
            col=1,
        )
    fig.update_xaxes(range=[0, 1], tickformat=".0%")
    fig.update_xaxes(title="probability of the answer", row=2, col=1)
    fig.update_yaxes(title="share right", range=[0, 1.03], tickformat=".0%", row=1, col=1)
    fig.update_yaxes(title="lists", rangemode="tozero", row=2, col=1)
    return fig


def _curve(found: dict[str, pd.DataFrame]) -> object:
    fig = make_subplots(1, 1)
    for kind, rows in found.items():
        fig.add_scatter(
            x=rows["share"].tolist(),
            y=rows["right"].tolist(),
            mode="lines",
            line={"color": _COLOURS[kind]},
            name=kind,
        )
    fig.update_xaxes(title="share answered", range=[0, 1.01], tickformat=".0%")
    fig.update_yaxes(title="share right", tickformat=".0%")
    return fig


def abstention_table(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row for each share answered: threshold and per cent right, of each kind of list."""
    columns = {"answered (%)": [f"{100 * share:.0f}" for share in _TABLE]}
    for kind, rows in found.items():
        columns[f"{kind}: probability at least"] = rows["threshold"].map("{:.3f}".format).tolist()
        columns[f"{kind}: right (%)"] = (100 * rows["right"]).map("{:.1f}".format).tolist()
    return pd.DataFrame(columns)
