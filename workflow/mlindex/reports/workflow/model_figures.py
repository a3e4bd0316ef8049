"""Figures of models: training curves, calibration, accuracy, indexing rates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.stats import norm

from mlindex.reports.colours import BLUE, GREY, ORANGE, PALE, SERIES
from mlindex.reports.plotting import finish, grid, place, rows_height, side_legend

_HALF = 0.28
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")


def training_curves(training: pd.DataFrame, first: Sequence[str]) -> go.Figure:
    """Training (dotted) and validation loss, a panel for each network.

    Args:
        training: TRAINING of one lattice system.
        first: models by importance; the first ones have a colour each, the others are grey.
    """
    networks = list(dict.fromkeys(training["network"]))
    coloured = [model for model in first if model in set(training["model"])][: len(SERIES)]
    colours = dict(zip(coloured, SERIES, strict=False))
    fig, columns, _ = grid(networks)
    shown: set[str] = set()
    for position, network in enumerate(networks):
        rows = training[training["network"] == network]
        models = sorted(rows["model"].unique(), key=lambda m: (m in colours, m))
        for model in models:
            curve = rows[rows["model"] == model].sort_values("epoch")
            name = model if model in colours else "other groups"
            for trace in _curves(curve, model, name, colours.get(model, PALE)):
                wanted = trace["line"]["dash"] == "solid" and name not in shown
                fig.add_scatter(**trace, showlegend=wanted, **place(position, columns))
            shown.add(name)
        fig.update_yaxes(range=_loss_range(rows), **place(position, columns))
    fig.update_xaxes(title="epoch")
    fig.update_yaxes(title="loss", col=1)
    return side_legend(finish(fig, 380))


def _curves(curve: pd.DataFrame, model: str, name: str, colour: str) -> list[dict]:
    return [
        {
            "x": curve["epoch"],
            "y": curve[column],
            "name": name,
            "legendgroup": name,
            "mode": "lines",
            "line": {"color": colour, "dash": dash, "width": 1.3},
            "hovertemplate": f"{model}, {column}: %{{y:.3f}}<extra></extra>",
        }
        for column, dash in (("loss", "dot"), ("validation_loss", "solid"))
    ]


def _loss_range(rows: pd.DataFrame) -> list[float]:
    # The first epochs of a cycle can be far above all others and would flatten the curves.
    values = rows[["loss", "validation_loss"]].to_numpy(float)
    values = values[np.isfinite(values)]
    if not len(values):
        return [0.0, 1.0]
    low, high = values.min(), np.percentile(values, 95)
    pad = 0.05 * (high - low) or 0.1
    return [float(low - pad), float(high + pad)]


def calibration(shares: pd.DataFrame) -> go.Figure:
    """Shares of true values inside the 1-sigma and 2-sigma intervals of the networks.

    Args:
        shares: columns model, parameter, sigmas (1 or 2), share, entries.
    """
    fig = go.Figure()
    models = list(dict.fromkeys(shares["model"]))
    for parameter, colour in zip(dict.fromkeys(shares["parameter"]), SERIES, strict=False):
        for sigmas, symbol in ((1, "circle"), (2, "diamond")):
            rows = shares[(shares["parameter"] == parameter) & (shares["sigmas"] == sigmas)]
            fig.add_scatter(
                x=100 * rows["share"],
                y=rows["model"],
                customdata=rows["entries"],
                mode="markers",
                name=f"{parameter}, {sigmas} sigma",
                marker={"color": colour, "symbol": symbol, "size": 9, "opacity": 0.8},
                hovertemplate="%{y}: %{x:.1f} % of %{customdata} entries",
            )
    for sigmas in (1, 2):
        share = 100 * _normal_share(sigmas)
        text = f"{share:.1f} %"
        fig.add_vline(share, line_dash="dash", line_color=GREY, annotation_text=text)
    fig.update_xaxes(title="true values inside the interval (% of entries)", range=[0, 103])
    fig.update_yaxes(categoryorder="array", categoryarray=models[::-1], automargin=True)
    return side_legend(finish(fig, max(rows_height(len(models)), 60 + 44 * len(fig.data) // 2)))


@cache
def _normal_share(sigmas: int) -> float:
    return float(norm.cdf(sigmas) - norm.cdf(-sigmas))


def accuracy(shares: pd.DataFrame) -> go.Figure:
    """Share of peaks with the right Miller indices against noise, network and nearest.

    Args:
        shares: columns noise, estimator, share, entries.
    """
    fig = go.Figure()
    for (estimator, rows), colour in zip(
        shares.groupby("estimator", sort=True), SERIES, strict=False
    ):
        ordered = rows.sort_values("noise")
        fig.add_scatter(
            x=[f"{noise:g}" for noise in ordered["noise"]],
            y=100 * ordered["share"],
            customdata=ordered["entries"],
            name=str(estimator),
            mode="lines+markers",
            line={"color": colour},
            hovertemplate="noise %{x}: %{y:.1f} % (%{customdata} entries)",
        )
    fig.update_xaxes(title="noise on the scaled free cell parameters", type="category")
    fig.update_yaxes(title="peaks assigned correctly (%)", rangemode="tozero")
    return finish(fig, 340).update_layout(showlegend=True)


def split_errors(errors: pd.DataFrame) -> go.Figure:
    """Median relative error of the volume under the two splits, a row for each lattice.

    Args:
        errors: columns bravais_lattice, split_unit, percent.
    """
    fig = go.Figure()
    for (unit, rows), colour in zip(
        errors.groupby("split_unit", sort=True), (ORANGE, BLUE), strict=False
    ):
        fig.add_bar(
            x=rows["percent"],
            y=rows["bravais_lattice"],
            name=str(unit).replace("_", " "),
            orientation="h",
            marker_color=colour,
        )
    fig.update_xaxes(title="median relative error of the volume (%)", rangemode="tozero")
    fig.update_yaxes(autorange="reversed")
    return finish(fig, rows_height(errors["bravais_lattice"].nunique(), 34))


def rates(frame: pd.DataFrame) -> go.Figure:
    """Indexing rates with their 95 % intervals and the published ones, a row for each lattice.

    Args:
        frame: table RATES.
    """
    fig = go.Figure()
    lattices = list(dict.fromkeys(frame["bravais_lattice"]))
    kinds = list(dict.fromkeys(zip(frame["method"], frame["outcome"], strict=True)))
    shifts = np.linspace(-_HALF, _HALF, len(kinds)) if len(kinds) > 1 else [0.0]
    _add_published(fig, frame.drop_duplicates("bravais_lattice"), lattices)
    for index, (method, outcome) in enumerate(kinds):
        rows = frame[(frame["method"] == method) & (frame["outcome"] == outcome)]
        fig.add_scatter(
            x=100 * rows["rate"],
            y=[lattices.index(b) + shifts[index] for b in rows["bravais_lattice"]],
            text=rows["successes"].astype(str) + " of " + rows["entries"].astype(str),
            mode="markers",
            name=f"{outcome} ({method})",
            marker={"color": SERIES[index % len(SERIES)], "size": 9},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * (rows["high"] - rows["rate"]),
                "arrayminus": 100 * (rows["rate"] - rows["low"]),
                "thickness": 1.3,
            },
            hovertemplate="%{x:.1f} % (%{text})",
        )
    fig.update_xaxes(title="validation entries (%)", range=[-2, 102])
    ticks = {"tickvals": list(range(len(lattices))), "ticktext": lattices, "zeroline": False}
    fig.update_yaxes(range=[len(lattices) - 0.4, -0.6], **ticks)
    return side_legend(finish(fig, rows_height(len(lattices), max(34, 14 * len(kinds)))))


def _add_published(fig: go.Figure, frame: pd.DataFrame, lattices: Sequence[str]) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for lattice, text in zip(frame["bravais_lattice"], frame["published"], strict=True):
        numbers = [float(number) for number in _NUMBERS.findall(text)]
        x += [*numbers, None]
        y += [lattices.index(lattice)] * len(numbers) + [None]
    marker = {"symbol": "line-ns-open", "size": 22, "color": GREY, "line": {"width": 2}}
    line = {"color": PALE, "width": 8}
    fig.add_scatter(x=x, y=y, mode="lines+markers", name="published", marker=marker, line=line)
