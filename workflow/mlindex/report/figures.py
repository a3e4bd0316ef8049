"""The figures of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

BLUE, ORANGE, GREEN, GREY = "#1f6feb", "#e8590c", "#2b8a3e", "#868e96"
_COLOURS = {"original": BLUE, "augmented": ORANGE, "real": GREY, "generated": BLUE}
_SERIES = (BLUE, ORANGE, GREEN, "#9c36b5", "#c2255c", "#0b7285", "#5f3dc4", "#846358")
_WIDTH = 1050
_COLUMNS = 3


def _finish(fig: go.Figure, height: int, title: str = "") -> go.Figure:
    fig.update_layout(
        template="plotly_white",
        width=_WIDTH,
        height=height,
        title={"text": title, "font": {"size": 15}},
        margin={"l": 60, "r": 20, "t": 60 if title else 40, "b": 50},
        font={"size": 11},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    return fig


def _grid(panels: Sequence[str]) -> go.Figure:
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    return make_subplots(
        rows,
        columns,
        subplot_titles=list(panels),
        vertical_spacing=min(0.22, 0.5 / rows),
        horizontal_spacing=0.07,
    )


def histograms(frame: pd.DataFrame, value: str = "count", title: str = "") -> go.Figure:
    """Step histograms of two kinds in one panel for each quantity, as shares.

    ``frame`` has columns panel, kind, left, right and ``value``.
    """
    panels = list(dict.fromkeys(frame["panel"]))
    fig = _grid(panels)
    for position, panel in enumerate(panels):
        rows = frame[frame["panel"] == panel]
        for kind, bins in rows.groupby("kind", sort=True):
            total = bins[value].sum()
            x = [*bins["left"], bins["right"].iloc[-1]]
            share = list(bins[value] / total if total else bins[value])
            fig.add_scatter(
                x=x,
                y=[*share, share[-1]],
                name=str(kind),
                legendgroup=str(kind),
                showlegend=position == 0,
                line={"shape": "hv", "color": _COLOURS.get(str(kind), GREY), "width": 1.5},
                row=position // _COLUMNS + 1,
                col=position % _COLUMNS + 1,
            )
    fig.update_yaxes(rangemode="tozero")
    return _finish(fig, 90 + 210 * math.ceil(len(panels) / _COLUMNS), title)


def acceptance(first_peak: pd.DataFrame, bins: pd.DataFrame) -> go.Figure:
    """First-peak positions, and eq. 19 with the data that it was fitted to."""
    titles = ["Position of the first observed peak in list 1", "Share of peaks observed (eq. 19)"]
    fig = make_subplots(1, 2, subplot_titles=titles)
    shown = first_peak[first_peak["probability"] > 0]
    fig.add_bar(x=shown["position"], y=shown["probability"], marker_color=BLUE, showlegend=False)
    filled = bins[bins["peaks"] > 0]
    fig.add_scatter(
        x=filled["separation_inv_A2"],
        y=filled["observed"],
        mode="markers",
        name="counted",
        marker={"color": BLUE, "size": np.clip(np.sqrt(filled["peaks"]) / 3, 3, 12)},
        row=1,
        col=2,
    )
    fig.add_scatter(
        x=bins["separation_inv_A2"],
        y=bins["fitted"],
        name="fitted",
        line={"color": ORANGE},
        row=1,
        col=2,
    )
    fig.update_xaxes(title="position, from 0", row=1, col=1)
    fig.update_xaxes(title="separation in q² (1/Å²)", type="log", row=1, col=2)
    fig.update_yaxes(rangemode="tozero")
    return _finish(fig, 320)


def training_curves(training: pd.DataFrame) -> go.Figure:
    """Training (dotted) and validation loss of every model, a panel for each network."""
    networks = list(dict.fromkeys(training["network"]))
    fig = _grid(networks)
    for position, network in enumerate(networks):
        rows = training[training["network"] == network]
        for index, (model, curve) in enumerate(rows.groupby("model", sort=True)):
            colour = _SERIES[index % len(_SERIES)]
            for column, dash in (("loss", "dot"), ("validation_loss", "solid")):
                fig.add_scatter(
                    x=curve["epoch"],
                    y=curve[column],
                    name=str(model),
                    legendgroup=str(model),
                    showlegend=dash == "solid" and position == 0,
                    line={"color": colour, "dash": dash, "width": 1.3},
                    hovertemplate=f"{model} {column}: %{{y:.3f}}<extra></extra>",
                    row=position // _COLUMNS + 1,
                    col=position % _COLUMNS + 1,
                )
    fig.update_xaxes(title="epoch")
    fig.update_layout(legend={"orientation": "v", "x": 1.02, "y": 1})
    return _finish(fig, 340).update_layout(
        legend={"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"}
    )


def rates(frame: pd.DataFrame) -> go.Figure:
    """Indexing rates with their 95 % intervals, a row for each Bravais lattice."""
    fig = go.Figure()
    kinds = list(dict.fromkeys(zip(frame["method"], frame["outcome"], strict=True)))
    for index, (method, outcome) in enumerate(kinds):
        rows = frame[(frame["method"] == method) & (frame["outcome"] == outcome)]
        fig.add_scatter(
            x=100 * rows["rate"],
            y=rows["bravais_lattice"],
            mode="markers",
            name=f"{outcome} ({method})",
            marker={"color": _SERIES[index % len(_SERIES)], "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * (rows["high"] - rows["rate"]),
                "arrayminus": 100 * (rows["rate"] - rows["low"]),
                "thickness": 1.2,
            },
        )
    fig.update_xaxes(title="validation entries (%)", range=[-2, 102])
    fig.update_yaxes(autorange="reversed")
    return _finish(fig, 120 + 36 * frame["bravais_lattice"].nunique())


def bars(labels: Sequence[str], values: Sequence[float], axis: str) -> go.Figure:
    """Horizontal bars, one for each label."""
    fig = go.Figure(go.Bar(x=list(values), y=list(labels), orientation="h", marker_color=BLUE))
    fig.update_xaxes(title=axis)
    fig.update_yaxes(autorange="reversed", automargin=True)
    return _finish(fig, 110 + 24 * len(labels))
