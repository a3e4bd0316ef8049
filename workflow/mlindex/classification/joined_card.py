"""The folder of the model that joins search and classifier: weights, and what they are worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlindex.base.atomic import atomic_directory
from mlindex.classification.joined import FEATURES, FILE, SYMBOL_FEATURES
from mlindex.classification.joining import Join

_TITLE = "# Classifier and search joined\n"


def write_joined(folder: str | Path, done: Join, provenance: Mapping[str, Any]) -> None:
    """Write weights, README.md and provenance.json, all or nothing."""
    with atomic_directory(folder) as inside:
        if done.model is not None:
            done.model.save(inside / FILE)
        (inside / "README.md").write_text(card(done), encoding="utf-8")
        text = json.dumps(provenance, indent=1, sort_keys=True)
        (inside / "provenance.json").write_text(f"{text}\n", encoding="utf-8")


def card(done: Join) -> str:
    """The README of the model, in Markdown."""
    if done.model is None:
        return f"{_TITLE}\nNothing was fitted: {done.reason}.\n"
    weights = [
        *_weights("Bravais lattice", FEATURES, done.model.lattice_weights),
        *_weights("extinction symbol", SYMBOL_FEATURES, done.model.symbol_weights),
    ]
    figures = [
        f"| {s.lists} | {s.level.replace('_', ' ')} | {s.way} | {s.count} "
        f"| {100 * s.accuracy:.1f} % | {100 * s.accuracy_low:.1f} to {100 * s.accuracy_high:.1f} "
        f"| {s.macro_f1:.3f} | {s.log_loss:.3f} | {s.calibration_error:.3f} |"
        for s in done.scores.itertuples()
    ]
    return "\n".join(
        [
            _TITLE,
            "What is added up for each class, with its weight:\n",
            *_table("of | feature | weight", weights),
            "\nOut of fold: the model of each answer saw no crystal of its structure type, the "
            "classifier none either.\n",
            *_table(
                "lists | level | way | number | right | 95 % | macro F1 | log-loss | calibration",
                figures,
            ),
            "",
        ]
    )


def _weights(level: str, meanings: Mapping[str, str], weights: Iterable[float]) -> Iterable[str]:
    for meaning, weight in zip(meanings.values(), weights, strict=True):
        yield f"| {level} | {meaning} | {weight:.3f} |"


def _table(head: str, rows: Iterable[str]) -> Iterable[str]:
    return [f"| {head} |", "| --- " * (head.count("|") + 1) + "|", *rows]
