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
        heading(level_title(level)) + learning_part(curves, savings)
        for level, (curves, savings) in data.learning.items()
    ]
    lead = note(
        "Does it pay to choose the crystals that are simulated next? Each line is the mean of "
        "repeats that begin with the same crystals; crystals that are never in the pool judge."
    )
    return [("Choosing what to learn from", lead + "".join(parts))] if parts else []


def learning_part(curves: pd.DataFrame, savings: pd.DataFrame) -> str:
    """Learning curves of one level, and what each method saves."""
    plots = "".join(drawn(_plot(curves, metric), 360) for metric in _AXES)
    meaning = (
        "Below zero: so many more crystals than random choice took for the same log-loss; a method "
        "that gets no better than at the start counts with all that it took."
    )
    return plots + note(_said(savings)) + table(_rows(savings)) + note(meaning)


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


def _said(savings: pd.DataFrame) -> str:
    sure = savings[savings["low"] > 0]
    if sure.empty:
        return (
            "No method is surely cheaper than simulating crystals at random: no interval of what "
            "is saved lies above zero."
        )
    best = sure.loc[sure["saving"].idxmax()]
    return (
        f"{_words(best['method']).capitalize()} comes to the same log-loss with "
        f"{100 * best['saving']:.0f} % fewer crystals than random choice."
    )


def _rows(savings: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": [_words(name) for name in savings["method"]],
            "saved (%)": [
                f"{100 * row.saving:+.0f} ({100 * row.low:+.0f} to {100 * row.high:+.0f})"
                for row in savings.itertuples()
            ],
            "repeats": savings["repeats"],
        }
    )


def _words(name: object) -> str:
    return str(name).replace("_", " ")
