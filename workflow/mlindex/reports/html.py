"""Small pieces of the page: tables, figures, sections."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from mlindex.base.packaged import packaged

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from mlindex.reports.panels import Figure

#: plotly.js with scatter, bar and pie alone (npm: plotly.js-basic-dist-min), packed, as it is in
#: the page too: a page of a result is to stay below 1.5 MB. And the looks of all figures: what
#: they need of the template plotly_white.
_BASIC = packaged(__file__, "plotly-basic.min.js.gz")
_TEMPLATE = packaged(__file__, "template.json")

_STYLE = """
:root { --ink: #1f2933; --soft: #616e7c; --line: #e4e7eb; --accent: #1f6feb; --paper: #ffffff; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #f5f7fa; margin: 0; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 32px 64px; background: var(--paper); }
h1 { font-size: 28px; margin: 8px 0 4px; } h2 { margin: 40px 0 8px; padding-top: 12px;
border-top: 1px solid var(--line); } h3 { margin: 24px 0 4px; }
p.note { color: var(--soft); margin: 4px 0 12px; max-width: 90ch; }
p.warning { background: #fff3bf; border-left: 4px solid #e8590c; padding: 8px 12px; }
p.good { color: #2b8a3e; margin: 4px 0 12px; }
nav a { margin-right: 14px; color: var(--accent); text-decoration: none; white-space: nowrap;
display: inline-block; }
.scroll { overflow: auto; max-height: 560px; }
.figure { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 8px 0 16px; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: left;
vertical-align: top; }
th { position: sticky; top: 0; background: #f5f7fa; font-weight: 600; }
th.number, td.number { text-align: right; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td { max-width: 460px; overflow-wrap: break-word; }
summary { cursor: pointer; font-weight: 600; padding: 6px 0; }
pre { font-size: 12px; background: #f5f7fa; padding: 12px; overflow-x: auto; }
"""
#: A figure in a folded part has no size until the part is opened, so it is drawn only then.
_SCRIPT = """
const template = JSON.parse(document.getElementById("template").textContent);
function draw() {
  for (const box of document.querySelectorAll(".figure:not([data-drawn])")) {
    if (box.closest("details:not([open])")) continue;
    box.dataset.drawn = "1";
    const fig = JSON.parse(box.nextElementSibling.textContent);
    const config = {displaylogo: false, responsive: !fig.layout.width};
    Plotly.newPlot(box, fig.data, {...fig.layout, template}, config);
  }
}
async function unpack() {
  const packed = document.getElementById("library");
  if (!packed) return;
  const bytes = Uint8Array.from(atob(packed.textContent), letter => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.text = await new Response(plain).text();
  document.head.append(script);
}
async function start(rest) {
  await unpack();
  document.querySelectorAll("details").forEach(part => part.addEventListener("toggle", draw));
  draw();
  rest();
}
"""


def page(
    title: str,
    lead: str,
    sections: Sequence[tuple[str, str]],
    top: str = "",
    style: str = "",
    script: str = "",
    library: str | None = None,
) -> str:
    """The whole page from (heading, body) pairs; scripts and styles are inside it.

    ``top`` goes between lead and sections; ``style`` and ``script`` are added to those of all
    pages, the script behind them, when the figures have been drawn. ``library`` is the text of
    plotly.js where the figures need more than points, lines and bars.
    """
    links = "".join(f'<a href="#s{i}">{escape(h)}</a>' for i, (h, _) in enumerate(sections))
    bodies = "".join(
        f'<section id="s{i}"><h2>{escape(h)}</h2>{body}</section>'
        for i, (h, body) in enumerate(sections)
    )
    template = _data(json.loads(_TEMPLATE.read_text(encoding="utf-8")))
    plotting = f"<script>{library}</script>" if library else _packed()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style>"
        f"{plotting}</head><body><main><h1>{escape(title)}</h1>"
        f'<p class="note">{escape(lead)}</p>{top}<nav>{links}</nav>{bodies}</main>'
        f'<script type="application/json" id="template">{template}</script>'
        f"<script>{_SCRIPT}start(() => {{{script}}});</script></body></html>"
    )


def _packed() -> str:
    text = b64encode(_BASIC.read_bytes()).decode("ascii")
    return f'<script type="text/plain" id="library">{text}</script>'


def note(text: str) -> str:
    """A paragraph that explains what follows."""
    return f'<p class="note">{escape(text)}</p>'


def warning(text: str) -> str:
    """A paragraph that reports a fault."""
    return f'<p class="warning">{escape(text)}</p>'


def good(text: str) -> str:
    """A paragraph that says that a check was passed."""
    return f'<p class="good">{escape(text)}</p>'


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def fold(title: str, body: str, is_open: bool = False) -> str:
    """A part that can be folded away."""
    state = " open" if is_open else ""
    return f"<details{state}><summary>{escape(title)}</summary>{body}</details>"


def code(text: str) -> str:
    """Text as it stands."""
    return f"<pre>{escape(text)}</pre>"


def table(frame: pd.DataFrame, empty: str = "Nothing to show.") -> str:
    """A frame as a table, numbers to the right."""
    from pandas.api.types import is_numeric_dtype

    if frame.empty:
        return note(empty)
    numeric = [is_numeric_dtype(dtype) for dtype in frame.dtypes]
    head = "".join(
        f"<th{_NUMBER if number else ''}>{escape(str(name).replace('_', ' '))}</th>"
        for name, number in zip(frame.columns, numeric, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(_cell(value) for value in row) + "</tr>"
        for row in frame.itertuples(index=False)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


_NUMBER = ' class="number"'


def _cell(value: object) -> str:
    if value is None or value != value:
        return "<td></td>"
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"<td{_NUMBER}>{_number(float(value))}</td>"
    if isinstance(value, bool | np.bool_):
        return f"<td>{'yes' if value else ''}</td>"
    return f"<td>{escape(str(value))}</td>"


def _number(value: float) -> str:
    if value.is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def figure(fig: Figure | go.Figure) -> str:
    """A figure as a part of the page: its data, drawn by the script of the page.

    One without a width takes that of the page, and follows it.
    """
    plain = vars(fig) if isinstance(fig.layout, dict) else json.loads(fig.to_json())
    layout = plain["layout"]
    # The one template of the page is put in again when the figure is drawn.
    layout.pop("template", None)
    width = f"{layout['width']}px" if "width" in layout else "100%"
    size = f"width:{width};height:{layout['height']}px"
    return (
        f'<div class="figure" style="{size}"></div>'
        f'<script type="application/json">{_data(plain)}</script>'
    )


def data(name: str, plain: object) -> str:
    """Data of the page that its script finds by name."""
    return f'<script type="application/json" id="{escape(name)}">{_data(plain)}</script>'


def _data(plain: object) -> str:
    # A "</script>" inside a text must not end the element.
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    # What is no character, as in names of files, can't be written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8").replace("</", "<\\/")
