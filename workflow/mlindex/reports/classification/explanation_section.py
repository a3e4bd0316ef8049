"""The sections on what a classifier goes by: groups of features, single lines."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mlindex.classification.summary import CALCULATED, MEASURED
from mlindex.reports.classification.inputs import ClassifierData, LevelTables
from mlindex.reports.classification.pieces import by_level, drawn
from mlindex.reports.colours import BLUE, ORANGE
from mlindex.reports.html import fold, note, table

_COLOURS = {CALCULATED: BLUE, MEASURED: ORANGE}
_BAR_HEIGHT = 46


def importance_section(data: ClassifierData) -> str:
    """What is lost when groups of features are permuted."""
    lead = (
        "Each group of features is permuted among lists of the test part, so that a list has those "
        "of another crystal: what is lost is what the learner takes from this group alone. Groups "
        "that say nearly the same stand in for each other, and are therefore permuted together, "
        "too: the last ones. Points of per cent right, with 95 % intervals over crystals."
    )
    return by_level(data, _importance, lead)


def _importance(level: LevelTables) -> str:
    frame = level.importance
    if frame.empty:
        return note("No features were permuted.")
    most = frame.loc[frame.groupby("lists", sort=False)["accuracy_loss"].idxmax()]
    said = "; ".join(
        f"{row.lists} lists: {row.features} ({100 * row.accuracy_loss:.1f} points of "
        f"{100 * row.accuracy:.1f})"
        for row in most.itertuples()
    )
    nothing = frame[frame["accuracy_loss_low"] <= 0].groupby("features")["lists"].nunique()
    idle = [name for name, kinds in nothing.items() if kinds == frame["lists"].nunique()]
    text = note(f"The largest loss, {said}.")
    if idle:
        text += note(f"No loss is shown of: {', '.join(idle)}.")
    return (
        text
        + drawn(_bars(frame), 90 + _BAR_HEIGHT * frame["features"].nunique())
        + fold("As a table", table(importance_table(frame)))
    )


def _bars(frame: pd.DataFrame) -> go.Figure:
    fig = go.Figure()
    for kind, rows in frame.groupby("lists", sort=False):
        lost = 100 * rows["accuracy_loss"]
        fig.add_bar(
            y=rows["features"].tolist(),
            x=lost.tolist(),
            orientation="h",
            name=kind,
            marker_color=_COLOURS[kind],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (100 * rows["accuracy_loss_high"] - lost).tolist(),
                "arrayminus": (lost - 100 * rows["accuracy_loss_low"]).tolist(),
                "width": 2,
                "thickness": 1,
            },
        )
    fig.update_xaxes(title="points of per cent right that are lost")
    # The first group at the top, long names beside the bars.
    fig.update_yaxes(autorange="reversed", automargin=True)
    return fig


def importance_table(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each kind of lists and group: right with all features, points lost, log-loss."""
    return pd.DataFrame(
        {
            "lists": frame["lists"],
            "features": frame["features"],
            "number": frame["count"],
            "permutations": frame["repeats"],
            "right (%)": (100 * frame["accuracy"]).map("{:.1f}".format),
            "points lost": [
                _interval(*(100 * v for v in row), digits=1)
                for row in _columns(frame, "accuracy_loss")
            ],
            "log-loss": frame["log_loss"].map("{:.3f}".format),
            "it rises by": [_interval(*row, digits=3) for row in _columns(frame, "log_loss_rise")],
        }
    )


def occlusion_section(data: ClassifierData) -> str:
    """What the answers are when a line is left out."""
    lead = (
        "One line of a list is left out, the first, the second and so on, and the learner asked "
        "again: how much probability of the true class is lost, and how many answers change. "
        "Leaving out the first line changes all ratios. 95 % intervals over crystals."
    )
    return by_level(data, _occlusion, lead)


def _occlusion(level: LevelTables) -> str:
    frame = level.occlusion
    if frame.empty:
        return note("No line was left out.")
    first = frame[frame["line"] == 1]
    said = "; ".join(
        f"{row.lists} lists: the first costs {_interval(*row_of, digits=3)} of "
        f"{row.probability:.3f} and changes {100 * row.changed:.0f} % of the answers"
        for row, row_of in zip(first.itertuples(), _columns(first, "probability_loss"), strict=True)
    )
    return (
        (note(f"{said[0].upper()}{said[1:]}.") if said else "")
        + drawn(_lines(frame), 360)
        + fold("As a table", table(occlusion_table(frame)))
    )


def _lines(frame: pd.DataFrame) -> go.Figure:
    fig = go.Figure()
    for kind, rows in frame.groupby("lists", sort=False):
        lost = rows["probability_loss"]
        fig.add_scatter(
            x=rows["line"].tolist(),
            y=lost.tolist(),
            mode="lines+markers",
            marker={"color": _COLOURS[kind]},
            line={"width": 1},
            name=kind,
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (rows["probability_loss_high"] - lost).tolist(),
                "arrayminus": (lost - rows["probability_loss_low"]).tolist(),
                "width": 2,
                "thickness": 1,
            },
        )
    fig.update_xaxes(title="line that is left out, from the largest spacing", dtick=1)
    fig.update_yaxes(title="probability of the true class that is lost")
    return fig


def occlusion_table(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each kind of lists and line: probability lost, answers that change, right ones."""
    return pd.DataFrame(
        {
            "lists": frame["lists"],
            "line": frame["line"],
            "number": frame["count"],
            "probability": frame["probability"].map("{:.3f}".format),
            "lost": [_interval(*row, digits=3) for row in _columns(frame, "probability_loss")],
            "answers changed (%)": (100 * frame["changed"]).map("{:.1f}".format),
            "right (%)": (100 * frame["accuracy"]).map("{:.1f}".format),
            "right without it (%)": (100 * frame["accuracy_without"]).map("{:.1f}".format),
        }
    )


def _columns(frame: pd.DataFrame, name: str) -> list[tuple[float, float, float]]:
    """A mean and its interval, row by row."""
    columns = [name, f"{name}_low", f"{name}_high"]
    return list(frame[columns].itertuples(index=False, name=None))


def _interval(value: float, low: float, high: float, digits: int) -> str:
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
