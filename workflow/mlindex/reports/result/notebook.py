"""A result in a notebook: a table of its cells, data frames of its tables, its figure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing
from mlindex.indexing.result import IndexingResult, Views, show_with

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from mlindex.patterns.measured import MeasuredPattern

#: Candidates in the table of a notebook.
_ROWS = 10


def html(result: IndexingResult) -> str:
    """The verdict and a table of the first cells, as HTML."""
    from mlindex.reports.result.candidates import ranked
    from mlindex.reports.result.markup import grid
    from mlindex.reports.result.plot import axis_of
    from mlindex.reports.result.view import headline

    text = f"<p><b>{escape(headline(result))}</b><br>{escape(result.reason)}</p>"
    if not result.candidates:
        return text
    headings, rows = ranked(result, axis_of(result, None), _ROWS)
    more = len(result.candidates) - len(rows)
    return text + grid(headings, rows) + (f"<p>{more} more candidates.</p>" if more else "")


def frame(result: IndexingResult, table: str) -> pd.DataFrame:
    """One of the declared tables of a result as a data frame.

    Raises:
        MlindexError: there is no such table, or pandas is not installed.
    """
    from mlindex.reports.result.data import as_data
    from mlindex.reports.result.parquet import rows_of

    tables = {declared.name: (declared, rows) for declared, rows in rows_of(as_data(result))}
    if table not in tables:
        raise MlindexError(f"no table {table!r} in a result: choose one of {', '.join(tables)}")
    declared, rows = tables[table]
    with needing("a data frame"):
        import pandas  # noqa: F401
    return declared.arrow(rows).to_pandas()


def figure(result: IndexingResult, candidate: int, pattern: MeasuredPattern | None) -> go.Figure:
    """The figure of the page with one candidate laid over the pattern.

    Raises:
        MlindexError: there is no candidate of that rank, or plotly is not installed.
    """
    from mlindex.reports.result.plot import MOST_ROWS, axis_of, figure_of

    shown = min(len(result.candidates), MOST_ROWS)
    if shown and not 1 <= candidate <= shown:
        raise MlindexError(f"no candidate {candidate} in the figure: choose one from 1 to {shown}")
    axis = axis_of(result, pattern)
    fig = figure_of(result, pattern, None, axis, candidate - 1)
    with needing("a figure"):
        import plotly.graph_objects as go
    return go.Figure(fig.data, fig.layout | {"template": "plotly_white"})


show_with(Views(html, frame, figure))
