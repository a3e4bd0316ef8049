"""The section on the recipes of others."""

from __future__ import annotations

import pandas as pd

from mlindex.reports.classification.pieces import drawn, p_value
from mlindex.reports.classification.studies.pieces import (
    GAINS,
    columns,
    gains,
    means,
    measures_table,
    value,
)
from mlindex.reports.html import note, table

_TITLES = {
    "ours": "our classifier",
    "ten_lines": "ExtraTrees on ten lines (Suzuki 2020)",
    "degree_grid": "boosting on 1° of 2θ (course)",
}
_COLUMNS = columns("less ours")


def peers_part(frame: pd.DataFrame) -> str:
    """Each recipe beside our classifier, on calculated and on measured lists."""
    body = note(
        "Recipes of others, fitted to the same lists of the same crystals and tested on the same: "
        "the places of the first ten lines and the number of lines in ExtraTrees (Suzuki et al. "
        "2020, Sci. Rep. 10, 21790); the strongest line in each degree of 2θ in boosted trees (the "
        "course of source 004). Intervals are of 95 % over test crystals; only ours, only it: "
        "crystals that one alone has right with the first seed, p by McNemar's exact test. Figures "
        "that the peers publish are of random splits of other crystals."
    )
    for part in dict.fromkeys(frame["part"]):
        rows = means(frame, str(part))
        shown = measures_table(rows, _TITLES, _COLUMNS)
        counts = frame[(frame["seed"] == 1) & (frame["part"] == part)]
        for metric in ("only_ours", "only_it", "p"):
            shown[metric.replace("_", " ")] = [
                _count(counts, name, metric) for name in dict.fromkeys(rows["variant"])
            ]
        body += note(f"{str(part).capitalize()} lists.") + table(shown)
        body += drawn(gains(rows, _TITLES, GAINS), 240)
    return body


def _count(rows: pd.DataFrame, variant: str, metric: str) -> str:
    row = value(rows, variant, metric)
    if row is None:
        return ""
    return p_value(row["value"]) if metric == "p" else str(int(row["value"]))
