"""What all figures of the report share: colours, sizes, grids of panels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

WIDTH = 1060
COLUMNS = 3
_PANEL_HEIGHT = 230


def finish(fig: go.Figure, height: int) -> go.Figure:
    """Size, margins and a legend above the panels."""
    return fig.update_layout(
        width=WIDTH,
        height=height,
        margin={"l": 60, "r": 20, "t": 60, "b": 50},
        font={"size": 11},
        legend={
            "orientation": "h",
            "traceorder": "normal",
            # The buttons of a figure are at its right.
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
        },
    )


def side_legend(fig: go.Figure) -> go.Figure:
    """The legend to the right of the panels, for long lists of names."""
    return fig.update_layout(
        margin={"r": 170, "t": 40},
        legend={
            "orientation": "v",
            "x": 1.02,
            "xanchor": "left",
            "y": 1,
            "yref": "paper",
            "yanchor": "top",
        },
    )


def grid(titles: Sequence[str], columns: int = COLUMNS) -> tuple[go.Figure, int, int]:
    """A figure with a panel for each title, the columns it has, and a height that suits it."""
    columns = min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    height = 100 + _PANEL_HEIGHT * rows
    fig = make_subplots(
        rows,
        columns,
        subplot_titles=list(titles),
        vertical_spacing=80 / height if rows > 1 else 0,
        horizontal_spacing=0.08,
    )
    fig.update_annotations(font_size=13)
    return fig, columns, height


def place(position: int, columns: int) -> dict[str, int]:
    """Row and column of the panel with that position."""
    return {"row": position // columns + 1, "col": position % columns + 1}


def rows_height(rows: int, each: int = 24) -> int:
    """Height of a figure with a line of that many pixels for each of its rows."""
    return 130 + each * max(rows, 2)
