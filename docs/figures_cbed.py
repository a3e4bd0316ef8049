"""Tables on convergent-beam patterns, for ``figures.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def blocks(
    record: Callable[[str], dict[str, Any]],
    table: Callable[..., str],
    source: Callable[[str], str],
    share: Callable[[int, int], str],
) -> dict[str, Callable[[], str]]:
    """Functions that write the blocks of this system, by the blocks' names.

    Args:
        record: what a benchmark wrote, by its name.
        table: a table from its head and its rows.
        source: how the figures of a record were measured.
        share: a count of a number as percent with its interval.
    """

    def told(row: Mapping[str, Any], name: str) -> str:
        return share(round(row[name] * row["stacks"]), row["stacks"])

    def conditions() -> str:
        """What the model of the package tells under each condition."""
        names = ("top_1", "top_5", "point_group", "crystal_system")
        cells = [
            [
                row["condition"],
                row["stacks"],
                *(told(row, name) for name in names),
                f"{100 * row['evidence_top_5']:.0f} %",
            ]
            for row in record("cbed_conditions")["tables"]["conditions"]
        ]
        head = [
            *("patterns", "stacks", "space group", "among five", "point group"),
            *("crystal system", "agrees among the best five of 230"),
        ]
        return f"{table(head, cells)}\n\n{source('cbed_conditions')}"

    return {"cbed_conditions": conditions}
