"""The figure of a result: pattern or sticks, and tick marks of every candidate below it."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from typing import Any, Protocol

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.indexing.profile import CandidateProfile
from mlindex.indexing.result import Candidate, IndexingResult
from mlindex.patterns.measured import MeasuredPattern
from mlindex.reports import axes
from mlindex.reports.colours import BLUE, GREEN, GREY, ORANGE, SERIES
from mlindex.reports.panels import Figure, panels
from mlindex.reports.result.notation import lattice_symbol, miller, signed
from mlindex.reports.result.phases import known_phases
from mlindex.reports.result.profile_plot import HEIGHT as DIFFERENCE_HEIGHT
from mlindex.reports.result.profile_plot import (
    add_curves,
    add_ticks,
    drawn,
    extremes,
    profiles,
    upper_end,
)
from mlindex.reports.result.view import Axis, Predicted, candidate_lines, predicted

#: Points of a pattern that are drawn; more than a screen has, even where it is enlarged.
_MOST_POINTS = 12_000
#: Candidates that get a row of ticks.
MOST_ROWS = 20
_TOP_HEIGHT, _ROW_HEIGHT, _MARGINS = 330, 26, 120
#: The first view goes this far beyond the last line used, as a share of the range.
_VIEW_BEYOND = 0.08
_INK, _RED = "#343a40", "#c92a2a"
_PALE_BLUE, _PALE_ORANGE = "#a5c8ff", "#ffc9a3"
_DIMMED = 0.35
_PHASE_COLOURS = SERIES[3:]


class PatternFit(Protocol):
    """What a peak search may give beside the peaks, each (m,) on the pattern's 2theta."""

    background: np.ndarray
    fitted: np.ndarray


def axis_of(result: IndexingResult, pattern: MeasuredPattern | None) -> Axis:
    """2theta where list or pattern state the wavelength, else 1/d."""
    known = result.peaks.wavelength_A or (pattern.wavelength_A if pattern is not None else None)
    return Axis(known)


def figure_of(
    result: IndexingResult,
    pattern: MeasuredPattern | None,
    fit: PatternFit | None,
    axis: Axis,
    selected: int = 0,
) -> Figure:
    """The figure, as wide as the page.

    Traces of one candidate carry its number in ``meta``: its ticks are always there, its guides
    and unindexed lines (``meta.selected``) only when it is the one selected, at first number
    ``selected`` counted from 0.
    """
    shown = result.candidates[:MOST_ROWS]
    if pattern is not None and axis.of_pattern(pattern) is None:
        pattern = None
    fits = profiles(result, MOST_ROWS) if pattern is not None else []
    heights_px = [_TOP_HEIGHT]
    heights_px += [DIFFERENCE_HEIGHT] if fits else []
    heights_px += [_ROW_HEIGHT * len(shown) + 10] if shown else []
    fig = panels(heights_px, 0.02)
    heights = _heights(result, pattern, axis)
    base, top = _vertical_range(result, pattern, heights, axis)
    end = _end(result, pattern, axis)
    for number, candidate in enumerate(shown):
        # Hundreds of lines of each candidate beyond the view would make pages large to no purpose.
        last = end if number == 0 else min(end, _view(result, axis)[1])
        lines = predicted(candidate, _q2_at(float(candidate.shift.taken_off(last)), axis))
        chosen = number == selected
        _guides(fig, number, candidate, lines, axis, (base, top), chosen)
        _ticks(fig, len(heights_px), number, candidate, result, lines, axis, chosen)
        if fits and chosen:
            positions = axis.positions(lines.q2_inv_A2, candidate.shift)
            add_ticks(fig, positions, upper_end(top - base, _TOP_HEIGHT))
    _measured(fig, pattern, None if fits else fit, axis)
    if fits:
        _profile(fig, fits, selected, pattern, axis)
    _peaks(fig, result, heights, axis, base if pattern is None else None)
    for number, candidate in enumerate(shown):
        _unindexed(fig, number, candidate, result, heights, axis, number == selected)
    _layout(fig, result, axis, (base, top), heights_px)
    return fig


def _profile(
    fig: Figure,
    fits: list[CandidateProfile | None],
    selected: int,
    pattern: MeasuredPattern,
    axis: Axis,
) -> None:
    """Calculated pattern and difference of the candidate selected."""
    known = next(fit for fit in fits if fit)
    which = drawn(known.observed)
    at, seen = known.two_theta_deg[which], known.observed[which]
    points = replace(pattern, two_theta_deg=at, intensity=seen, error=None)
    add_curves(fig, fits[selected], which, axis.of_pattern(points))


def _heights(result: IndexingResult, pattern: MeasuredPattern | None, axis: Axis) -> np.ndarray:
    """Where the marks of the observed lines stand (n,): on the pattern, or at their intensity."""
    peaks = result.peaks
    if pattern is not None:
        positions = axis.positions(peaks.q2_inv_A2)
        return np.interp(positions, axis.of_pattern(pattern), pattern.intensity)
    return np.ones(len(peaks)) if peaks.intensity is None else np.asarray(peaks.intensity, float)


def _used(result: IndexingResult) -> np.ndarray:
    """Which lines of the list (n,) some candidate was found with; all if there is none."""
    if not result.candidates:
        return np.ones(len(result.peaks), dtype=bool)
    used = np.zeros(len(result.peaks), dtype=bool)
    for candidate in result.candidates:
        used[candidate.lines] = True
    return used


def _view(result: IndexingResult, axis: Axis) -> tuple[float, float]:
    """The first view: the lines used and a little more."""
    positions = axis.positions(result.peaks.q2_inv_A2[_used(result)])
    positions = positions[np.isfinite(positions)]
    if not len(positions):
        return 0.0, 1.0
    beyond = _VIEW_BEYOND * (positions[-1] - positions[0] or positions[-1])
    return max(positions[0] - 1.5 * beyond, 0.0), positions[-1] + beyond


def _vertical_range(
    result: IndexingResult, pattern: MeasuredPattern | None, heights: np.ndarray, axis: Axis
) -> tuple[float, float]:
    if pattern is None:
        return 0.0, 1.1 * float(max(heights.max(initial=0.0), 1e-9))
    low, high = _view(result, axis)
    x = axis.of_pattern(pattern)
    inside = (x >= low) & (x <= high)
    intensity = pattern.intensity[inside] if inside.any() else pattern.intensity
    bottom, top = float(intensity.min()), float(intensity.max())
    span = top - bottom or 1.0
    return max(bottom - 0.04 * span, min(bottom, 0.0)), top + 0.1 * span


def _end(result: IndexingResult, pattern: MeasuredPattern | None, axis: Axis) -> float:
    """How far calculated lines are drawn: the measured range, or the view without a pattern."""
    view = _view(result, axis)[1]
    return view if pattern is None else max(float(axis.of_pattern(pattern)[-1]), view)


def _q2_at(position: float, axis: Axis) -> float:
    if axis.wavelength_A:
        return float(q2_from_two_theta(min(position, 180.0), axis.wavelength_A))
    return position**2


def _sticks(positions: np.ndarray, low: float, high: np.ndarray | float) -> dict[str, np.ndarray]:
    """Vertical strokes as one broken line."""
    x = np.repeat(positions, 3)
    y = np.column_stack([np.full(len(positions), low), np.broadcast_to(high, positions.shape)])
    return {"x": x, "y": np.column_stack([y, np.full(len(positions), np.nan)]).ravel()}


def _seen_end(candidate: Candidate) -> float:
    return float(candidate.q2_corrected_inv_A2.max(initial=0.0))


def _add(fig: Figure, row: int, **scatter: Any) -> None:
    fig.add_scatter(row, **scatter)


def _guides(
    fig: Figure,
    number: int,
    candidate: Candidate,
    lines: Predicted,
    axis: Axis,
    span: tuple[float, float],
    chosen: bool,
) -> None:
    """Faint strokes through the pattern at the calculated lines of the range used."""
    positions = axis.positions(lines.q2_inv_A2, candidate.shift)
    explained = lines.line >= 0
    inside = lines.q2_inv_A2 <= _seen_end(candidate)
    for which, colour in ((explained, _PALE_BLUE), (inside & ~explained, _PALE_ORANGE)):
        _add(
            fig,
            1,
            **_sticks(positions[which], *span),
            mode="lines",
            line={"color": colour, "width": 1},
            hoverinfo="skip",
            showlegend=False,
            visible=chosen,
            meta={"candidate": number, "selected": True},
        )


def _ticks(
    fig: Figure,
    row: int,
    number: int,
    candidate: Candidate,
    result: IndexingResult,
    lines: Predicted,
    axis: Axis,
    chosen: bool,
) -> None:
    observed = candidate_lines(result.peaks, candidate, axis)
    inside = lines.q2_inv_A2 <= _seen_end(candidate)
    colours = np.where(lines.line >= 0, BLUE, np.where(inside, ORANGE, GREY))
    calculated = axis.positions(lines.q2_inv_A2)
    texts = []
    for hkl, line, within in zip(lines.hkl, lines.line, inside, strict=True):
        remark = "predicted, not observed" if within else "beyond the lines used"
        if line >= 0:
            difference = signed(float(observed.difference[line]), axis.decimals)
            remark = f"line {observed.number[line]}, obs − calc {difference} {axis.unit}"
        texts.append(f"<b>{miller(hkl)}</b><br>{remark}")
    _add(
        fig,
        row,
        x=axis.positions(lines.q2_inv_A2, candidate.shift),
        y=np.full(len(calculated), number + 1),
        mode="markers",
        marker={
            "symbol": "line-ns",
            "size": 15,
            "line": {"width": 1.6, "color": list(colours)},
        },
        opacity=1.0 if chosen else _DIMMED,
        text=texts,
        customdata=calculated,
        hovertemplate=f"%{{text}}<br>{axis.name} %{{customdata:.{axis.decimals}f}}<extra></extra>",
        showlegend=False,
        meta={"candidate": number, "selected": False},
    )


def _measured(
    fig: Figure, pattern: MeasuredPattern | None, fit: PatternFit | None, axis: Axis
) -> None:
    if pattern is None:
        return
    x = axis.of_pattern(pattern)
    shown = extremes(pattern.intensity, _MOST_POINTS)
    curves = [("measured", pattern.intensity, {"color": _INK, "width": 1.1})]
    if fit is not None:
        curves.append(("fitted", fit.fitted, {"color": GREEN, "width": 1.1}))
        curves.append(("background", fit.background, {"color": GREY, "width": 1, "dash": "dash"}))
    for name, y, line in curves:
        _add(
            fig,
            1,
            x=x[shown],
            y=y[shown],
            mode="lines",
            name=name,
            line=line,
            hoverinfo="skip",
        )


def _peaks(
    fig: Figure,
    result: IndexingResult,
    heights: np.ndarray,
    axis: Axis,
    stick_base: float | None,
) -> None:
    """Marks of the observed lines, with strokes from ``stick_base`` where there is no pattern."""
    peaks = result.peaks
    positions = axis.positions(peaks.q2_inv_A2)
    used = _used(result)
    known, of_phases = np.zeros(len(peaks), dtype=bool), []
    for phase, colour in zip(known_phases(result), cycle(_PHASE_COLOURS)):
        its = np.isin(np.arange(len(peaks)), phase.lines) & ~used
        of_phases.append((its & ~known, phase.name, colour))
        known |= its
    groups = [(used, "lines used", BLUE), (~used & ~known, "lines not used", GREY), *of_phases]
    for which, name, colour in groups:
        if not which.any():
            continue
        if stick_base is not None:
            _add(
                fig,
                1,
                **_sticks(positions[which], stick_base, heights[which]),
                mode="lines",
                line={"color": _INK if name == "lines used" else GREY, "width": 1.6},
                hoverinfo="skip",
                showlegend=False,
            )
        numbers = np.flatnonzero(which)
        texts = [_peak_text(result, int(i), axis) for i in numbers]
        _add(
            fig,
            1,
            x=positions[which],
            y=heights[which],
            mode="markers",
            name=name,
            marker={"symbol": "triangle-down", "size": 8, "color": colour},
            text=texts,
            hovertemplate="%{text}<extra></extra>",
        )


def _peak_text(result: IndexingResult, line: int, axis: Axis) -> str:
    q2 = result.peaks.q2_inv_A2[line]
    position = axis.text(float(axis.positions(q2)))
    return f"<b>line {line + 1}</b><br>{axis.name} {position}<br>d {1 / np.sqrt(q2):.4f} Å"


def _unindexed(
    fig: Figure,
    number: int,
    candidate: Candidate,
    result: IndexingResult,
    heights: np.ndarray,
    axis: Axis,
    chosen: bool,
) -> None:
    lost = candidate.lines[~candidate.indexed]
    positions = axis.positions(result.peaks.q2_inv_A2[lost])
    _add(
        fig,
        1,
        x=positions,
        y=heights[lost],
        mode="markers",
        name="not indexed",
        marker={"symbol": "x", "size": 9, "color": _RED},
        text=[f"{_peak_text(result, int(i), axis)}<br>not indexed" for i in lost],
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(len(lost)),
        visible=chosen,
        meta={"candidate": number, "selected": True},
    )


def _layout(
    fig: Figure,
    result: IndexingResult,
    axis: Axis,
    span: tuple[float, float],
    heights_px: list[int],
) -> None:
    shown = result.candidates[:MOST_ROWS]
    fig.layout.update(
        {
            "height": sum(heights_px) + _MARGINS,
            "margin": {"l": 62, "r": 16, "t": 72, "b": 48},
            "modebar": {"remove": ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"]},
            "font": {"size": 12},
            "hovermode": "closest",
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.01,
                "yanchor": "bottom",
            },
            "hoverlabel": {"align": "left"},
        }
    )
    last = len(heights_px)
    spikes = {"showspikes": True, "spikemode": "across", "spikethickness": 1, "spikedash": "dot"}
    for row in range(1, last + 1):
        view = {"range": list(_view(result, axis)), "spikecolor": "#adb5bd", "showgrid": False}
        fig.x_axis(row).update(view | spikes)
    fig.x_axis(last)["title"] = {"text": axis.title}
    top = {"title": {"text": axes.INTENSITY}, "range": list(span), "zeroline": False}
    if result.peaks.intensity is None and not any(t.get("name") == "measured" for t in fig.data):
        top |= {"showticklabels": False, "title": {"text": "lines without intensities"}}
    fig.y_axis(1).update(top)
    if last > (2 if shown else 1):
        end = upper_end(span[1] - span[0], _TOP_HEIGHT)
        fig.y_axis(2).update({"title": {"text": axes.DIFFERENCE}, "range": [-end, end]})
    if shown:
        fig.y_axis(last).update(
            {
                "tickvals": list(range(1, len(shown) + 1)),
                "ticktext": [f"{n}  {lattice_symbol(c)}" for n, c in enumerate(shown, 1)],
                "range": [len(shown) + 0.6, 0.4],
                "fixedrange": True,
                "zeroline": False,
            }
        )
