"""Mixtures of two real crystals: main phase first, and second phase found.

    python benchmarks/mixtures.py CIFS --pairs 30 --shares 0.5 0.2 0.1 0.05 0.02

CIFS is a folder of CIF files. So many crystals, lattice systems in turn, each formula once, are
simulated as laboratory patterns with another one (:mod:`mixed`: Cu K-alpha 1 and 2, pseudo-Voigts,
zero shift and displacement of 0.03 degrees at random, Poisson's noise), whose share of the whole
intensity is each of ``--shares``. For each share: patterns; main phase first (either of the two,
where the shares are equal); first or named as partner of the first; convincing; convincing but
wrong; second phase found, that is among the phases of the result or, as a lattice, first where the
main phase is not; patterns in which it can be found at all, six lines of it being seen beside the
noise and the main phase (:func:`mixed.lines_to_be_seen`), and found in these; second phases
reported that are neither; median and worst processor seconds. The same lattice is one whose reduced
cell agrees within 1 % and 0.5 degrees. ``--out`` writes the counts as JSON, for docs/how_well.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import process_time

import pandas as pd
import record
from mixed import Pair, Structures

from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import judge
from mlindex.indexing.result import IndexingResult

#: Collections of structures that were generated, in paths of shared collections of CIF files.
GENERATED = ("Genarris", "PyXtal", "cdvae")
SHARES = (0.5, 0.2, 0.1, 0.05, 0.02)
_JUDGED = ("main first", "or partner", "convincing", "wrong", "second found", "false second")
_COUNTED = (*_JUDGED, "second seen", "found of these")
_EQUAL = 0.5
#: Lines that a second phase must show to be found.
_FEWEST_LINES = 6


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--shares", type=float, nargs="*", default=SHARES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exclude", nargs="*", default=GENERATED, help="parts of paths left out")
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--each", action="store_true", help="a row for each pattern, too")
    record.add_out(parser)
    asked = parser.parse_args()
    structures = Structures.of(asked.folder, asked.pairs, asked.seed, asked.exclude)
    pairs = list(structures.pairs(asked.pairs, asked.seed))
    tasks = [
        (pair, share, asked.seed, asked.time_limit) for pair in pairs for share in asked.shares
    ]
    done = []
    with ProcessPoolExecutor(asked.workers, multiprocessing.get_context("fork")) as pool:
        for found in pool.map(one, tasks):
            done.append(found)
            if asked.each:
                print(*_shown(found), sep=", ", flush=True)
    rows = pd.DataFrame(done, columns=["pattern", "share", *_COUNTED, "s"])
    counted = [counts(share, rows[rows["share"] == share]) for share in asked.shares]
    _row(counted[0])
    _row(["---"] * len(counted[0]))
    for row in counted:
        _row(row.values())
    text = f"Simulated patterns of {len(pairs)} pairs of real crystals, seed {asked.seed}."
    record.write(asked.out, text, {"mixtures": counted})


def _shown(found: tuple) -> list[str]:
    """The row of a pattern in words: what is true of it."""
    name, share, *true, seconds = found
    said = [text for text, holds in zip(_COUNTED, true, strict=True) if holds]
    return [name, f"{100 * share:g} %", f"{seconds:.1f} s", *said]


def counts(share: float, rows: pd.DataFrame) -> dict[str, float]:
    """What is counted of the patterns of a share."""
    return {
        "second phase, %": round(100 * share, 3),
        "patterns": len(rows),
        **{name: int(rows[name].sum()) for name in _COUNTED},
        "median CPU s": round(float(rows["s"].median()), 1),
        "worst CPU s": round(float(rows["s"].max()), 1),
    }


def one(task: tuple[Pair, float, int, float]) -> tuple:
    """The row of a pattern."""
    pair, share, seed, limit_s = task
    began = process_time()
    try:
        pattern = pair.pattern(share, seed)
        result = index_content(pattern, Options(time_limit_s=limit_s), 1).result
        found = _judged(result, pair, share)
    except MlindexError:
        found = (False,) * len(_JUDGED)
    spent = process_time() - began
    seen = pair.second_lines(share, seed) >= _FEWEST_LINES
    both = seen and found[_JUDGED.index("second found")]
    return pair.name, share, *found, seen, both, spent


def _judged(result: IndexingResult, pair: Pair, share: float) -> tuple[bool, ...]:
    truths = [pair.main.truth, pair.other.truth]
    main, other = (judge(result, truth) for truth in truths)
    # Of two equal ones either may come first.
    if share == _EQUAL and other.first and not main.first:
        truths, main = truths[::-1], other
    second = [p for p in result.phases if p.kind == "found"][1:]
    right = [truths[1].is_(p.cell, p.centring) for p in second]
    seconds = any(right) or (other.first and not main.first)
    false = any(not any(t.is_(p.cell, p.centring) for t in truths) for p in second)
    return main.first, main.solved, result.convincing, main.wrong, bool(seconds), bool(false)


def _row(cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
