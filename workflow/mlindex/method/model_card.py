"""What a person reads first in a model directory: what it is, what it can do, measured how."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

_MODEL_FILE = "model.json"


def model_card(directory: Path, rates: pd.DataFrame, groups: pd.DataFrame, sources: str) -> str:
    """Markdown that describes a model directory.

    Args:
        directory: a model directory (for its ``model.json``).
        rates: RATES of its lattice system.
        groups: GROUPS of its lattice system.
        sources: a sentence on what the sources lost before training.
    """
    manifest = json.loads((directory / _MODEL_FILE).read_text(encoding="utf-8"))
    lines = [f"# Models of the {manifest['lattice_system']} lattice system", ""]
    lines += [manifest["statement"], ""]
    if manifest["statement"] != "complete":
        lines += [sources, ""]
    lines += ["## Indexing of validation entries", ""]
    lines += _rates(rates)
    lines += ["## Groups", ""]
    lines += _groups(groups)
    lines += [
        "Figures of the single models are in metrics.parquet, the provenance in model.json.",
        "",
    ]
    return "\n".join(lines)


def _rates(rates: pd.DataFrame) -> list[str]:
    if rates.empty:
        return ["None could be indexed: there are no trained models or no validation entries.", ""]
    lines = [
        "Calculated patterns of entries that no model was trained on; the lattice system is given.",
        "",
        "| Bravais lattice | indices | outcome | rate | 95 % interval | entries | published |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {r.bravais_lattice} | {r.method} | {r.outcome} | {100 * r.rate:.1f} % | "
        f"{100 * r.low:.1f} to {100 * r.high:.1f} % | {r.entries} | {r.published} |"
        for r in rates.itertuples()
    ]
    return [*lines, ""]


def _groups(groups: pd.DataFrame) -> list[str]:
    lines = ["| group | entries | conditions | symbols |", "| --- | --- | --- | --- |"]
    for name, rows in groups.groupby("group", sort=True):
        conditions = " / ".join(c or "none" for c in rows["conditions"])
        symbols = ", ".join(rows["hm_symbols"])
        lines.append(f"| {name} | {rows['group_entries'].iloc[0]} | {conditions} | {symbols} |")
    return [*lines, ""]
