"""The method of source 000 on its own 79 rows: success as its code counts it, and as measured.

    python benchmarks/source_000.py conditions_79.csv --draws 50 --out docs/how_well/source_000.json

Its protocol: 30 to 35 rows at random, sorted by score as its table is and cut before the first of
80 or more; h(1), h(2) ... are learnt from them; a support vector regression of all 79 rows is
taken for the truth, and a draw is a success where it says more than 80 at a maximum of the last h.
Judged on measured rows it is one where one of the next asks was measured to be 80 or more; all
methods start from the same rows. The table has no licence and does not come with the project.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import record
from campaign_tables import read_numbers

from mlindex.base.statistics import wilson_interval
from mlindex.campaigns.methods import method
from mlindex.campaigns.methods.local_maxima import Surface, chain, svr_surface
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.replay import Pool, replayed

#: A score from here on is a crystal; a draw starts from so many rows.
_CRYSTAL, _STARTS = 80.0, (30, 35)
#: Asks of a draw and of a round: of twenty, chance finds a crystal in every draw.
_ASKS, _ROUND = 5, 5
#: Ways to choose the rows that are measured.
_WAYS = {
    "source 000, maxima not measured": ("local_maxima", Options()),
    "source 000, maxima measured each round": ("local_maxima", Options(measure="each_round")),
    "source 000 with a Gaussian process": (
        "local_maxima",
        Options(measure="each_round", learner="gaussian"),
    ),
    "expected improvement": ("expected_improvement", Options()),
    "portfolio (default)": ("portfolio", Options()),
    "random": ("random", Options()),
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="six columns of conditions and the score")
    parser.add_argument("--draws", type=int, default=50)
    record.add_out(parser)
    options = parser.parse_args()
    rows = read_numbers(options.table)
    conditions, scores = rows[:, :-1], rows[:, -1]
    tables = {
        "as_written": [
            _as_written(conditions, scores, features, options.draws)
            for features in ("divided by the variance", "standardized")
        ],
        "measured": list(_measured(conditions, scores, options.draws)),
    }
    what = (
        f"{options.draws} draws of 30 to 35 of 79 rows, those that are crystals left out; success "
        "with 95 % intervals."
    )
    record.write(options.out, what, tables)


def starts(scores: np.ndarray, draw: int) -> np.ndarray:
    """Rows that a draw starts from: none is a crystal, not all are equal."""
    rng = np.random.default_rng(draw)
    while True:
        order = rng.permutation(len(scores))[: rng.integers(_STARTS[0], _STARTS[1] + 1)]
        order = order[scores[order] < _CRYSTAL]
        if np.ptp(scores[order]) > 0:
            return order


def _as_written(conditions: np.ndarray, scores: np.ndarray, features: str, draws: int) -> dict:
    """Success by the judge, for features as the code divides them or standardized ones.

    Climbs go in the unit box of all rows, where the steps of all columns are alike.
    """
    span = np.ptp(conditions, axis=0)
    points = (conditions - conditions.min(axis=0)) / span
    by = span / conditions.std(axis=0) if features == "standardized" else span
    learn = partial(_learnt, by=by)
    judge, said = learn(points, scores), []
    for draw in range(draws):
        own = starts(scores, draw)
        rounds = chain(points[own], scores[own], learn, np.random.default_rng(draw))
        said.append(float(judge(rounds[-1].maxima)[0].max()))
        print(features, draw, [len(one.maxima) for one in rounds], round(said[-1], 1), flush=True)
    row = {"features": features, "draws": draws, **_success(np.array(said) > _CRYSTAL)}
    return row | {
        "judge_median": round(float(np.median(said)), 1),
        "judge_most": round(max(said), 1),
    }


def _learnt(points: np.ndarray, scores: np.ndarray, by: np.ndarray) -> Surface:
    """h of points in the unit box, learnt in units of ``by``."""
    inner = svr_surface(points * by, scores)

    def surface(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, gradient = inner(at * by)
        return value, gradient * by

    return surface


def _measured(conditions: np.ndarray, scores: np.ndarray, draws: int) -> Iterator[dict]:
    """Success where a crystal was among the asks."""
    low = conditions.min(axis=0)
    features = (conditions - low) / np.ptp(conditions, axis=0)
    pool = Pool(features, scores, np.arange(features.shape[1]), scores >= _CRYSTAL)
    for way, (name, options) in _WAYS.items():
        asks = []
        for draw in range(draws):
            own = starts(scores, draw)
            steps, chooser = len(own) + _ASKS, method(name, options)
            order = replayed(pool, chooser, draw, steps, batch=_ROUND, first=own)
            hits = np.flatnonzero(pool.best[order[len(own) :]])
            asks.append(hits[0] + 1 if len(hits) else np.inf)
        row = {"way": way, "asks": _ASKS, "draws": draws, **_success(np.isfinite(asks))}
        within = float(np.median(asks))
        row["median_asks"] = within if np.isfinite(within) else None
        print(row, flush=True)
        yield row


def _success(right: np.ndarray) -> dict:
    low, high = wilson_interval(int(right.sum()), len(right))
    return {
        "success": round(float(right.mean()), 3),
        "success_95": [round(float(low), 3), round(float(high), 3)],
    }


if __name__ == "__main__":
    main()
