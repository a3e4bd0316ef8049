"""The section on which crystals to simulate and learn from next."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mlindex.reports.classification.inputs import ClassifierData, level_title
from mlindex.reports.classification.pieces import drawn
from mlindex.reports.colours import SERIES
from mlindex.reports.html import heading, note, table

_AXES = {"log_loss": "log-loss (nat)", "accuracy": "right (%)"}


def learning_section(data: ClassifierData) -> list[tuple[str, str]]:
    """Heading and body; nothing where no level was looked at."""
    parts = [
        heading(level_title(level)) + learning_part(curves, worth)
        for level, (curves, worth) in data.learning.items()
    ]
    lead = note(
        "Does it pay to choose the crystals that are simulated next? Each line is the mean of "
        "repeats that begin with the same crystals; crystals that are never in the pool judge."
    )
    return [("Choosing what to learn from", lead + "".join(parts))] if parts else []


def learning_part(curves: pd.DataFrame, worth: pd.DataFrame) -> str:
    """Learning curves of one level, and what a chosen crystal is worth."""
    plots = "".join(drawn(_plot(curves, metric), 360) for metric in _AXES)
    meaning = (
        "Worth: crystals at random that one chosen crystal stands for at the same log-loss, those "
        "that all begin with apart. 1: choosing changes nothing; 0: the chosen ones teach nothing."
    )
    return plots + note(_said(worth)) + table(_rows(worth)) + note(meaning)


def _plot(curves: pd.DataFrame, metric: str) -> go.Figure:
    fig = go.Figure()
    scale = 100 if metric == "accuracy" else 1
    for colour, (name, own) in zip(SERIES, curves.groupby("method", sort=False), strict=False):
        mean = own.groupby("items")[["cost", metric]].mean()
        fig.add_scatter(
            x=mean["cost"].tolist(),
            y=(scale * mean[metric]).tolist(),
            mode="lines+markers",
            name=_words(name),
            line={"color": colour},
        )
    fig.update_xaxes(title="crystals simulated")
    return fig.update_yaxes(title=_AXES[metric]).update_layout(showlegend=True)


def _said(worth: pd.DataFrame) -> str:
    sure = worth[worth["low"] > 1]
    if sure.empty:
        return (
            "No method is surely better than simulating crystals at random: no interval of what a "
            "chosen crystal is worth lies above 1."
        )
    best = sure.loc[sure["worth"].idxmax()]
    return (
        f"A crystal that {_words(best['method'])} chose is worth {best['worth']:.2g} crystals at "
        "random."
    )


def _rows(worth: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": [_words(name) for name in worth["method"]],
            "worth": [
                f"{row.worth:.2f} ({row.low:.2f} to {row.high:.2f})" for row in worth.itertuples()
            ],
            "repeats": worth["repeats"],
        }
    )


def _words(name: object) -> str:
    return str(name).replace("_", " ")
