"""Figures of ab initio indexing."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from mlindex.crystal.lattice import SYSTEMS
from mlindex.patterns.spoil import UNITS
from mlindex.reports.colours import GREY, SERIES
from mlindex.reports.plotting import finish, grid, place, side_legend
from mlindex.reports.published import SVD_INDEX_WITH_IMPURITIES

_COLOURS = dict(zip(SYSTEMS, SERIES, strict=False))
_PUBLISHED = "impurities"


def degradation(curves: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Solved entries against amounts, a panel for each degradation, a curve for each system.

    Args:
        curves: of :func:`mlindex.indexing.rates.summary.curves`.
        titles: of the panels, by degradation.
    """
    kinds = list(dict.fromkeys(curves["degradation"]))
    fig, columns, height = grid([titles[kind] for kind in kinds], 2)
    shown: set[str] = set()
    for position, kind in enumerate(kinds):
        where = place(position, columns)
        mine = curves[curves["degradation"] == kind]
        if kind == _PUBLISHED:
            _add_published(fig, list(dict.fromkeys(mine["system"])), where)
        for system, rows in mine.groupby("system", sort=False):
            fig.add_scatter(**_curve(rows, str(system), system not in shown), **where)
            shown.add(str(system))
        fig.update_xaxes(title=UNITS[kind], title_standoff=4, rangemode="tozero", **where)
    fig.update_yaxes(range=[-3, 103])
    fig.update_yaxes(title="solved (%)", col=1)
    return side_legend(finish(fig, height + 60))


def _curve(rows: pd.DataFrame, system: str, in_legend: bool) -> dict[str, object]:
    return {
        "x": rows["amount"],
        "y": 100 * rows["rate"],
        "customdata": rows[["successes", "entries", "low", "high"]],
        "name": system,
        "legendgroup": system,
        "showlegend": in_legend,
        "mode": "lines+markers",
        "line": {"color": _COLOURS.get(system, GREY), "width": 1.6},
        "marker": {"size": 6},
        "hovertemplate": (
            f"{system}, %{{x}}: %{{y:.0f}} % (%{{customdata[0]}} of %{{customdata[1]}}; 95 %: "
            "%{customdata[2]:.0%} to %{customdata[3]:.0%})<extra></extra>"
        ),
    }


def _add_published(fig: go.Figure, systems: list[str], where: dict[str, int]) -> None:
    for system in systems:
        points = SVD_INDEX_WITH_IMPURITIES.get(system)
        if points is None:
            continue
        fig.add_scatter(
            x=[amount for amount, _ in points],
            y=[percent for _, percent in points],
            name=f"SVD-Index, {system}",
            mode="lines+markers",
            line={"color": _COLOURS[system], "width": 1, "dash": "dot"},
            marker={"symbol": "diamond-open", "size": 11},
            hovertemplate=f"SVD-Index, {system}, %{{x}}: %{{y}} %<extra></extra>",
            **where,
        )
