"""The section on the search of parameters."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mlindex.reports.classification.inputs import ClassifierData, LevelTables, learner_title
from mlindex.reports.classification.pieces import by_level, drawn
from mlindex.reports.colours import SERIES
from mlindex.reports.html import fold, note, table


def search_section(data: ClassifierData) -> str:
    """What was tried, what it gave, and what was chosen by which rule."""
    lead = (
        f"Each set of parameters is judged by {data.settings.folds}-fold cross-validation on "
        f"training rows, no {data.settings.split.replace('_', ' ')} in two folds. The third with "
        "the least log-loss goes on to three times as many rows, until one is left (Jamieson and "
        "Talwalkar 2016, PMLR 51, 240). Each kind is then fitted to the whole training part, and "
        "the one with the least log-loss on the calibration part is the classifier. The test part "
        "has no say in this."
    )
    return by_level(data, _search, lead)


def _search(level: LevelTables) -> str:
    chosen = note(f"Chosen: {learner_title(level.chosen)}.")
    if level.search.empty:
        return chosen + note("No parameters were searched.")
    names = {"log_loss": "log-loss", "kept": "went on or chosen"}
    shown = level.search.drop(columns="level").assign(
        learner=level.search["learner"].map(learner_title)
    )
    return (
        chosen
        + note("A line for each set of parameters; the thick one is chosen for its learner.")
        + drawn(_lines(level.search), 360)
        + fold("All that was tried", table(shown.rename(columns=names)))
    )


def _lines(search: pd.DataFrame) -> go.Figure:
    """Log-loss against rows, a line for each candidate."""
    fig = go.Figure()
    colours = dict(zip(dict.fromkeys(search["learner"]), SERIES, strict=False))
    for learner, own in search.groupby("learner", sort=False):
        best = own[own["kept"]]["parameters"].iloc[-1]
        for parameters, rows in own.groupby("parameters", sort=False):
            is_best = parameters == best
            fig.add_scatter(
                x=rows["rows"].tolist(),
                y=rows["log_loss"].tolist(),
                mode="lines+markers",
                name=learner_title(str(learner)),
                legendgroup=str(learner),
                showlegend=bool(is_best),
                opacity=1.0 if is_best else 0.45,
                line={"color": colours[learner], "width": 3 if is_best else 1},
                marker={"size": 9 if is_best else 6},
                hovertemplate="%{x} rows: %{y:.3f}<br>" + str(parameters) + "<extra></extra>",
            )
    ticks = sorted({int(rows) for rows in search["rows"]})
    fig.update_xaxes(
        title="training rows", type="log", tickvals=ticks, ticktext=list(map(str, ticks))
    )
    fig.update_yaxes(title="log-loss (nat)", type="log")
    return fig
