"""A figure as plotly.js takes it, of panels one below the other over one axis.

Plain data: pages of results are written without the Python package plotly, whose figures those of
the workflow's report are.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Figure:
    """Traces and layout; :func:`panels` makes it with its axes."""

    data: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)

    def add_scatter(self, row: int, **trace: Any) -> None:
        """Add points or lines to a panel, 1 being the topmost; arrays are (n,)."""
        axes = {"type": "scatter", "xaxis": f"x{_number(row)}", "yaxis": f"y{_number(row)}"}
        self.data.append({name: _plain(value) for name, value in trace.items()} | axes)

    def x_axis(self, row: int) -> dict[str, Any]:
        """The horizontal axis of a panel."""
        return self.layout[f"xaxis{_number(row)}"]

    def y_axis(self, row: int) -> dict[str, Any]:
        """The vertical axis of a panel."""
        return self.layout[f"yaxis{_number(row)}"]


def panels(heights: Sequence[float], spacing: float = 0.0) -> Figure:
    """An empty figure with a panel for each height, from above.

    Args:
        heights: of the panels, in any unit.
        spacing: between two of them, as a share of the figure.
    """
    figure, rows, top = Figure(), len(heights), 1.0
    share = (1 - spacing * (rows - 1)) / sum(heights)
    for row, height in enumerate(heights, 1):
        number, last = _number(row), row == rows
        x = {"anchor": f"y{number}", "domain": [0.0, 1.0]}
        if not last:
            x |= {"matches": f"x{_number(rows)}", "showticklabels": False}
        bottom = 0.0 if last else top - share * height
        figure.layout[f"xaxis{number}"] = x
        figure.layout[f"yaxis{number}"] = {"anchor": f"x{number}", "domain": [bottom, top]}
        top = bottom - spacing
    return figure


def _number(row: int) -> str:
    return "" if row == 1 else str(row)


def _plain(value: Any) -> Any:
    """A value that JSON has; numbers as bytes, precise to a hundredth of a pixel, NaN included."""
    if not isinstance(value, np.ndarray):
        return value
    if not len(value):
        return []
    numbers = np.ascontiguousarray(value, dtype="<f4")
    return {"dtype": "f4", "bdata": b64encode(numbers).decode("ascii")}
