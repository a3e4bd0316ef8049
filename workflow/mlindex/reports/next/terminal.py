"""What to measure next on the terminal: the cells, the regions, and what each outcome means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlindex.base.names import printable
from mlindex.indexing.next.asking import NextRegions
from mlindex.reports.next.words import (
    alike_words,
    cell_words,
    how_words,
    letters,
    line_words,
    meaning_words,
    summary_words,
)
from mlindex.reports.result.notation import percent

if TYPE_CHECKING:
    from rich.console import Console

#: From this probability on that none of the cells is right, something else comes first.
_NONE = 0.5
_INDENT = 3


def show(found: NextRegions, console: Console | None = None) -> None:
    """Print what to measure next so that it fits 80 columns."""
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    cells = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head, justify in (("", "left"), ("prob", "right"), ("of", "left"), ("cell", "left")):
        cells.add_column(head, justify=justify)
    for number, (letter, rival) in enumerate(zip(letters(found), found.rivals, strict=True)):
        of = f"partner of {rival.rank}" if rival.is_partner else f"candidate {rival.rank}"
        share = percent(float(found.question.of_rivals[number]))
        cells.add_row(letter, share, of, printable(cell_words(found, number)))
    none = float(found.question.of_rivals[-1])
    cells.add_row("", percent(none), "", "none of them")
    console.print(cells)
    console.print()
    for order, region in enumerate(found.regions, 1):
        what = how_words(found, region)
        bits = f"{region.more_bits:.2f} of {found.entropy_bits:.2f} bits"
        _say(console, f"{order}. Measure {what}, in steps of {found.step_deg:g}: {bits}.", "bold")
        for line in line_words(found, region):
            _say(console, f"{meaning_words(found, line)}.", indent=_INDENT)
    if found.regions:
        console.print()
    for text in alike_words(found):
        _say(console, text)
    if none >= _NONE:
        _say(
            console,
            f"Most probably none of these cells is right ({percent(none)}): check wavelength, "
            "zero shift and impurities first.",
            "bold yellow",
        )
    _say(console, summary_words(found), "bold green" if found.regions else "bold yellow")


def _say(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    from rich.padding import Padding
    from rich.text import Text

    # Names come from files: no markup and no control character of theirs may act.
    console.print(Padding(Text(printable(text), style), (0, 0, 0, indent), expand=False))
