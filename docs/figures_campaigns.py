"""Tables on planning experiments, for ``figures.py``."""

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

    def _factor(row: Mapping[str, Any], name: str) -> str:
        """A figure of a replay with its interval."""
        if row.get(name) is None:
            return "–"
        low, high = row[f"{name}_95"]
        return f"{row[name]:.1f} ({low:.1f} to {high:.1f})"

    def _replays() -> str:
        """Public tables replayed with the default method, random beside it."""
        names = ("EF", "AF30", "AF50", "AF80")
        rows = record("campaigns")["tables"]["tables"]
        cells = [
            [
                row["table"].replace("_", " "),
                row["pool"],
                "random" if row["method"] == "random" else "default",
                *(_factor(row, name) for name in names),
                row["cpu_s_each"],
            ]
            for row in rows
        ]
        head = ["table", "conditions", "method", *names, "CPU s"]
        return f"{table(head, cells)}\n\n{source('campaigns')}"

    def _source_000() -> str:
        """The method of source 000 by its own judge, and by measured rows."""
        judged, measured = (
            record("source_000")["tables"][name] for name in ("as_written", "measured")
        )
        said = ("features", "success", "judge_median", "judge_most")
        first = table(
            ["features", "success by its judge", "judge, median", "judge, most"],
            [[_drawn(row) if name == "success" else row[name] for name in said] for row in judged],
        )
        head = ["chosen by", f"a measured crystal in {measured[0]['asks']} asks"]
        second = table(head, [[row["way"], _drawn(row)] for row in measured])
        return f"{first}\n\n{second}\n\n{source('source_000')}"

    def _drawn(row: Mapping[str, Any]) -> str:
        return share(round(row["success"] * row["draws"]), row["draws"])

    def _plates() -> str:
        """Time and memory of a large plate."""
        rows = record("large_campaign")["tables"]["plates"]
        seconds = " and ".join(f"{row['clock_s']} s" for row in rows)
        memory = max(row["memory_MiB"] for row in rows)
        return f"Took {seconds}, with {memory} MiB of memory.\n\n{source('large_campaign')}"

    def _amines() -> str:
        """Vapour diffusion with amines not seen."""
        names = ("AF50 with past", "AF50 alone", "AF50 random")
        rows = record("campaigns_past")["tables"]["amines"]
        cells = [
            [row["amine"], row["pool"], row["large"], *(_factor(row, name) for name in names)]
            for row in rows
        ]
        head = ["amine", "experiments", "large crystals", "with the others", "alone", "random"]
        return table(head, cells)

    def _screens() -> str:
        """Protein screens by plates, with one other screen as a past campaign or none."""
        names = ("plate 1", "plate 2", "plate 3", "plate 4", "plates 2 to 4")
        rows = record("campaigns_past")["tables"]["screens"]
        cells = [
            [row["screen"], row["past"], *(_factor(row, name) for name in names)] for row in rows
        ]
        return f"{table(['screen', 'past', *names], cells)}\n\n{source('campaigns_past')}"

    def _deep_kernel() -> str:
        """Crystals of the largest cells, found by their patterns."""
        names = ("EF", "AF50", "found_percent")
        rows = record("deep_kernel")["tables"]["ways"]
        cells = [
            [row["known"], row["way"], *(_factor(row, name) for name in names), row["cpu_s_each"]]
            for row in rows
        ]
        head = ["the pattern", "order by", "EF", "AF50", "found, %", "CPU s"]
        return f"{table(head, cells)}\n\n{source('deep_kernel')}"

    return {
        "deep_kernel": _deep_kernel,
        "replays": _replays,
        "amines": _amines,
        "plates": _plates,
        "source_000": _source_000,
        "screens": _screens,
    }
