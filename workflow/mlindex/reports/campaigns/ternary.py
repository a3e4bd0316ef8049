"""A mixture of three as a triangle: each corner is a part alone, the side across holds none of it.

Drawn as plain points and lines: the plotly.js of the pages has no ternary axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.reports.colours import GREY, PALE
from mlindex.reports.panels import Figure, panels

#: Corners of the triangle: the first part on top, the second on the left, the third on the right.
CORNERS = np.array([[0.5, np.sqrt(0.75)], [0.0, 0.0], [1.0, 0.0]])
#: Lines of equal share in between.
_SHARES = (0.2, 0.4, 0.6, 0.8)
_HEIGHT = 520
#: Where the share of each part is written: on which side (the part that is none there), and how far
#: beside it in pixels.
_TICKS = ((2, -14, 4), (0, 0, -10), (1, 14, 4))


def placed(parts: np.ndarray) -> np.ndarray:
    """Places (n, 2) in the triangle of amounts (n, 3) of the three parts, in any unit."""
    return (parts / parts.sum(axis=1, keepdims=True)) @ CORNERS


def triangle(
    names: Sequence[str],
    parts: np.ndarray,
    scores: np.ndarray,
    ids: Sequence[str],
    title: str,
    waiting: np.ndarray,
    low_is_best: bool = False,
) -> Figure:
    """Measured mixtures by their score, and where the proposals are. Of the same mixture under
    several conditions the best score is on top.

    Args:
        names: of the three parts.
        parts: amounts (n, 3) of what was measured.
        scores: (n,).
        ids: of the experiments (n,).
        title: what the scores are.
        waiting: amounts (m, 3) of what waits for a result.
        low_is_best: whether small scores are the good ones.
    """
    figure = panels([1.0])
    figure.layout.update(height=_HEIGHT, margin={"l": 20, "r": 20, "t": 50, "b": 40})
    figure.layout["legend"] = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}
    hidden = {"visible": False, "fixedrange": True}
    figure.x_axis(1).update(hidden, range=[-0.15, 1.15])
    figure.y_axis(1).update(hidden, range=[-0.09, 0.95], scaleanchor="x")
    for share in _SHARES:
        for part in range(3):
            _line(figure, _across(part, share), PALE, f"{100 * share:.0f} % {names[part]}")
    _line(figure, np.vstack([CORNERS, CORNERS[:1]]), GREY, "")
    figure.layout["annotations"] = [
        {"x": x, "y": y, "text": name, "showarrow": False, "yshift": shift}
        for (x, y), name, shift in zip(CORNERS.tolist(), names, (14, -24, -24), strict=True)
    ] + _shares_written()
    order = np.argsort(-scores if low_is_best else scores, kind="stable")
    parts, scores, ids = parts[order], scores[order], [ids[one] for one in order]
    at = placed(parts)
    made_of = [
        ", ".join(f"{name} {much:.4g}" for name, much in zip(names, row, strict=True))
        for row in parts
    ]
    shown = [
        f"{one}: {score:.4g}; {text}" for one, score, text in zip(ids, scores, made_of, strict=True)
    ]
    bar = {"title": {"text": title}, "thickness": 12}
    figure.add_scatter(
        1,
        x=at[:, 0].tolist(),
        y=at[:, 1].tolist(),
        text=shown,
        hoverinfo="text",
        mode="markers",
        name="measured",
        marker={"color": scores.tolist(), "colorscale": "Viridis", "size": 10, "colorbar": bar},
        showlegend=False,
    )
    if len(waiting):
        at = placed(waiting)
        figure.add_scatter(
            1,
            x=at[:, 0].tolist(),
            y=at[:, 1].tolist(),
            mode="markers",
            name="waits for a result",
            hoverinfo="skip",
            marker={"symbol": "circle-open", "color": GREY, "size": 11, "line": {"width": 2}},
        )
    return figure


def _across(part: int, share: float) -> np.ndarray:
    """Ends (2, 2) of the line where a part has a share."""
    ends = np.zeros((2, 3))
    ends[:, part] = share
    ends[[0, 1], [(part + 1) % 3, (part + 2) % 3]] = 1 - share
    return placed(ends)


def _shares_written() -> list[dict]:
    """Notes of what each line of equal share stands for, in per cent, at one of its ends."""
    notes = []
    for part, (none, right, up) in enumerate(_TICKS):
        for share in _SHARES:
            parts = np.full((1, 3), 1 - share)
            parts[0, part], parts[0, none] = share, 0.0
            x, y = placed(parts)[0].tolist()
            text, font = f"{100 * share:.0f}", {"size": 10, "color": GREY}
            notes.append({"x": x, "y": y, "text": text, "showarrow": False, "font": font,
                          "xshift": right, "yshift": up})  # fmt: skip
    return notes


def _line(figure: Figure, ends: np.ndarray, colour: str, text: str) -> None:
    figure.add_scatter(
        1,
        x=ends[:, 0].tolist(),
        y=ends[:, 1].tolist(),
        text=text,
        hoverinfo="text" if text else "skip",
        mode="lines",
        line={"color": colour, "width": 1},
        showlegend=False,
    )
