"""The folder of a trained classifier: weights, and a README that says what they are worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlindex.base.atomic import atomic_directory
from mlindex.classification.classifier import (
    FILE,
    LEARNED,
    Fitted,
    SymmetryClassifier,
    fitted_arrays,
    fitted_of,
)
from mlindex.classification.training import Trained
from mlindex.learning.arrays import read_arrays, write_arrays

#: Weights of a level that no classifier of symmetry is made of.
LEARNER_FILE = "learner.npz"


def write_classifier(
    folder: str | Path, level: str, trained: Trained, provenance: Mapping[str, Any]
) -> None:
    """Write weights, README.md and provenance.json, all or nothing."""
    with atomic_directory(folder) as inside:
        if trained.learner is not None:
            fitted = Fitted(trained.kind, trained.learner, trained.temperature)
            if level in LEARNED:
                SymmetryClassifier(**{level: fitted}).save(inside / FILE)
            else:
                write_arrays(inside / LEARNER_FILE, fitted_arrays(level, fitted))
        (inside / "README.md").write_text(card(level, trained), encoding="utf-8")
        text = json.dumps(provenance, indent=1, sort_keys=True)
        (inside / "provenance.json").write_text(f"{text}\n", encoding="utf-8")


def read_fitted(folder: str | Path, level: str) -> Fitted:
    """The learner of a level, from the folder that :func:`write_classifier` wrote.

    Raises:
        MlindexError: its file can't be read, or holds no learner of the level.
    """
    name = FILE if level in LEARNED else LEARNER_FILE
    return fitted_of(level, read_arrays(Path(folder) / name))


def card(level: str, trained: Trained) -> str:
    """The README of a classifier, in Markdown."""
    title = f"# Classifier: {level.replace('_', ' ')}\n"
    if trained.learner is None:
        return f"{title}\nNothing was trained: {trained.reason}.\n"
    head = "| learner | split by | lists | number | right | 95 % | first three | macro F1 |"
    rows = [
        f"| {s.learner}{' (chosen)' if s.chosen else ''} | {s.split.replace('_', ' ')} | {s.lists} "
        f"| {s.count} | {100 * s.accuracy:.1f} % | {100 * s.accuracy_low:.1f} to "
        f"{100 * s.accuracy_high:.1f} | {100 * s.top_3:.1f} % | {s.macro_f1:.3f} |"
        for s in trained.scores.itertuples()
    ]
    return "\n".join(
        [
            title,
            f"The learner is `{trained.kind}`, chosen by its log-loss on the calibration part, "
            f"with a temperature of {trained.temperature:.2f}.\n",
            "On the test part, which nothing was fitted to or chosen by. A random split (by entry) "
            "flatters where structure types come more than once, as in databases.\n",
            head,
            "| --- " * head.count(" |") + "|",
            *rows,
            "",
        ]
    )
