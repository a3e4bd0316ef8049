"""What each source of candidates is worth: success against time on validation entries.

    python benchmarks/strategies.py results --systems tetragonal monoclinic --entries 10

``results`` is a folder that the workflow made, with ``dataset`` and ``trained`` (or ``models``).
The sources:

- networks: cells drawn from variance networks and forests, optimized with Miller indices that the
  assignment networks give (ML-Index as published). The lattice system is given: only its models
  are used;
- networks, nearest: the same cells, each line assigned to the nearest reflection;
- templates: cells solved from frequent sets of Miller indices, nearest reflections. The lattice
  system is given;
- exhaustive: the search of ``mlindex index`` with the lattice system given;
- all lattices: the same, with nothing given;
- union: networks, templates and exhaustive, ranked together by the evidence. The lattice system
  is given.

Lists are as calculated, 20 lines (10 for cubic). For each Bravais lattice and source: the true
lattice first, and among the first 20, in percent (reduced cells, 1 % and 0.5 degrees); processor
seconds for each entry, median and worst, of one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

import mlindex
from mlindex.base.provenance import derive_seed
from mlindex.base.schema import read_table
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, SYSTEMS, LatticeSystem
from mlindex.indexing.rates.judge import LISTED, indexed
from mlindex.indexing.rates.measure import Case, case_of, chosen
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.search.observed import Observed, observe
from mlindex.indexing.search.trials import Trial, different, walked, weigh
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.tables import DATASET
from mlindex.method.models import ModelSet
from mlindex.method.settings import Optimization, Validation
from mlindex.method.validation import candidate_cells, run_engine
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.spoil import EXACT, WAVELENGTH_A, Spoil

_NETWORKS, _NEAREST, _TEMPLATES = "networks", "networks, nearest", "templates"
_EXHAUSTIVE, _ALL, _UNION = "exhaustive", "all lattices", "union"
_UNITED = (_NETWORKS, _TEMPLATES, _EXHAUSTIVE)
#: A worker's models and lattice system, set when it starts.
_HELD: dict[str, Any] = {}


@dataclass(frozen=True)
class Cell:
    """A candidate: its Bravais lattice, cell (6,) and centring letter."""

    bravais: str
    cell: np.ndarray
    centring: str


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--entries", type=int, default=10, help="of each Bravais lattice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    options = parser.parse_args()
    _row(["lattice", "entries", "source", "first %", "in 20 %", "median CPU s", "worst CPU s"])
    _row(["---"] * 7)
    for name in options.systems:
        models = ModelSet.load(_models(options.results, name))
        system = SYSTEMS[name]
        dataset = read_table(options.results / "dataset" / f"{name}.parquet", DATASET)
        entries = chosen(dataset, system, options.entries, options.seed).to_dict("records")
        cases = [
            case_of(entry, system, Indexing(), options.seed, Spoil(), EXACT) for entry in entries
        ]
        tasks = [(case, derive_seed(options.seed, "strategies", case.entry_id)) for case in cases]
        with ProcessPoolExecutor(
            options.workers, get_context("fork"), _start, (models, system)
        ) as pool:
            rows = [row for rows in pool.map(_entry, tasks) for row in rows]
        _print(pd.DataFrame(rows))


def _models(results: Path, system: str) -> Path:
    found = results / "trained" / system
    return found if found.exists() else results / "models" / system


def _start(models: ModelSet, system: LatticeSystem) -> None:
    threadpool_limits(1)
    _HELD.update(models=models, system=system)
    # Compiled code is loaded before anything is timed.
    lines = np.arange(1, 21) / 25
    mlindex.index(PeakList("warm-up", lines, None, WAVELENGTH_A), workers=1)
    for source in (_NEAREST, _TEMPLATES):
        _engine(source, lines[: n_peaks_of(system)], np.random.default_rng(0))


def _entry(task: tuple[Case, int]) -> list[dict[str, Any]]:
    case, seed = task
    found: dict[str, list[Cell]] = {}
    spent: dict[str, float] = {}
    for source, ask in _sources(case, seed):
        start = process_time()
        found[source] = ask()
        spent[source] = process_time() - start
    start = process_time()
    united = [source for source in _UNITED if source in found]
    found[_UNION] = _united([c for s in united for c in found[s]], case.q2_inv_A2)
    spent[_UNION] = process_time() - start + sum(spent[s] for s in united)
    return [_judged(case, source, found[source], spent[source]) for source in found]


def _sources(case: Case, seed: int) -> Iterator[tuple[str, Callable[[], list[Cell]]]]:
    q2, system, models = case.q2_inv_A2, _HELD["system"], _HELD["models"]
    engines = [_NEAREST, _TEMPLATES]
    engines += [_NETWORKS] if models.assignment_levels else []
    for source in engines:
        yield source, lambda s=source: _engine(s, q2, np.random.default_rng(seed))
    peaks = PeakList(case.entry_id, q2, None, WAVELENGTH_A)
    yield _EXHAUSTIVE, lambda: _cells(mlindex.index(peaks, lattices=(system.name,), workers=1))
    yield _ALL, lambda: _cells(indexed(case.entry_id, q2, 0.0, case.time_limit_s))


def _cells(result: Any) -> list[Cell]:
    return [Cell(c.bravais, c.cell, c.centring) for c in result.candidates]


def _engine(source: str, q2: np.ndarray, rng: np.random.Generator) -> list[Cell]:
    settings, few = Optimization(), Validation()
    if source == _TEMPLATES:
        changes: dict[str, Any] = {"candidates_network": 0, "candidates_forest": 0}
    else:
        changes = {"templates": 0}
    if source == _NETWORKS:
        changes |= {
            "assignment": "network",
            "iterations": min(settings.iterations, few.network_iterations),
            "max_candidates": min(settings.max_candidates, few.network_candidates),
        }
    settings = settings.model_copy(update=changes)
    cells = candidate_cells(q2, _HELD["models"], settings, rng)
    optimized = run_engine(q2, cells, _HELD["models"], settings, rng)
    return [Cell(s.bravais, s.cell, s.centring) for s in optimized.solutions]


def _united(cells: Sequence[Cell], q2: np.ndarray) -> list[Cell]:
    """Candidates of all sources, each lattice once, by their evidence."""
    observed = observe(PeakList("union", q2, None, WAVELENGTH_A), len(q2), None)
    trials = [t for cell in cells for t in _weighed(cell, observed)]
    ranked = different(sorted(trials, key=lambda t: -t.evidence), LISTED)
    return [Cell(t.bravais.symbol, t.cell, t.centring) for t in ranked]


def _weighed(cell: Cell, observed: Observed) -> list[Trial]:
    bravais = BRAVAIS[cell.bravais]
    x, letter = walked(cell.cell, bravais, cell.centring)
    codes = np.array([CENTRING_CODES[letter]])
    return list(weigh(bravais, x[None], codes, observed, 0.0, False).values())


def _judged(case: Case, source: str, cells: Sequence[Cell], seconds: float) -> dict[str, Any]:
    ranks = [r for r, c in enumerate(cells, 1) if case.truth.is_(c.cell, c.centring)]
    rank = ranks[0] if ranks else 0
    return {
        "bravais": case.bravais,
        "source": source,
        "first": rank == 1,
        "listed": 1 <= rank <= LISTED,
        "seconds": seconds,
    }


def _print(rows: pd.DataFrame) -> None:
    order = [_NETWORKS, _NEAREST, _TEMPLATES, _EXHAUSTIVE, _ALL, _UNION]
    for (bravais, source), part in sorted(
        rows.groupby(["bravais", "source"]), key=lambda g: (g[0][0], order.index(g[0][1]))
    ):
        _row(
            [
                bravais,
                str(len(part)),
                source,
                f"{100 * part['first'].mean():.0f}",
                f"{100 * part['listed'].mean():.0f}",
                f"{part['seconds'].median():.2f}",
                f"{part['seconds'].max():.1f}",
            ]
        )


def _row(cells: Iterable[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
