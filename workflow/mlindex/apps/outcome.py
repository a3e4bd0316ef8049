"""The last lines of a run of the workflow: what could not be trained, and what was rejected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mlindex.base.schema import read_table
from mlindex.structures.rejected import COLUMNS, rejected
from mlindex.structures.tables import REJECTS

_KINDS = ("network", "forest")


def last_lines(results: str | Path, systems: Iterable[str], since_s: float) -> list[str]:
    """What a user must know of models that a run has just made; nothing where all were trained.

    Args:
        results: the folder of results.
        systems: lattice systems of the config.
        since_s: start of the run, in seconds since 1970: older models are passed over.
    """
    untrained, lines = [], []
    for system in systems:
        folder = Path(results) / "models" / system
        card = folder / "README.md"
        if not card.is_file() or card.stat().st_mtime < since_s:
            continue
        manifest = json.loads((folder / "model.json").read_text("utf-8"))
        if manifest["trained"]:
            lines += _partly(system, manifest["groups"])
        else:
            untrained.append(system)
    if untrained:
        lines.insert(0, f"Nothing was trained for {', '.join(untrained)}: too few entries.")
    if lines:
        lines.append(_rejected(Path(results)))
    return lines


def _partly(system: str, groups: list[dict]) -> list[str]:
    missing = {kind: sum(not group[kind] for group in groups) for kind in _KINDS}
    counts = " and ".join(f"{n} no {kind}" for kind, n in missing.items() if n)
    if not counts:
        return []
    return [f"Of {len(groups)} groups of {system}, {counts} because of too few entries."]


def _rejected(results: Path) -> str:
    paths = sorted((results / "rejects/quality").glob("*/*.parquet"))
    frames = [read_table(path, REJECTS, COLUMNS) for path in paths if path.name[0] != "."]
    return rejected(pd.concat(frames) if frames else REJECTS.empty())
