"""Symmetry of patterns by the classifier that comes with the package.

    python benchmarks/symmetry.py RESULTS --patterns FOLDER

RESULTS holds ``symmetry_examples`` as the workflow makes them, of crystals that the classifier was
not trained on (real ones: a source of CIF files). FOLDER holds measured patterns and ``index.csv``
as ``real.py`` reads it, with ``sg_number``. For each kind of lists: how many are right at each
level, from the top down, the class that is right among the first three, and the milliseconds of
processor time for a list. ``--model`` takes another classifier; ``--out`` writes JSON.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
import record

from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_table
from mlindex.base.statistics import wilson_interval
from mlindex.classification.classifier import SymmetryClassifier
from mlindex.classification.features import inputs_of
from mlindex.classification.labels import at_level, downward
from mlindex.classification.scores import score
from mlindex.classification.shipped import shipped
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.crystal.symmetry_classes import LEVELS, classes_of
from mlindex.files import read
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import find_peaks

Lists = tuple[list[np.ndarray], list[np.ndarray | None], list[float], list[int]]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--patterns", type=Path, help="folder of measured patterns")
    parser.add_argument("--model", type=Path, help="folder of a classifier")
    record.add_out(parser)
    options = parser.parse_args()
    model = SymmetryClassifier.load(options.model) if options.model else shipped()
    rows = []
    for name, lists in _all_lists(options.results, options.patterns):
        rows += _judged(name, lists, model)
    for row in rows:
        print(row)
    record.write(options.out, _WHAT, {"symmetry": rows})


_WHAT = (
    "Lists of lines of crystals, as calculated and as drawn measurements find them, and measured "
    "patterns by their peak search; the classifier was trained on none of them."
)


def _all_lists(results: Path, patterns: Path | None) -> Iterator[tuple[str, Lists]]:
    tables = sorted((results / "symmetry_examples").glob("*.parquet"))
    columns = ("q2_inv_A2", "intensity", "last_q2_inv_A2", "spacegroup_number", "measurement")
    frames = [read_table(path, SYMMETRY_EXAMPLES, columns) for path in tables]
    for name, drawn in (("calculated", False), ("drawn measurements", True)):
        lists: Lists = ([], [], [], [])
        for frame in frames:
            for values, column in zip(lists, columns[:4], strict=True):
                values += frame.loc[(frame["measurement"] > 0) == drawn, column].tolist()
        yield name, lists
    if patterns is not None:
        yield "measured patterns", _measured(patterns)


def _measured(folder: Path) -> Lists:
    lists: Lists = ([], [], [], [])
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if not (row["a"] and row["sg_number"].isdigit()):
                continue
            try:
                given = float(row["wavelength_A"].split("/")[0])
            except ValueError:
                given = None
            try:
                content = read(folder / row["file"], given)
                pattern = isinstance(content, MeasuredPattern)
                peaks = find_peaks(content).peaks if pattern else content
            except MlindexError as problem:
                print(f"left out: {problem}")
                continue
            last = peaks.q2_inv_A2[-1]
            if pattern:
                end = np.array([content.two_theta_deg[-1]])
                last = q2_from_two_theta(end, content.scale_A)[0]
            for values, value in zip(
                lists,
                (peaks.q2_inv_A2, peaks.intensity, float(last), int(row["sg_number"])),
                strict=True,
            ):
                values.append(value)
    return lists


def _judged(name: str, lists: Lists, model: SymmetryClassifier) -> Iterator[dict]:
    *columns, numbers = lists
    began = process_time()
    probability = model.predict_proba(inputs_of(*columns))
    each_ms = 1000 * (process_time() - began) / max(len(numbers), 1)
    answers = downward(probability)
    for level in LEVELS:
        truth = classes_of(level).of(np.array(numbers))
        right = int((answers[level] == truth).sum())
        judged = score(at_level(probability, level), truth)
        low, high = wilson_interval(right, len(truth))
        yield {
            "lists": name,
            "level": level,
            "number": len(truth),
            "right": right,
            "low": round(low, 4),
            "high": round(high, 4),
            "right_alone": round(judged.accuracy, 4),
            "top_3": round(judged.top[3], 4),
            "macro_f1": round(judged.macro_f1, 4),
            "calibration_error": round(judged.calibration_error, 4),
            "cpu_ms": round(each_ms, 2),
        }


if __name__ == "__main__":
    main()
