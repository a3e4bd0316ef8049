"""The symmetry of a result without a convincing cell, on the terminal and on the page."""

from __future__ import annotations

from mlindex.indexing.result import SymmetryShares
from mlindex.reports.result.markup import grid
from mlindex.reports.result.notation import percent

#: Classes of each level named on the terminal.
_NAMED = 3
_LEVELS = {
    "bravais": "Bravais lattice",
    "extinction_symbol": "extinction symbol",
    "space_group": "space group",
}
_MEANING = (
    "By the cells found and by a classifier that looks at the lines alone (mlindex symmetry), "
    "joined. Of the classes of one level one is right: their probabilities add up to 1."
)


def symmetry_facts(shares: SymmetryShares) -> list[tuple[str, str]]:
    """Label and text of each level."""
    texts = {
        level: ", ".join(
            f"{name} {percent(share)}" for name, share in getattr(shares, level)[:_NAMED]
        )
        for level in _LEVELS
    }
    return [
        ("Symmetry", "by the cells found and the lines alone, joined"),
        *((f"  {_LEVELS[level]}", text) for level, text in texts.items()),
    ]


def symmetry_section(shares: SymmetryShares) -> str:
    """The section of the page."""
    from mlindex.reports.html import note

    headings = [text for name in _LEVELS.values() for text in (f"<{name}", "probability")]
    most = max(len(getattr(shares, level)) for level in _LEVELS)
    rows = [
        [text for level in _LEVELS for text in _cells(getattr(shares, level), rank)]
        for rank in range(most)
    ]
    return note(_MEANING) + grid(headings, rows)


def _cells(ranked: tuple[tuple[str, float], ...], rank: int) -> tuple[str, str]:
    if rank >= len(ranked):
        return "", ""
    name, share = ranked[rank]
    return name, percent(share)
