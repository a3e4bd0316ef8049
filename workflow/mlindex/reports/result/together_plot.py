"""The figure of all phases fitted together: observed, each phase, their sum, and the difference."""

from __future__ import annotations

from itertools import cycle

from mlindex.indexing.profile import PhasesProfile
from mlindex.reports.colours import GREEN, SERIES
from mlindex.reports.panels import Figure, panels
from mlindex.reports.result.profile_plot import drawn
from mlindex.reports.result.view import Axis

_HEIGHTS, _MARGINS = (320, 110), 120
_INK, _GREY = "#343a40", "#adb5bd"


def together_figure(fit: PhasesProfile, names: list[str], axis: Axis) -> Figure:
    """Points of a fit over 2theta, with what each phase, by name, adds to the background."""
    which = drawn(fit.observed)
    fig = panels(_HEIGHTS, 0.02)
    common = {"x": fit.two_theta_deg[which], "mode": "lines", "hoverinfo": "skip"}
    curves = [("observed", fit.observed, _INK, 1.1)]
    background = fit.calculated - sum(phase.calculated for phase in fit.phases)
    for name, phase, colour in zip(names, fit.phases, cycle((SERIES[0], *SERIES[3:]))):
        curves.append((name, background + phase.calculated, colour, 1))
    curves.append(("all phases", fit.calculated, GREEN, 1.1))
    for name, y, colour, width in curves:
        fig.add_scatter(1, y=y[which], name=name, line={"color": colour, "width": width}, **common)
    line = {"color": _INK, "width": 1}
    fig.add_scatter(2, y=fit.difference[which], name="difference", line=line, **common)
    fig.layout.update(
        {
            "height": sum(_HEIGHTS) + _MARGINS,
            "margin": {"l": 62, "r": 16, "t": 64, "b": 48},
            "hovermode": False,
            "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        }
    )
    for row in (1, 2):
        fig.x_axis(row).update({"showgrid": False})
        fig.y_axis(row).update({"zeroline": row == 2, "zerolinecolor": _GREY})
    fig.y_axis(1)["title"] = {"text": "intensity"}
    fig.x_axis(2)["title"] = {"text": f"{axis.name} ({axis.unit})"}
    return fig
