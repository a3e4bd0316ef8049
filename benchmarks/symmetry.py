"""Symmetry of patterns by the classifier that comes with the package.

    python benchmarks/symmetry.py RESULTS --patterns FOLDER --sets FOLDER

RESULTS holds ``symmetry_examples`` as the workflow makes them, of crystals that the classifier was
not trained on (real ones: a source of CIF files). FOLDER of ``--patterns`` holds measured patterns
and ``index.csv`` as ``real.py`` reads it, with ``sg_number``; that of ``--sets`` holds
``xred_rruff90.npz`` with its labels and ``autoxrd_experimental.tar.gz``. For each kind of lists:
how many are right at each level, by itself and from the top down, the class that is right among
the first three, how many of the 60 % surest answers are right, and the milliseconds of processor
time for a list. ``--model`` takes another classifier; ``--out`` writes JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
import record
from symmetry_sets import FAMILY_OF, Lists, examples, films, measured, rruff

from mlindex.base.statistics import wilson_interval
from mlindex.classification.classifier import SymmetryClassifier
from mlindex.classification.features import inputs_of
from mlindex.classification.shipped import shipped
from mlindex.crystal.symmetry_classes import LEVELS, classes_of
from mlindex.learning.labels import at_level, downward
from mlindex.learning.scores import score

#: Share of the answers that count as sure: those of the highest probability.
_SUREST = 0.6
_WHAT = (
    "Lists of lines of crystals, as calculated and as drawn measurements find them, and measured "
    "patterns by their peak search; the classifier was trained on none of them."
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--patterns", type=Path, help="folder of measured patterns")
    parser.add_argument("--sets", type=Path, help="folder of RRUFF and of the thin films")
    parser.add_argument("--model", type=Path, help="folder of a classifier")
    record.add_out(parser)
    options = parser.parse_args()
    model = SymmetryClassifier.load(options.model) if options.model else shipped()
    rows = []
    for lists in _all_lists(options.results, options.patterns, options.sets):
        if lists.q2:
            rows += judged(lists, model)
    for row in rows:
        print(row)
    record.write(options.out, _WHAT, {"symmetry": rows})


def _all_lists(results: Path, patterns: Path | None, sets: Path | None) -> Iterator[Lists]:
    yield from examples(results)
    if patterns is not None:
        yield from measured(patterns)
    if sets is not None:
        yield from rruff(sets)
        yield from films(sets)


def judged(lists: Lists, model: SymmetryClassifier) -> Iterator[dict]:
    """A row for each level whose true classes are known."""
    began = process_time()
    inputs = inputs_of(lists.q2, lists.intensity, lists.last, model.sees_grid)
    probability = model.predict_proba(inputs)
    each_ms = 1000 * (process_time() - began) / len(lists.q2)
    for level, truth in lists.truth.items():
        names, share, chosen = _at_level(probability, level)
        true = np.array([names.index(name) for name in truth])
        found = score(share, true)
        right = int((chosen == true).sum())
        low, high = wilson_interval(right, len(true))
        yield {
            "lists": lists.name,
            "level": level,
            "number": len(true),
            "right": right,
            "low": round(low, 4),
            "high": round(high, 4),
            "right_alone": round(found.accuracy, 4),
            "top_3": round(found.top[3], 4),
            "macro_f1": round(found.macro_f1, 4),
            "calibration_error": round(found.calibration_error, 4),
            **_surest(share, true),
            "cpu_ms": round(each_ms, 2),
        }


def _at_level(probability: np.ndarray, level: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of classes (k), their probabilities (n, k), and the class chosen from the top down."""
    answers = downward(probability)
    if level in LEVELS:
        return list(classes_of(level).names), at_level(probability, level), answers[level]
    systems = classes_of("crystal_system").names
    names = list(dict.fromkeys(FAMILY_OF.get(name, name) for name in systems))
    family = np.array([names.index(FAMILY_OF.get(name, name)) for name in systems])
    share = np.zeros((len(probability), len(names)))
    np.add.at(share.T, family, at_level(probability, "crystal_system").T)
    # There is no level above this one.
    return names, share, share.argmax(axis=1)


def _surest(share: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Of the surest answers the number, the right ones, and the least of their probabilities."""
    confidence, right = share.max(axis=1), share.argmax(axis=1) == true
    kept = np.argsort(-confidence, kind="stable")[: int(np.ceil(_SUREST * len(true)))]
    return {
        "surest": len(kept),
        "surest_right": int(right[kept].sum()),
        "surest_from": round(float(confidence[kept].min()), 4),
    }


if __name__ == "__main__":
    main()
