"""The section on what is wrong with the highest confidence, with pictures of the lines."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd

from mlindex.classification.summary import surest_mistakes
from mlindex.crystal.symmetry_classes import lattice_and_symbol
from mlindex.reports import axes
from mlindex.reports.classification.inputs import ClassifierData, LevelTables
from mlindex.reports.classification.pieces import by_level
from mlindex.reports.colours import BLUE
from mlindex.reports.html import note

_SHOWN = 12
_WIDTH, _HEIGHT = 260, 44
_HEAD = ("entry", "list", "true", "given", "probability", "of the true class", "lines")
STYLE = f"svg.lines {{ width: {_WIDTH}px; height: {_HEIGHT + 2}px; display: block; }}"


def mistakes_section(data: ClassifierData) -> str:
    """The wrong answers of the highest probability."""
    lead = (
        "Wrong answers of the highest probability, one list of each crystal. Sticks are the lines "
        f"against {axes.titled(axes.INVERSE_D, axes.INVERSE_A)}, from 0 to the end of the pattern, "
        "as high as the square root of the intensity."
    )
    return by_level(data, lambda level: _mistakes(data.examples, level), lead)


def _mistakes(examples: pd.DataFrame, level: LevelTables) -> str:
    wrong = surest_mistakes(level.own, _SHOWN)
    if wrong.empty:
        return note("No answer was wrong.")
    keys = ["entry_id", "measurement"]
    lists = examples[examples["entry_id"].isin(wrong["entry_id"])]
    shown = wrong.merge(lists, on=keys, how="left", validate="1:1")
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    rows = "".join(_row(row, level.level) for row in shown.itertuples())
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _row(row: object, level: str) -> str:
    kind = "as calculated" if row.measurement == 0 else f"measurement {row.measurement}"
    cells = (
        *(escape(text) for text in (row.entry_id, kind)),
        *(_class(name, level) for name in (row.true_class, row.predicted_class)),
        f"{row.probability:.3f}",
        f"{row.true_probability:.3f}",
        sticks(row.q2_inv_A2, row.intensity, row.last_q2_inv_A2),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _class(name: str, level: str) -> str:
    """A class; the lattice of an extinction symbol below it."""
    if level != "extinction_symbol":
        return escape(name)
    lattice, symbol = lattice_and_symbol(name)
    return f"{escape(symbol)}<br><small>{escape(lattice)}</small>"


def sticks(q2: np.ndarray, intensity: np.ndarray, last_q2: float) -> str:
    """Lines (n,) as sticks; "" where the list is not among the examples."""
    if not isinstance(q2, np.ndarray) or not len(q2):
        return ""
    x = _WIDTH * np.sqrt(q2 / max(last_q2, q2.max()))
    top = _HEIGHT * (1 - np.sqrt(np.clip(intensity / intensity.max(), 0, 1)))
    path = "".join(f"M{a:.1f} {_HEIGHT}V{b:.1f}" for a, b in zip(x, top, strict=True))
    return (
        f'<svg class="lines" viewBox="0 0 {_WIDTH} {_HEIGHT + 2}" role="img" '
        f'aria-label="{len(q2)} lines"><path d="{path}" stroke="{BLUE}" stroke-width="1.2" '
        f'fill="none"/><path d="M0 {_HEIGHT + 0.5}H{_WIDTH}" stroke="#868e96"/></svg>'
    )
