"""Symmetry by the lines alone, by a search for the cell, and by both joined.

    python benchmarks/joined.py RESULTS --patterns FOLDER --evidence FOLDER

RESULTS holds ``symmetry_examples`` as the workflow makes them, of crystals that neither the
classifier nor the model that joins was fitted to (real ones: a source of CIF files); of each
Bravais lattice as many crystals are taken at random (``--crystals``), as calculated and, of half of
them, as measured once. FOLDER holds measured patterns and ``index.csv`` as ``symmetry.py`` reads
it. What the searches found is kept in the folder of ``--evidence``, so that another model costs no
search. For each kind of lists, way and level: how many are right, the mean F1 of the classes, the
calibration error, and the lists that one way alone has right. A row is of all lists, of those with
a convincing cell, or of the others. ``--out`` writes JSON.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import record
from tqdm import tqdm

from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_table, write_table
from mlindex.classification.asking import end_of, probability_of
from mlindex.classification.joined import Joined
from mlindex.classification.joining import (
    OutOfFold,
    choose_lists,
    evidence_rows,
    joined_scores,
    material_of,
    ways,
)
from mlindex.classification.shipped import shipped
from mlindex.classification.shipped_joined import shipped_joined
from mlindex.classification.tables import SYMMETRY_EVIDENCE, SYMMETRY_EXAMPLES
from mlindex.files import read
from mlindex.indexing.lattices import LatticeEvidence, evidence_of, searched_lists
from mlindex.indexing.options import Options
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.peaksearch import find_peaks

_WHAT = (
    "Lists of lines of real crystals, as many of each Bravais lattice, as calculated and as drawn "
    "measurements find them{}; neither the classifier nor the model that joins it with the search "
    "was fitted to any of them."
)
#: Decimals of a figure in the record; lists between two writes; seconds of a search at most.
_DIGITS, _AT_ONCE, _LIMIT_S = 4, 20, 300.0
#: A row of SYMMETRY_EXAMPLES as pandas gives it, and what searches its list.
Row = Any
Search = Callable[[Row], LatticeEvidence]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--patterns", type=Path, help="folder of measured patterns")
    parser.add_argument("--evidence", type=Path, help="folder to keep what searches found")
    parser.add_argument("--crystals", type=int, default=50, help="of each Bravais lattice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, help="another model that joins the two")
    record.add_out(parser)
    options = parser.parse_args()
    joined = Joined.load(options.model) if options.model else shipped_joined()
    rows = []
    for name, lists, search in _all_lists(options):
        evidence = _evidence(options.evidence, name, lists, search)
        rows += _judged(name, lists, evidence, joined)
    for row in rows:
        print(row)
    patterns = ", and measured patterns" if options.patterns else ""
    record.write(options.out, _WHAT.format(patterns), {"joined": rows})


def _all_lists(options: argparse.Namespace) -> Iterator[tuple[str, pd.DataFrame, Search]]:
    """Name and rows of SYMMETRY_EXAMPLES of each kind of lists, and what searches one of them."""
    columns = SYMMETRY_EXAMPLES.names[:-1]
    tables = sorted((options.results / "symmetry_examples").glob("*.parquet"))
    examples = pd.concat([read_table(path, SYMMETRY_EXAMPLES, columns) for path in tables])
    for name, crystals, drawn in (
        ("calculated", options.crystals, False),
        ("drawn measurements", options.crystals // 2, True),
    ):
        lists = choose_lists(examples, [examples], crystals, options.seed)
        yield name, lists[(lists["measurement"] > 0) == drawn].reset_index(drop=True), _of_list
    if options.patterns is not None:
        yield "measured patterns", *_measured(options.patterns)


def _of_list(row: Row) -> LatticeEvidence:
    """The evidence of a search as ``mlindex index`` makes it of a list."""
    peaks = PeakList(row.entry_id, row.q2_inv_A2, row.intensity, row.wavelength_A)
    return searched_lists([peaks], _LIMIT_S)[0]


def _measured(folder: Path) -> tuple[pd.DataFrame, Search]:
    """Measured patterns with a known space group, their peaks found."""
    contents, rows = {}, []
    with (folder / "index.csv").open(encoding="utf-8-sig") as stream:
        for row in csv.DictReader(stream):
            if not (row["a"] and row["sg_number"].isdigit()):
                continue
            given = _first_number(row["wavelength_A"])
            try:
                content = read(folder / row["file"], given)
                pattern = isinstance(content, MeasuredPattern)
                peaks = find_peaks(content).peaks if pattern else content
            except MlindexError as problem:
                print(f"left out: {problem}")
                continue
            contents[row["file"]] = content, given
            end = end_of(content) if pattern else float(peaks.q2_inv_A2[-1])
            known = (row["file"], int(row["sg_number"]), row["bravais"], row["file"], "", 1)
            rows.append((*known, given, peaks.q2_inv_A2, peaks.intensity, end))

    def search(row: Row) -> LatticeEvidence:
        content, wavelength_A = contents[row.entry_id]
        options = Options(wavelength_A=wavelength_A, time_limit_s=_LIMIT_S)
        return evidence_of(index_content(content, options).result)

    return pd.DataFrame(rows, columns=SYMMETRY_EXAMPLES.names[:-1]), search


def _first_number(text: str) -> float | None:
    try:
        return float(text.split("/")[0])
    except ValueError:
        return None


def _evidence(folder: Path | None, name: str, lists: pd.DataFrame, search: Search) -> pd.DataFrame:
    """Rows of SYMMETRY_EVIDENCE of the lists, in their order: kept ones, and searched ones."""
    path = None if folder is None else folder / f"{name.replace(' ', '_')}.parquet"
    kept = SYMMETRY_EVIDENCE.empty()
    if path is not None and path.exists():
        kept = read_table(path, SYMMETRY_EVIDENCE)
    have = set(zip(kept["entry_id"], kept["measurement"], strict=True))
    new = [key not in have for key in zip(lists["entry_id"], lists["measurement"], strict=True)]
    missing = lists[new]
    for begin in tqdm(range(0, len(missing), _AT_ONCE), name, unit_scale=_AT_ONCE):
        part = missing.iloc[begin : begin + _AT_ONCE]
        found = evidence_rows(part, [search(row) for row in part.itertuples(index=False)])
        kept = pd.concat([kept, found], ignore_index=True) if len(kept) else found
        if path is not None:
            write_table(path, SYMMETRY_EVIDENCE, kept, {})
    keys = ["entry_id", "measurement"]
    return lists[keys].merge(kept, on=keys, how="left", validate="1:1")


def _judged(
    name: str, lists: pd.DataFrame, evidence: pd.DataFrame, joined: Joined
) -> Iterator[dict]:
    # The classifier needs no wavelength, and some patterns over d state none.
    columns = ("entry_id", "q2_inv_A2", "intensity", "last_q2_inv_A2")
    alone = [
        probability_of(PeakList(*list_, None), end, shipped())
        for *list_, end in zip(*(lists[column] for column in columns), strict=True)
    ]
    material = material_of(evidence, np.array(alone))
    both = joined.predict_proba(material.probability, material.evidence)
    scores = joined_scores(OutOfFold(material, ways(material, both)))
    for row in scores[~scores["lists"].isin(["calculated", "measured"])].to_dict("records"):
        kind = {"all": ""}.get(row["lists"], f", {row['lists']}")
        yield {
            key: round(value, _DIGITS) if isinstance(value, float) else value
            for key, value in (row | {"lists": f"{name}{kind}"}).items()
        }


if __name__ == "__main__":
    main()
