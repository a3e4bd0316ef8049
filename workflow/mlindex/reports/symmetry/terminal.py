"""The symmetry of patterns on the terminal: ranked classes, and what is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlindex.base.names import printable
from mlindex.classification.answer import Answer
from mlindex.crystal.symmetry_classes import lattice_and_symbol
from mlindex.reports.result.notation import percent
from mlindex.reports.symmetry.words import LEVEL_WORDS, headline, lattice_words

if TYPE_CHECKING:
    from rich.console import Console

#: Levels that the table shows side by side, and how their classes are written.
_SHOWN = ("bravais", "extinction_symbol", "space_group")
_HEADS = {level: (LEVEL_WORDS[level],) for level in _SHOWN}
_HEADS["extinction_symbol"] += ("of",)
#: No cell is searched for with fewer lines.
_FEWEST = 4
_GOOD, _WARNING = "bold green", "bold yellow"


def show(answer: Answer, rows: int = 5, console: Console | None = None, command: str = "") -> None:
    """Print an answer so that it fits 80 columns.

    Args:
        answer: of one pattern.
        rows: classes of each level, at most.
        console: where to, standard output by default.
        command: what to type next where nothing stands out.
    """
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    for note in answer.notes:
        _say(console, f"note: {note}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    columns = [answer.ranked(level, rows) for level in _SHOWN]
    for level in _SHOWN:
        for head in _HEADS[level]:
            table.add_column(head, no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    for rank in range(max(map(len, columns))):
        of_rank = [one[rank] if rank < len(one) else None for one in columns]
        cells = (_cells(level, one) for level, one in zip(_SHOWN, of_rank, strict=True))
        table.add_row(*(text for own in cells for text in own))
    console.print(table)
    console.print()
    if missing := _unlearned(answer):
        _say(console, missing)
    _say(console, headline(answer), _GOOD if answer.above_chance else _WARNING)
    if not answer.above_chance and answer.n_lines < _FEWEST:
        _say(console, "So few lines tell no lattices apart: measure to higher angles.")
    elif command and not answer.above_chance:
        _say(console, "A cell may be found all the same:")
        # In one line, to be copied.
        console.print(f"    {printable(command)}", markup=False, highlight=False, soft_wrap=True)


def line(answer: Answer) -> str:
    """An answer in one line, for a list of many."""
    chosen = answer.downward
    shares = {level: dict(answer.ranked(level)) for level in _SHOWN}
    # The lattice of the symbol stands before it.
    short = {**chosen, "extinction_symbol": lattice_and_symbol(chosen["extinction_symbol"])[1]}
    classes = ", ".join(
        f"{short[level]} {percent(shares[level][chosen[level]])}" for level in _SHOWN
    )
    aside = "" if answer.above_chance else "no class stands out; "
    return printable(f"{answer.name}: {aside}{classes}")


def _cells(level: str, one: tuple[str, float] | None) -> tuple[str, ...]:
    if one is None:
        return ("",) * (len(_HEADS[level]) + 1)
    name, share = one
    return *_words(level, name), percent(share)


def _words(level: str, name: str) -> tuple[str, ...]:
    """A class in the columns of its level."""
    if level == "bravais":
        return (lattice_words(name),)
    if level == "extinction_symbol":
        lattice, symbol = lattice_and_symbol(name)
        return symbol, lattice
    return (name,)


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
