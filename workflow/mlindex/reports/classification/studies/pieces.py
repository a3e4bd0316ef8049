"""What the sections on studies share: means of all seeds, points with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from mlindex.reports.colours import SERIES

#: Of all seeds; see the column ``seed`` of CLASSIFIER_STUDIES.
_ALL = 0


#: Heading of each gain that is drawn, by its metric.
GAINS = {"accuracy_gain": "right", "macro_f1_gain": "macro F1"}


def columns(over: str) -> dict[str, str]:
    """Heading of each measure by its metric; gains are ``over`` something."""
    measures = {"accuracy": "right", "macro_f1": "macro F1", "weighted_f1": "weighted F1"}
    return measures | {metric: f"{title}, {over}" for metric, title in GAINS.items()}


def means(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """Means over the seeds of a part, for all classes together, by variant and metric."""
    whole = (frame["seed"] == _ALL) & (frame["class"] == "") & (frame["part"] == part)
    return frame[whole]


def value(rows: pd.DataFrame, variant: str, metric: str) -> pd.Series | None:
    """The row of a metric of a variant; None where there is none."""
    found = rows[(rows["variant"] == variant) & (rows["metric"] == metric)]
    return None if found.empty else found.iloc[0]


def points(row: pd.Series | None, signed: bool = False) -> str:
    """A share in per cent with its interval, or a difference in points; "" for None."""
    if row is None:
        return ""
    sign = "+" if signed else ""
    low, high = (f"{100 * row[end]:{sign}.1f}" for end in ("low", "high"))
    return f"{100 * row['value']:{sign}.1f} ({low} to {high})"


def measures_table(
    rows: pd.DataFrame, titles: Mapping[str, str], columns: Mapping[str, str]
) -> pd.DataFrame:
    """A row for each variant, a column for each metric, with intervals.

    Args:
        rows: what :func:`means` gives.
        titles: variants in words; a variant without a title goes by its name.
        columns: heading of each column by its metric; gains are in points.
    """
    found = []
    for name, own in rows.groupby("variant", sort=False):
        line = {"variant": titles.get(str(name), str(name)), "lists": int(own["rows"].iloc[0])}
        for metric, heading in columns.items():
            line[heading] = points(value(own, str(name), metric), metric.endswith("_gain"))
        found.append(line)
    return pd.DataFrame(found)


def error_bars(rows: Sequence[pd.Series]) -> dict:
    """Intervals of values in per cent, as plotly takes them."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (r["high"] - r["value"]) for r in rows],
        "arrayminus": [100 * (r["value"] - r["low"]) for r in rows],
        "thickness": 1,
        "width": 3,
    }


def gains(rows: pd.DataFrame, titles: Mapping[str, str], metrics: Mapping[str, str]) -> go.Figure:
    """Gains over the variant compared with, in points: a line of points for each metric."""
    fig = go.Figure()
    variants = [v for v in dict.fromkeys(rows["variant"]) if _gained(rows, v, metrics)]
    for colour, (metric, title) in zip(SERIES, metrics.items(), strict=False):
        own = [(v, value(rows, v, metric)) for v in variants]
        seen = [(v, row) for v, row in own if row is not None]
        fig.add_scatter(
            x=[100 * row["value"] for _, row in seen],
            y=[titles.get(v, v) for v, _ in seen],
            mode="markers",
            name=title,
            marker={"color": colour, "size": 9},
            error_x=error_bars([row for _, row in seen]),
        )
    fig.add_vline(x=0, line_width=1, line_color="#868e96")
    fig.update_xaxes(title="gain (points)")
    fig.update_yaxes(type="category", autorange="reversed", automargin=True)
    return fig.update_layout(showlegend=True)


def _gained(rows: pd.DataFrame, variant: str, metrics: Mapping[str, str]) -> bool:
    return any(value(rows, variant, metric) is not None for metric in metrics)
