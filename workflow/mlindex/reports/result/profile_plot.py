"""The fits to the whole profile in the figure of a result: calculated pattern and difference."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np

from mlindex.indexing.profile import CandidateProfile
from mlindex.indexing.result import IndexingResult
from mlindex.reports.colours import BLUE, GREEN
from mlindex.reports.panels import Figure

#: Height of the panel of the difference, whose unit is as high as that of the pattern.
HEIGHT = 130
#: Where the tick marks of the candidate that is shown stand in its upper half.
_TICKS = 0.87
#: Points of the curves that are drawn: pages hold those of all candidates.
_MOST_POINTS = 2000
_STEPS = 2**16 - 1
_INK = "#343a40"


def profiles(result: IndexingResult, most: int) -> list[CandidateProfile | None]:
    """Fits of the first candidates; empty where none of them has one."""
    found = [candidate.profile for candidate in result.candidates[:most]]
    return found if any(found) else []


def add_curves(
    fig: Figure, profile: CandidateProfile | None, which: np.ndarray, x: np.ndarray
) -> None:
    """Add calculated pattern and difference of a candidate; none of one without a fit.

    Args:
        fig: the figure; its second panel is for the difference.
        profile: the fit.
        which: points that are drawn (m,), see :func:`drawn`.
        x: where they are on the axis (m,).
    """
    nothing = np.empty(0)
    calculated = profile.calculated[which] if profile else nothing
    difference = profile.difference[which] if profile else nothing
    common = {"x": x, "mode": "lines", "hoverinfo": "skip"}
    green, ink = {"color": GREEN, "width": 1.1}, {"color": _INK, "width": 1}
    fig.add_scatter(
        1, y=calculated, name="calculated", line=green, meta={"curve": "calculated"}, **common
    )
    fig.add_scatter(
        2, y=difference, name="difference", line=ink, meta={"curve": "difference"}, **common
    )


def add_ticks(fig: Figure, x: np.ndarray, end: float) -> None:
    """Add tick marks (k,) of the candidate shown above the difference; ``end`` is the upper end of
    the panel."""
    fig.add_scatter(
        2,
        x=x,
        y=np.full(len(x), _TICKS * end),
        mode="markers",
        marker={"symbol": "line-ns", "size": 11, "line": {"width": 1.2, "color": BLUE}},
        hoverinfo="skip",
        showlegend=False,
        meta={"curve": "ticks"},
    )


def upper_end(span: float, pattern_height: float) -> float:
    """Upper end of the panel of the difference, where the pattern's has that height and span."""
    return 0.5 * span * HEIGHT / pattern_height


def drawn(observed: np.ndarray) -> np.ndarray:
    """Points (m,) of a pattern (n,) that are drawn: all, or the least and the greatest of each few
    where there are more than a page can hold of all candidates."""
    return extremes(observed, _MOST_POINTS)


def extremes(intensity: np.ndarray, most: int) -> np.ndarray:
    """All points (n,), or the least and the greatest of each few where there are more than that."""
    n = len(intensity)
    if n <= most:
        return np.arange(n)
    few = np.array_split(np.arange(n), most // 2)
    ends = [(part[np.argmin(intensity[part])], part[np.argmax(intensity[part])]) for part in few]
    return np.unique(ends)


def packed(result: IndexingResult, most: int) -> dict[str, Any] | None:
    """The points of all candidates as the script of the page takes them; None without any.

    Numbers are whole ones of 16 bits in base64, from ``low`` on in steps of ``step``.
    """
    found = profiles(result, most)
    known = next((fit for fit in found if fit), None)
    if known is None:
        return None
    which = drawn(known.observed)
    curves = [known.observed[which], *(fit.calculated[which] for fit in found if fit)]
    low = min(float(curve.min()) for curve in curves)
    step = (max(float(curve.max()) for curve in curves) - low) / _STEPS or 1.0

    def whole(values: np.ndarray) -> str:
        return b64encode(np.rint((values - low) / step).astype("<u2")).decode("ascii")

    return {
        "low": low,
        "step": step,
        "ticks": _TICKS,
        "observed": whole(known.observed[which]),
        "calculated": [fit and whole(fit.calculated[which]) for fit in found],
    }


#: Shows the curves of another candidate, counted from 0.
SCRIPT = """
const stored = document.getElementById("curves");
const curves = stored ? JSON.parse(stored.textContent) : null;
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
function unpacked(text) {
  return Float64Array.from(new Uint16Array(bytes(text)), n => curves.low + n * curves.step);
}
function showProfile(chosen) {
  if (!curves) return;
  const own = curves.calculated[chosen];
  const calculated = own ? unpacked(own) : [];
  const difference = own ? unpacked(curves.observed).map((y, i) => y - calculated[i]) : [];
  const ticks = plot.data.find(t => t.meta && t.meta.candidate === chosen && !t.meta.selected);
  plot.data.forEach((trace, i) => {
    const curve = trace.meta && trace.meta.curve;
    if (curve === "calculated") Plotly.restyle(plot, {y: [calculated]}, [i]);
    if (curve === "difference") Plotly.restyle(plot, {y: [difference]}, [i]);
    if (curve === "ticks") {
      const x = Array.isArray(ticks.x) ? ticks.x : new Float32Array(bytes(ticks.x.bdata));
      const level = curves.ticks * plot.layout.yaxis2.range[1];
      Plotly.restyle(plot, {x: [x], y: [Array(x.length).fill(level)]}, [i]);
    }
  });
}
"""
