"""Figures of the page of a campaign, as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlindex.campaigns.diagnosis import HeldOut, Line
from mlindex.campaigns.experiments import FAILED, MEASURED, Experiment
from mlindex.reports.axes import titled
from mlindex.reports.colours import BLUE, GREEN, GREY, ORANGE, PALE
from mlindex.reports.panels import Figure, panels

_HEIGHT, _BAR = 340, 26
_MARGIN = {"l": 70, "r": 20, "t": 50, "b": 50}
_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def _figure(x: str, y: str, height: int = _HEIGHT) -> Figure:
    figure = panels([1.0])
    figure.x_axis(1).update(title={"text": x})
    figure.y_axis(1).update(title={"text": y})
    figure.layout.update(height=height, margin=dict(_MARGIN), legend=dict(_LEGEND))
    return figure


def axis_title(name: str, unit: str) -> str:
    """Title of an axis: the name, and the unit where there is one."""
    return titled(name, unit) if unit else name


def progress(done: Sequence[Experiment], name: str, title: str, larger: bool) -> Figure:
    """The scores in the order in which they came, and the best so far."""
    figure = _figure("number of the measurement", title)
    scored = [(n, one) for n, one in enumerate(done, 1) if one.status == MEASURED]
    kinds = (
        ("first design", GREY, lambda one: one.round is not None and not _has_model(one)),
        ("proposed by the method", BLUE, _has_model),
        ("your own", GREEN, lambda one: one.round is None),
    )
    for label, colour, is_one in kinds:
        points = [(n, one) for n, one in scored if is_one(one)]
        if points:
            figure.add_scatter(
                1,
                x=[n for n, _ in points],
                y=[one.scores[name] for _, one in points],
                text=[one.id for _, one in points],
                mode="markers",
                name=label,
                marker={"color": colour, "size": 7},
            )
    if scored:
        best = (np.maximum if larger else np.minimum).accumulate(
            [o.scores[name] for _, o in scored]
        )
        figure.add_scatter(
            1,
            x=[n for n, _ in scored],
            y=best.tolist(),
            mode="lines",
            name="best so far",
            line={"color": ORANGE, "shape": "hv", "width": 2},
        )
    failed = [n for n, one in enumerate(done, 1) if one.status == FAILED]
    if failed and scored:
        low = min(one.scores[name] for _, one in scored)
        figure.add_scatter(
            1,
            x=failed,
            y=[low] * len(failed),
            mode="markers",
            name="failed (no score)",
            marker={"color": ORANGE, "symbol": "x", "size": 8},
        )
    return figure


def _has_model(one: Experiment) -> bool:
    return one.better is not None or one.expected is not None


def reliance(found: dict[str, float], most: int = 20) -> Figure:
    """What the expected score relies on, the most first."""
    kept = sorted(found.items(), key=lambda item: item[1])[-most:]
    figure = _figure("change of the expected score, in its standard deviations", "",
                     110 + _BAR * max(len(kept), 2))  # fmt: skip
    figure.data.append(
        {
            "type": "bar",
            "orientation": "h",
            "x": [value for _, value in kept],
            "y": [name for name, _ in kept],
            "marker": {"color": BLUE},
            "xaxis": "x",
            "yaxis": "y",
        }
    )
    figure.y_axis(1).update(automargin=True, type="category")
    return figure


def along(line: Line, title: str, score: str, logarithmic: bool) -> Figure:
    """What is expected along one quantity, with its error."""
    figure = _figure(title, score, 260)
    for sign, fill in ((-1, None), (1, "tonexty")):
        figure.add_scatter(
            1,
            x=line.at.tolist(),
            y=(line.expected + sign * line.error).tolist(),
            mode="lines",
            line={"width": 0, "color": PALE},
            fill=fill,
            showlegend=False,
            hoverinfo="skip",
        )
    figure.add_scatter(
        1,
        x=line.at.tolist(),
        y=line.expected.tolist(),
        mode="lines",
        name="expected",
        line={"color": BLUE},
        showlegend=False,
    )
    if logarithmic:
        figure.x_axis(1).update(type="log")
    return figure


def calibration(held: HeldOut, score: str) -> Figure:
    """What was measured against what is expected of it without having seen it."""
    figure = _figure(f"expected {score}", f"measured {score}", 420)
    ends = [float(min(held.scores.min(), held.expected.min())),
            float(max(held.scores.max(), held.expected.max()))]  # fmt: skip
    figure.add_scatter(
        1, x=ends, y=ends, mode="lines", name="equal", line={"color": GREY, "dash": "dot"}
    )
    figure.add_scatter(
        1,
        x=held.expected.tolist(),
        y=held.scores.tolist(),
        text=list(held.ids),
        mode="markers",
        name="a condition, with the error of its prediction",
        marker={"color": BLUE, "size": 7},
        error_x={"type": "data", "array": held.error.tolist(), "color": PALE, "thickness": 1},
    )
    return figure


def front(
    values: np.ndarray, best: np.ndarray, ids: Sequence[str], titles: Sequence[str]
) -> Figure:
    """The first two of several objectives, and which conditions no other one beats."""
    figure = _figure(titles[0], titles[1], 420)
    for label, kept, colour in (("beaten by another", ~best, GREY), ("not beaten", best, BLUE)):
        rows = np.flatnonzero(kept)
        figure.add_scatter(
            1,
            x=values[rows, 0].tolist(),
            y=values[rows, 1].tolist(),
            text=[ids[n] for n in rows],
            mode="markers",
            name=label,
            marker={"color": colour, "size": 8},
        )
    return figure


def number(value: float | None) -> str:
    """A number of the page: four digits, nothing where there is none."""
    return "" if value is None or math.isnan(value) else f"{value:.4g}"
