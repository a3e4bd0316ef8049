"""The files beside a model of space groups: a README and figures that say what it is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlindex.base.atomic import atomic_directory
from mlindex.cbed.training import Trained

MODEL_FILE = "model.npz"


def write_model(folder: str | Path, trained: Trained, provenance: Mapping[str, Any]) -> None:
    """Write weights, README.md, figures.json and provenance.json, all or nothing."""
    with atomic_directory(folder) as inside:
        if trained.model is not None:
            trained.model.save(inside / MODEL_FILE)
        (inside / "README.md").write_text(card(trained), encoding="utf-8")
        for name, data in (("figures", figures(trained)), ("provenance", provenance)):
            text = json.dumps(data, indent=1, sort_keys=True)
            (inside / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def figures(trained: Trained) -> dict[str, Any]:
    """What was measured on the test part, and what the model covers, as plain data."""
    parts = trained.parts
    learnt = parts[parts["part"] == "train"]
    return {
        "reason": trained.reason,
        "crystals": {name: int(n) for name, n in parts.groupby("part").size().items()},
        "stacks": {name: int(n) for name, n in parts.groupby("part")["stacks"].sum().items()},
        "groups_covered": sorted(int(n) for n in learnt["spacegroup_number"].unique()),
        "scores": json.loads(trained.scores.to_json(orient="records", double_precision=6)),
    }


def covered(parts: pd.DataFrame) -> str:
    """A sentence on what was learnt from, from rows of CBED_PARTS."""
    learnt = parts[parts["part"] == "train"]
    sizes = learnt.groupby("spacegroup_number").size()
    if sizes.empty:
        return "It covers nothing: there was no crystal to learn from."
    return (
        f"It covers {len(sizes)} of 230 space groups, learnt from {len(learnt):,} crystals "
        f"({int(learnt['stacks'].sum()):,} stacks), {sizes.min()} to {sizes.max()} of a group."
    )


def card(trained: Trained) -> str:
    """The README of a model, in Markdown."""
    title = "# Space groups from stacks of convergent-beam patterns\n"
    if trained.model is None:
        return f"{title}\nNothing was trained: {trained.reason}.\n"
    head = "| level | learner | stacks | crystals | right | 95 % | first five | macro F1 |"
    rows = [
        f"| {s.level.replace('_', ' ')} | {s.learner}{' (chosen)' if s.chosen else ''} "
        f"| {s.stacks} | {s.crystals} | {100 * s.accuracy:.1f} % | {100 * s.accuracy_low:.1f} to "
        f"{100 * s.accuracy_high:.1f} | {100 * s.top_5:.1f} % | {s.macro_f1:.3f} |"
        for s in trained.scores.itertuples()
    ]
    return "\n".join(
        [
            title,
            "Our own simulations, of crystals in the test part: no structure type (or what else "
            "the split keeps together) of them was learnt from. " + covered(trained.parts) + "\n",
            f"The learner is `{trained.model.kind}`, chosen by its log-loss on the validation "
            f"part; temperature {trained.model.temperature:.2f}. `{MODEL_FILE}` holds plain "
            "arrays.\n",
            head,
            "| --- " * (head.count("|") - 1) + "|",
            *rows,
            "",
        ]
    )
