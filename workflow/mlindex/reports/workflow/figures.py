"""Figures of entries: distributions, peaks, labels, counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mlindex.method.tables import HISTOGRAM_KINDS
from mlindex.reports import axes
from mlindex.reports.colours import BLUE, GREY, ORANGE, SERIES
from mlindex.reports.plotting import finish, grid, place, rows_height

_COLOURS = {"original": BLUE, "augmented": ORANGE, "real": GREY, "generated": BLUE}
_AXES = {
    "peaks": axes.Q2,
    "peaks_scaled": "q², scaled",
    "separations": axes.SEPARATION,
    "log10_volume_A3": axes.LOG_VOLUME,
    "second_over_first_axis": "second axis / first axis",
    "third_over_second_axis": "third axis / second axis",
}
_LOGARITHMIC = ("separations",)
_LABEL_PANEL = re.compile(r"(?P<bravais>\w+) peak (?P<peak>\d+)$")


def axis_title(name: str, panel: str) -> str:
    """Title of the axis of a panel, with its unit, from the names in the tables."""
    if title := _AXES.get(name) or _AXES.get(panel):
        return title
    if title := axes.of_column(panel):
        return title
    return f"{panel}, scaled" if name.endswith("scaled") else panel


def histograms(frame: pd.DataFrame, name: str = "", value: str = "count") -> go.Figure:
    """Step histograms of two kinds, a panel for each quantity, as shares of each kind.

    Args:
        frame: columns panel, kind, left, right and ``value``.
        name: name of the figure in the table HISTOGRAMS, for the titles of axes.
        value: the column that is drawn.
    """
    panels = list(dict.fromkeys(frame["panel"]))
    fig, columns, height = grid([_panel_title(panel, name) for panel in panels])
    shown: set[str] = set()
    for position, panel in enumerate(panels):
        where = place(position, columns)
        for kind, bins in frame[frame["panel"] == panel].groupby("kind", sort=False):
            fig.add_scatter(**_steps(bins, str(kind), value, kind not in shown), **where)
            shown.add(str(kind))
        axis = {"type": "log", "exponentformat": "power"} if name in _LOGARITHMIC else {}
        fig.update_xaxes(title=axis_title(name, panel), title_standoff=4, **axis, **where)
    fig.update_yaxes(rangemode="tozero", tickformat=".0%")
    fig.update_yaxes(title="share in bin", col=1)
    return finish(fig, height)


def _panel_title(panel: str, name: str) -> str:
    return panel if name in _AXES else ""


def _steps(bins: pd.DataFrame, kind: str, value: str, in_legend: bool) -> dict[str, object]:
    total = bins[value].sum() if value == "count" else 1.0
    share = (bins[value] / (total or 1.0)).to_numpy()
    return {
        "x": np.append(bins["left"], bins["right"].iloc[-1]),
        "y": np.append(share, share[-1]),
        "name": kind,
        "legendgroup": kind,
        "showlegend": in_legend,
        "mode": "lines",
        "line": {"shape": "hv", "color": _COLOURS.get(kind, GREY), "width": 1.5},
    }


def labels(frame: pd.DataFrame) -> go.Figure:
    """How often each part of the reference list is met, by peak, a row for each Bravais lattice.

    Args:
        frame: HISTOGRAMS of the figure ``labels``.
    """
    parts = frame["panel"].str.extract(_LABEL_PANEL)
    frame = frame.assign(bravais=parts["bravais"], peak=parts["peak"].astype(int))
    lattices = list(dict.fromkeys(frame["bravais"]))
    titles = [f"{bravais}, {kind}" for bravais in lattices for kind in HISTOGRAM_KINDS]
    fig, columns, height = grid(titles, len(HISTOGRAM_KINDS))
    for position in range(len(titles)):
        row, column = divmod(position, len(HISTOGRAM_KINDS))
        bravais, kind = lattices[row], HISTOGRAM_KINDS[column]
        rows = frame[(frame["bravais"] == bravais) & (frame["kind"] == kind)]
        counts = rows.pivot_table(index="peak", columns="left", values="count", aggfunc="sum")
        totals = counts.sum(axis=1).replace(0, 1)
        middles = (rows["left"] + rows["right"]).unique() / 2
        fig.add_heatmap(
            x=np.sort(middles),
            y=counts.index,
            z=100 * counts.div(totals, axis=0),
            coloraxis="coloraxis",
            hovertemplate="peak %{y}, reference %{x:.0f}: %{z:.1f} %<extra></extra>",
            **place(position, columns),
        )
    fig.update_xaxes(title="place in the reference list", title_standoff=4)
    fig.update_yaxes(title="peak", col=1)
    bar = {"title": {"text": "% (capped)"}, "thickness": 12, "len": 220, "lenmode": "pixels"}
    bar |= {"y": 1, "yanchor": "top"}
    # The first peaks meet few reflections: on the whole scale all others would be white.
    shares = np.concatenate([np.ravel(trace.z) for trace in fig.data])
    top = float(np.percentile(shares[shares > 0], 97)) if np.any(shares > 0) else 1.0
    scale = {"colorscale": "Blues", "colorbar": bar, "cmin": 0.0, "cmax": top}
    fig.update_layout(coloraxis=scale)
    return finish(fig, height).update_layout(margin={"r": 80})


def acceptance(first_peak: pd.DataFrame, bins: pd.DataFrame) -> go.Figure:
    """First-peak positions, and eq. 19 with the data that it was fitted to."""
    titles = ["Position of the first observed peak in list 1", "Share of peaks observed (eq. 19)"]
    fig = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.08)
    fig.update_annotations(font_size=13)
    shown = first_peak[first_peak["probability"] > 0]
    fig.add_bar(x=shown["position"], y=shown["probability"], marker_color=BLUE, showlegend=False)
    filled = bins[bins["peaks"] > 0]
    fig.add_scatter(
        x=filled["separation_inv_A2"],
        y=filled["observed"],
        mode="markers",
        name="counted (larger: more peaks)",
        marker={"color": BLUE, "size": np.clip(np.sqrt(filled["peaks"]) / 3, 4, 12)},
        row=1,
        col=2,
    )
    fig.add_scatter(
        x=bins["separation_inv_A2"],
        y=bins["fitted"],
        mode="lines",
        name="fitted",
        line={"color": ORANGE},
        row=1,
        col=2,
    )
    step = max(1, int(shown["position"].max()) // 10) if len(shown) else 1
    fig.update_xaxes(title="position, from 0", dtick=step, row=1, col=1)
    fig.update_xaxes(title=axes.SEPARATION, type="log", exponentformat="power", row=1, col=2)
    fig.update_yaxes(rangemode="tozero", tickformat=".0%")
    fig.update_yaxes(title="share of entries", row=1, col=1)
    fig.update_yaxes(title="share observed", row=1, col=2)
    return finish(fig, 330)


def bars(names: Sequence[str], values: Sequence[float], axis: str) -> go.Figure:
    """Horizontal bars, one for each name."""
    fig = go.Figure(go.Bar(x=list(values), y=list(names), orientation="h", marker_color=BLUE))
    return _horizontal(fig, axis, len(names))


def stacked_bars(frame: pd.DataFrame, axis: str) -> go.Figure:
    """Horizontal bars, a row for each index and a part for each column of ``frame``."""
    fig = go.Figure()
    for name, colour in zip(frame.columns, SERIES * len(frame.columns), strict=False):
        y = [str(row) for row in frame.index]
        fig.add_bar(x=frame[name], y=y, name=str(name), orientation="h", marker_color=colour)
    return _horizontal(fig, axis, len(frame)).update_layout(barmode="stack", showlegend=True)


def _horizontal(fig: go.Figure, axis: str, rows: int) -> go.Figure:
    fig.update_xaxes(title=axis, rangemode="tozero")
    fig.update_yaxes(autorange="reversed", automargin=True, type="category")
    return finish(fig, rows_height(rows))
