"""Small pieces of the page: tables, figures, sections."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import count

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

_STYLE = """
:root { --ink: #1f2933; --soft: #616e7c; --line: #e4e7eb; --accent: #1f6feb; --paper: #ffffff; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #f5f7fa; margin: 0; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 32px 64px; background: var(--paper); }
h1 { font-size: 28px; margin: 8px 0 4px; } h2 { margin: 40px 0 8px; padding-top: 12px;
border-top: 1px solid var(--line); } h3 { margin: 24px 0 4px; }
p.note { color: var(--soft); margin: 4px 0 12px; max-width: 80ch; }
nav a { margin-right: 14px; color: var(--accent); text-decoration: none; white-space: nowrap; }
.scroll { overflow-x: auto; max-height: 560px; overflow-y: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 8px 0 16px; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: left;
vertical-align: top; }
th { position: sticky; top: 0; background: #f5f7fa; font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
summary { cursor: pointer; font-weight: 600; padding: 6px 0; }
"""
_numbers = count()


def page(title: str, lead: str, sections: Sequence[tuple[str, str]]) -> str:
    """The whole page from (heading, body) pairs; scripts and styles are inside it."""
    links = "".join(f'<a href="#s{i}">{escape(h)}</a>' for i, (h, _) in enumerate(sections))
    bodies = "".join(
        f'<section id="s{i}"><h2>{escape(h)}</h2>{body}</section>'
        for i, (h, body) in enumerate(sections)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body><main><h1>{escape(title)}</h1>"
        f'<p class="note">{escape(lead)}</p><nav>{links}</nav>{bodies}</main></body></html>'
    )


def note(text: str) -> str:
    """A paragraph that explains what follows."""
    return f'<p class="note">{escape(text)}</p>'


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def fold(title: str, body: str, is_open: bool = False) -> str:
    """A part that can be folded away."""
    state = " open" if is_open else ""
    return f"<details{state}><summary>{escape(title)}</summary>{body}</details>"


def table(frame: pd.DataFrame, empty: str = "Nothing to show.") -> str:
    """A frame as a table, numbers to the right."""
    if frame.empty:
        return note(empty)
    head = "".join(f"<th>{escape(str(c))}</th>" for c in frame.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(value) for value in row) + "</tr>"
        for row in frame.itertuples(index=False)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    if value is None or value != value:
        return "<td></td>"
    if isinstance(value, float) and not value.is_integer():
        return f'<td class="number">{value:.4g}</td>'
    if isinstance(value, (int, float)) or hasattr(value, "item"):
        number = float(value)
        return (
            f'<td class="number">{number:,.0f}</td>'
            if number.is_integer()
            else (f'<td class="number">{number:.4g}</td>')
        )
    return f"<td>{escape(str(value))}</td>"


def figure(fig: go.Figure) -> str:
    """A figure as a part of the page, without a script of its own."""
    return fig.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure{next(_numbers)}",
        config={"displaylogo": False, "responsive": False},
    )
