"""The symmetry of patterns on the terminal: ranked classes, and what is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlindex.base.names import printable
from mlindex.classification.answer import Answer
from mlindex.reports.result.notation import percent
from mlindex.reports.symmetry.words import LEVEL_WORDS, headline, lattice_words

if TYPE_CHECKING:
    from rich.console import Console

#: Levels that the table shows side by side, and how their classes are written.
_SHOWN = ("bravais", "extinction_symbol", "space_group")
_GOOD, _WARNING = "bold green", "bold yellow"


def show(answer: Answer, rows: int = 5, console: Console | None = None) -> None:
    """Print an answer so that it fits 80 columns.

    Args:
        answer: of one pattern.
        rows: classes of each level, at most.
        console: where to, standard output by default.
    """
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    for note in answer.notes:
        _say(console, f"note: {note}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for level in _SHOWN:
        table.add_column(LEVEL_WORDS[level], no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    columns = [answer.ranked(level, rows) for level in _SHOWN]
    for rank in range(max(map(len, columns))):
        cells = [one[rank] if rank < len(one) else None for one in columns]
        table.add_row(*(text for pair in zip(_SHOWN, cells, strict=True) for text in _cells(*pair)))
    console.print(table)
    console.print()
    if missing := _unlearned(answer):
        _say(console, missing)
    _say(console, headline(answer), _GOOD if answer.above_chance else _WARNING)


def line(answer: Answer) -> str:
    """An answer in one line, for a list of many."""
    chosen = answer.downward
    shares = {level: dict(answer.ranked(level)) for level in _SHOWN}
    classes = ", ".join(
        f"{chosen[level]} {percent(shares[level][chosen[level]])}" for level in _SHOWN
    )
    aside = "" if answer.above_chance else "no class stands out; "
    return printable(f"{answer.name}: {aside}{classes}")


def _cells(level: str, one: tuple[str, float] | None) -> tuple[str, str]:
    if one is None:
        return "", ""
    name, share = one
    return lattice_words(name) if level == "bravais" else name, percent(share)


def _unlearned(answer: Answer) -> str:
    """What the classifier has not learnt, if anything."""
    if "bravais" not in answer.learned:
        return "This classifier has not learnt the Bravais lattice: all 14 are equally probable."
    if "extinction_symbol" not in answer.learned:
        return (
            "This classifier has not learnt the extinction symbol: within a lattice symbols are "
            "ranked by how often they are met."
        )
    return ""


def _say(console: Console, text: str, style: str = "") -> None:
    # Names and notes come from files: no markup and no control character of theirs may act.
    console.print(printable(text), style=style, markup=False, highlight=False)
