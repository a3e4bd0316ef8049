"""Tables and lists of the page; every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

#: Heading of a column; one that begins with this sign holds text, set to the left.
TEXT = "<"


def grid(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    classes: Sequence[str] = (),
    attributes: Sequence[str] = (),
) -> str:
    """A table of texts; columns to the right unless their heading begins with :data:`TEXT`.

    Args:
        headings: of the columns.
        rows: texts of the cells.
        classes: class of each row, none by default.
        attributes: HTML attributes of each row, written by the caller, not by a file.
    """
    left = [heading.startswith(TEXT) for heading in headings]
    head = "".join(
        _cell("th", heading.removeprefix(TEXT), is_left)
        for heading, is_left in zip(headings, left, strict=True)
    )
    body = ""
    for n, row in enumerate(rows):
        style = f' class="{escape(classes[n])}"' if n < len(classes) and classes[n] else ""
        more = f" {attributes[n]}" if n < len(attributes) else ""
        cells = "".join(_cell("td", t, is_left) for t, is_left in zip(row, left, strict=True))
        body += f"<tr{style}{more}>{cells}</tr>"
    table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table class="grid">{table}</table></div>'


def _cell(tag: str, text: str, is_left: bool) -> str:
    # Most cells are numbers: they need no class, which keeps pages small.
    kind = ' class="text"' if is_left else ""
    return f"<{tag}{kind}>{escape(text)}</{tag}>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what is said of them."""
    items = "".join(f"<dt>{escape(n)}</dt><dd>{escape(text)}</dd>" for n, text in pairs)
    return f'<dl class="facts">{items}</dl>'


def cards(pairs: Iterable[tuple[str, str]]) -> str:
    """The figures that matter most, side by side."""
    items = "".join(
        f'<div class="card"><span>{escape(n)}</span><b>{escape(text)}</b></div>'
        for n, text in pairs
        if text
    )
    return f'<div class="cards">{items}</div>'
