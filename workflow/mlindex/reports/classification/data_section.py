"""The section on the examples: how many there are of each class."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mlindex.classification.summary import FEW, HEAD, MANY, MIDDLE, TAIL, class_counts
from mlindex.crystal.symmetry_classes import LEVELS, classes_of
from mlindex.reports.classification.inputs import ClassifierData, level_title
from mlindex.reports.classification.pieces import apart, drawn
from mlindex.reports.colours import BLUE, GREY, ORANGE
from mlindex.reports.html import fold, heading, note, table

_COLOURS = {HEAD: BLUE, MIDDLE: GREY, TAIL: ORANGE}
#: With more classes their names have no room on an axis.
_NAMED = 40
#: Where the largest class is so many times the smallest, the axis is logarithmic.
_WIDE = 20


def data_section(data: ClassifierData) -> str:
    """Lists, crystals, and the size of the classes of every level."""
    frame = data.examples
    if frame.empty:
        return note("There are no examples.")
    measured = int((frame["measurement"] > 0).sum())
    body = note(
        f"{frame['entry_id'].nunique():,} crystals gave {len(frame) - measured:,} lists of lines "
        f"as calculated and {measured:,} as a measurement finds them."
    )
    body += note(
        f"A class belongs to the head with more than {MANY} crystals, to the tail with fewer than "
        f"{FEW}, else to the middle (many, medium and few shots of Liu et al. 2019, CVPR, 2537). A "
        "learner that is right on the head alone can look good and know nothing of the tail."
    )
    return body + "".join(_level(frame, level) for level in LEVELS)


def _level(frame: pd.DataFrame, level: str) -> str:
    counts = class_counts(frame, level)
    total, largest = counts["crystals"].sum(), counts.iloc[0]
    text = (
        f"{len(counts)} of {len(classes_of(level))} classes occur. The largest, "
        f"{largest['class']}, has {100 * largest['crystals'] / total:.1f} % of the crystals."
    )
    parts = counts.groupby("part", sort=False).agg(
        classes=("class", "size"), crystals=("crystals", "sum"), lists=("lists", "sum")
    )
    return (
        heading(level_title(level))
        + note(text)
        + table(parts.reset_index())
        + drawn(_bars(counts), 330)
        + fold("All classes", table(apart(counts, level, "class")))
    )


def _bars(counts: pd.DataFrame) -> go.Figure:
    """A bar for each class, by size, coloured by part."""
    fig = go.Figure()
    for part, rows in counts.groupby("part", sort=False):
        fig.add_bar(
            x=rows["class"].tolist(),
            y=rows["crystals"].tolist(),
            name=str(part),
            marker_color=_COLOURS[str(part)],
        )
    wide = counts["crystals"].max() > _WIDE * counts["crystals"].min()
    fig.update_yaxes(title="crystals", type="log" if wide else "linear")
    # Names of classes such as "1" are no numbers.
    order = counts["class"].tolist()
    fig.update_xaxes(type="category", categoryorder="array", categoryarray=order)
    fig.update_xaxes(title="classes by size", showticklabels=len(counts) <= _NAMED)
    return fig.update_layout(showlegend=True)
