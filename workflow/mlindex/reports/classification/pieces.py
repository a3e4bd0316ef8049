"""What the sections share: shares in words, figures as wide as the page, parts by level."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go

from mlindex.base.statistics import wilson_interval
from mlindex.crystal.symmetry_classes import lattice_and_symbol
from mlindex.reports.classification.inputs import ClassifierData, LevelTables
from mlindex.reports.html import figure, heading, note
from mlindex.reports.plotting import finish

NOTHING = "No classifier was trained, so that there is nothing to show."


def percent(share: float, low: float, high: float) -> str:
    """A share with its interval: ``85.1 (83.0 to 87.1)``, in per cent."""
    return f"{100 * share:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def share_of(count: int, whole: int) -> str:
    """The share of a sentence, from counts: ``85.1 % (83.0 to 87.1)``; whole is at least 1."""
    number, interval = percent(count / whole, *wilson_interval(count, whole)).split(" ", 1)
    return f"{number} % {interval}"


def p_value(p: float) -> str:
    """A probability in words: small ones as a bound."""
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def drawn(fig: go.Figure, height: int) -> str:
    """A figure that is as wide as the page, with its buttons above the legend."""
    legend = {"y": 1.02, "yref": "paper", "yanchor": "bottom"}
    layout = {"width": None, "margin_t": 80, "legend": legend}
    return figure(finish(fig, height + 20).update_layout(**layout))


def apart(frame: pd.DataFrame, level: str, *columns: str) -> pd.DataFrame:
    """Names of extinction symbols without their lattice, which gets a column of its own before."""
    if level != "extinction_symbol" or frame.empty:
        return frame
    for name in columns:
        lattices, symbols = zip(*map(lattice_and_symbol, frame[name]), strict=True)
        head = "lattice" if name == "class" else f"{name} lattice"
        frame = frame.assign(**{name: symbols})
        frame.insert(list(frame).index(name), head, lattices)
    return frame


def by_level(data: ClassifierData, part: Callable[[LevelTables], str], lead: str) -> str:
    """A section: what it shows, then a part for each level that has a classifier."""
    if not data.trained:
        return note(NOTHING)
    return note(lead) + "".join(heading(one.title) + part(one) for one in data.trained)
