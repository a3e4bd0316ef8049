"""Whole-profile fits of the candidates of patterns whose cells are known: rank of the true one.

    python benchmarks/profiles.py FOLDER --index cells.csv --only rruff
    python benchmarks/profiles.py CIFS --mixtures 70 --share 0.1

FOLDER holds measured patterns and an index of their cells as for ``benchmarks/real.py``. With
``--mixtures`` it holds CIF files: so many structures, lattice systems in turn, are simulated as
laboratory patterns (Cu K-alpha 1 and 2, pseudo-Voigts, Poisson counts, zero shift and displacement
of 0.03 degrees at random), each with another structure of that share of the whole intensity.

Each pattern is indexed and its candidates are fitted. For each: the rank of the true lattice among
the candidates fitted as the lines order them, by the evidence of the profile alone, and by lines
and profile together as the command does (0: not among them); how far its evidence is ahead of the
best other cell (-2 ln of the odds); of the first of all R_wp, goodness of fit and the share of the
intensity that it explains; points, and processor and wall-clock seconds of the fits without the
peak search. The same lattice is one whose reduced cell agrees within 1 % and 0.5 degrees. ``--out``
writes the table as JSON. Below the table: ln(probability) of the true lattices, added up, by lines
and by both, and the weights of the profile that would have made it largest.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np
import record
from mixed import Structures
from real import known_cells
from scipy.optimize import minimize
from scipy.special import logsumexp

from mlindex.base.errors import MlindexError
from mlindex.files import read
from mlindex.indexing.looks import index_list
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Truth
from mlindex.indexing.result import Candidate
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import PeakSearch, find_peaks
from mlindex.wholepattern.candidates import CANDIDATES, fit_candidates
from mlindex.wholepattern.data import ALL_PEAKS
from mlindex.wholepattern.odds import Weights, log_factors, reweighed
from mlindex.wholepattern.result import ProfileFit

_HEAD = ("pattern", "by lines", "by profile", "by both", "ahead by", "R_wp", "goodness")
_HEAD = (*_HEAD, "explained", "points", "CPU s", "s")


@dataclass(frozen=True)
class Case:
    """A pattern and its true lattice; ``pattern`` is read where it is a path."""

    name: str
    pattern: MeasuredPattern | Path
    wavelength_A: float | None
    truth: Truth


class Judged(NamedTuple):
    """Candidates (m,): which of them are right, their probabilities by lines, and their fits."""

    right: np.ndarray
    before: np.ndarray
    fits: tuple[ProfileFit | None, ...]
    found: tuple[Candidate, ...] = ()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path, help="the CSV file, FOLDER/index.csv if not given")
    parser.add_argument("--only", nargs="*", default=[], help="parts of names of patterns")
    parser.add_argument("--mixtures", type=int, default=0, help="structures to simulate")
    parser.add_argument("--share", type=float, default=0.1, help="of the second phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2, help="threads")
    record.add_out(parser)
    options = parser.parse_args()
    _row(_HEAD)
    _row(["---"] * len(_HEAD))
    rows, lists = [], []
    for case in _simulated(options) if options.mixtures else _measured(options):
        if not options.only or any(part in case.name for part in options.only):
            row, known = _one(case, options.time_limit, options.workers)
            rows.append(row)
            lists += [known] if row[1] > 0 else []
            _row(row)
    totals = _totals([row for row in rows if row[1] > 0], len(rows)) | _weights(lists)
    print("\n" + "\n".join(f"{name}: {number}" for name, number in totals.items()))
    named = [dict(zip(_HEAD, row, strict=True)) for row in rows]
    record.write(options.out, _what(options), {"patterns": named, "totals": [totals]})


def _what(options: argparse.Namespace) -> str:
    if not options.mixtures:
        return "Measured patterns of known cells, only the wavelength given."
    return (
        f"Simulated laboratory patterns of {options.mixtures} structures, seed {options.seed}, "
        f"each with another phase of {100 * options.share:g} % of the intensity."
    )


def _one(case: Case, time_limit_s: float, workers: int) -> tuple[tuple, Judged | None]:
    """The row of a pattern, and its candidates as they are judged; None without any."""
    nothing = (case.name, 0, 0, 0, *(None,) * (len(_HEAD) - 4))
    try:
        pattern = case.pattern
        if isinstance(pattern, Path):
            pattern = read(pattern, case.wavelength_A)
        if not isinstance(pattern, MeasuredPattern):
            return nothing, None
        peaks = find_peaks(pattern, PeakSearch(max_peaks=ALL_PEAKS))
        few = peaks.first(PeakSearch().max_peaks).peaks
        options = Options(wavelength_A=case.wavelength_A, time_limit_s=time_limit_s)
        found = index_list(few, options, workers).candidates[:CANDIDATES]
    except MlindexError:
        return nothing, None
    if not found:
        return nothing, None
    wall, cpu = perf_counter(), process_time()
    fits = fit_candidates(pattern, found, peaks, workers)
    spent = process_time() - cpu, perf_counter() - wall
    right = np.array([case.truth.is_(c.cell, c.centring) for c in found])
    judged = Judged(right, np.array([c.probability for c in found]), fits.fits, found)
    return (case.name, *_outcome(judged), len(fits.two_theta_deg), *np.round(spent, 2)), judged


def _outcome(judged: Judged) -> Iterator[int | float | None]:
    """Ranks, and figures of the first of all."""
    right, before = judged.right, judged.before
    after = reweighed(before, log_factors(judged.found, judged.fits))
    evidence = np.array([-fit.evidence.total if fit else -np.inf for fit in judged.fits])
    for score in (before, evidence, after):
        yield _rank(right, score)
    ahead = evidence[right].max(initial=-np.inf) - evidence[~right].max(initial=-np.inf)
    yield round(ahead) if np.isfinite(ahead) else None
    first = judged.fits[int(np.argmax(after))]
    for name, digits in (("r_wp", 4), ("goodness", 2), ("explained", 4)):
        yield round(getattr(first, name), digits) if first else None


def _rank(right: np.ndarray, score: np.ndarray) -> int:
    """Rank of the first right one (m,) by falling score (m,), 0 if there is none."""
    places = np.flatnonzero(right[np.argsort(-score, kind="stable")])
    return int(places[0]) + 1 if len(places) else 0


def _weights(lists: list[Judged]) -> dict[str, float]:
    """Logarithms of the probabilities of the true lattices, and the best weights of the profile."""

    def lost(weights: Sequence[float]) -> float:
        total = 0.0
        for known in lists:
            log_odds = np.log(np.maximum(known.before, 1e-30))
            log_odds += log_factors(known.found, known.fits, Weights(*weights))
            total -= logsumexp(log_odds[known.right]) - logsumexp(log_odds)
        return total

    ours = astuple(Weights())
    best = minimize(lost, ours, method="Nelder-Mead").x
    sums = {"lines": lost((0.0, 0.0, 0.0)), "both": lost(ours), "best weights": lost(best)}
    named = {f"ln(probability) by {name}": round(-float(value), 1) for name, value in sums.items()}
    of = [f"best {field.name.upper()}" for field in fields(Weights)]
    return named | dict(zip(of, np.round(best, 2).tolist(), strict=True))


def _totals(rows: list[tuple], all_patterns: int) -> dict[str, int | float]:
    """Counts over the patterns whose true lattice is among those fitted."""
    return {
        "patterns": all_patterns,
        "true cell fitted": len(rows),
        "first by lines": sum(row[1] == 1 for row in rows),
        "first by profile": sum(row[2] == 1 for row in rows),
        "first by both": sum(row[3] == 1 for row in rows),
        "median CPU s": round(float(np.median([row[-2] for row in rows])), 2) if rows else 0.0,
        "worst CPU s": max((row[-2] for row in rows), default=0.0),
    }


def _measured(options: argparse.Namespace) -> Iterator[Case]:
    for known in known_cells(options.index or options.folder / "index.csv", options.folder):
        yield Case(known.file.name, known.file, known.wavelength_A, known.truth)


def _simulated(options: argparse.Namespace) -> Iterator[Case]:
    structures = Structures.of(options.folder, options.mixtures, options.seed)
    for pair in structures.pairs(options.mixtures, options.seed):
        pattern = pair.pattern(options.share, options.seed)
        yield Case(pair.name, pattern, None, pair.main.truth)


def _row(cells: object) -> None:
    print(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
