"""What intensities, the ranking and the whole profile each add to indexing by positions.

    python benchmarks/parts.py --patterns FOLDER --cifs CIFS --pairs 20

Every pattern is indexed with the positions of its peaks alone, with their intensities, and with the
fits to its whole profile; the first two are ordered by their evidence as well, as they would be
without the learned ranking. FOLDER holds measured patterns and their ``index.csv`` (see
``real.py``); of CIFS so many pairs of real crystals are simulated, the second with a tenth of the
intensity (see ``mixed.py``). What is counted: patterns; the true lattice (of a pair: the main one)
first, first or named as partner, among the first 20; called convincing; convincing and wrong. By
evidence alone there is no verdict. ``--out`` writes the counts as JSON, for docs/how_well.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import record
from mixed import Structures
from mixtures import GENERATED
from real import known_cells

from mlindex.base.errors import MlindexError
from mlindex.files import read
from mlindex.indexing.looks import index_list
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Truth, judge
from mlindex.indexing.result import IndexingResult
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.indexer import index_pattern

_COUNTS = ("first", "first or partner", "in 20", "convincing", "wrong")
_SHARE = 0.1


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", type=Path, help="folder of measured patterns")
    parser.add_argument("--cifs", type=Path, help="folder of CIF files")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each search")
    parser.add_argument("--workers", type=int, default=1, help="threads of a search")
    record.add_out(parser)
    asked = parser.parse_args()
    rows = []
    for of, cases in _sets(asked):
        judged = pd.DataFrame(
            outcome
            for content, truth in cases
            for outcome in _outcomes(content, truth, asked.time_limit, asked.workers)
        )
        for way, part in judged.groupby("way", sort=False):
            counted = {name: int(part[name].sum()) for name in _COUNTS if part[name].notna().all()}
            rows.append({"patterns of": of, "with": way, "patterns": len(part), **counted})
            print(*rows[-1].items(), sep="  ", flush=True)
    text = "The peaks of each pattern as a list of positions, with intensities, and its profile."
    record.write(asked.out, text, {"parts": rows})


def _sets(
    asked: argparse.Namespace,
) -> Iterator[tuple[str, Iterator[tuple[MeasuredPattern, Truth]]]]:
    """What patterns are of, and they with their lattices."""
    if asked.patterns:
        yield "measured", _measured(asked.patterns)
    if asked.cifs:
        structures = Structures.of(asked.cifs, asked.pairs, asked.seed, GENERATED)
        pairs = structures.pairs(asked.pairs, asked.seed)
        yield (
            f"pairs of crystals, {100 * _SHARE:g} % of the second",
            ((pair.pattern(_SHARE, asked.seed), pair.main.truth) for pair in pairs),
        )


def _measured(folder: Path) -> Iterator[tuple[MeasuredPattern, Truth]]:
    """Patterns that can be read, peak lists left out."""
    for known in known_cells(folder / "index.csv", folder):
        try:
            content = read(known.file, known.wavelength_A)
        except MlindexError:
            continue
        if isinstance(content, MeasuredPattern):
            yield content, known.truth


def _outcomes(
    pattern: MeasuredPattern, truth: Truth, limit_s: float, workers: int
) -> Iterator[dict[str, object]]:
    """What each way makes of a pattern; nothing of one without peaks."""
    options = Options(time_limit_s=limit_s)
    try:
        peaks = find_peaks(pattern).peaks
        positions = index_list(replace(peaks, intensity=None), options, workers)
        intensities = index_list(_with_intensities(peaks), options, workers)
        profile = index_pattern(pattern, options, workers)[0]
    except MlindexError:
        return
    yield _outcome("positions, by evidence", _by_evidence(positions), truth, False)
    yield _outcome("positions", positions, truth)
    yield _outcome("intensities, by evidence", _by_evidence(intensities), truth, False)
    yield _outcome("intensities", intensities, truth)
    yield _outcome("whole profile", profile, truth)


def _with_intensities(peaks: PeakList) -> PeakList:
    if peaks.intensity is None:
        raise MlindexError(f"{peaks.name}: its peaks have no intensities")
    return peaks


def _by_evidence(result: IndexingResult) -> IndexingResult:
    ordered = sorted(result.candidates, key=lambda candidate: -candidate.log_evidence)
    return replace(result, candidates=tuple(ordered))


def _outcome(
    way: str, result: IndexingResult, truth: Truth, with_verdict: bool = True
) -> dict[str, object]:
    found = judge(result, truth)
    verdict = (found.convincing, found.wrong) if with_verdict else (None, None)
    return dict(
        zip(
            ("way", *_COUNTS), (way, found.first, found.solved, found.listed, *verdict), strict=True
        )
    )


if __name__ == "__main__":
    main()
