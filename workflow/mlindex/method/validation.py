"""Validation indexing: the optimization run on entries that no model has been trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.provenance import derive_seed
from mlindex.base.statistics import wilson_interval
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import AXES, BRAVAIS, LatticeSystem
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.indexing.merit import merit
from mlindex.learning.choice import centring_of, choose_entries
from mlindex.learning.lattices import n_peaks_of
from mlindex.method.optimizer.finish import Solution
from mlindex.method.optimizer.optimize import Optimized, optimize
from mlindex.method.optimizer.templates import template_cells
from mlindex.method.published import PUBLISHED_RATES
from mlindex.method.settings import Optimization, Validation
from mlindex.method.tables import RATES, VALIDATION

FOUND, EXPLAINED, MISSED = "found", "explained", "missed"


class Models(Protocol):
    """What indexing needs of trained models (:class:`mlindex.method.models.ModelSet`).

    ``reference_hkl`` is (r, 3) in the standard setting, ``templates`` a frame of TEMPLATES.
    """

    system: LatticeSystem
    reference_hkl: np.ndarray
    templates: pd.DataFrame

    @property
    def assignment_levels(self) -> tuple[float, ...]:
        """Noise levels of the assignment networks."""
        ...

    def draw_candidates(
        self, q2_inv_A2: np.ndarray, n_network: int, n_forest: int, rng: np.random.Generator
    ) -> Any:
        """Candidates with ``cells`` (n, 6) in the standard setting."""
        ...

    def assign_probabilities(
        self, q2_inv_A2: np.ndarray, cells: np.ndarray, level: float
    ) -> np.ndarray:
        """Softmax (n, p, r) at a noise level."""
        ...


@dataclass(frozen=True)
class Validated:
    """A frame of VALIDATION and the seconds that each of its rows took, in its order."""

    table: pd.DataFrame
    seconds: list[float]


def validate(
    dataset: pd.DataFrame,
    models: Models,
    optimization: Optimization,
    settings: Validation,
    seed: int,
    workers: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Validated:
    """Index validation entries and compare with what they are.

    Every entry has a seed of its own, so that neither the number of workers nor which other
    entries are indexed changes its result.

    Args:
        dataset: DATASET, at least :data:`COLUMNS`; only usable entries of the validation side are
            taken, so that it may hold no others than :func:`choose_entries` gives.
        models: the trained models of the lattice system.
        optimization, settings: config sections.
        seed: seed of the job.
        workers: threads; the compiled loops run side by side.
        progress: wraps the loop over entries.
    """
    entries = choose_entries(dataset, settings.entries, seed)

    def one(entry: dict[str, Any]) -> tuple[dict[str, Any], float]:
        start = perf_counter()
        row = _index_entry(entry, models, optimization, settings, seed)
        return row, perf_counter() - start

    with ThreadPoolExecutor(max(1, workers)) as pool:
        results = list(progress(pool.map(one, entries.to_dict("records"))))
    rows = [row for row, _ in results]
    table = pd.DataFrame(rows, columns=VALIDATION.names) if rows else VALIDATION.empty()
    return Validated(table, [seconds for _, seconds in results])


def validate_methods(
    dataset: pd.DataFrame,
    models: Models | None,
    optimization: Optimization,
    settings: Validation,
    seed: int,
    workers: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Validated:
    """:func:`validate` with each way of assigning indices that has entries in the settings.

    The assignment networks are left out where none was trained. They index the first entries of
    the same draw, fewer by default, as they take longer. Without models there is nothing to do.
    """
    if models is None:
        return Validated(VALIDATION.empty(), [])
    runs = [(optimization.model_copy(update={"assignment": "nearest"}), settings.entries)]
    if models.assignment_levels and settings.network_entries:
        changes = {
            "assignment": "network",
            "iterations": min(optimization.iterations, settings.network_iterations),
            "max_candidates": min(optimization.max_candidates, settings.network_candidates),
        }
        runs.append((optimization.model_copy(update=changes), settings.network_entries))
    parts = [
        validate(
            dataset,
            models,
            changed,
            settings.model_copy(update={"entries": count}),
            seed,
            workers,
            progress,
        )
        for changed, count in runs
    ]
    table = pd.concat([part.table for part in parts], ignore_index=True)
    return Validated(table, [seconds for part in parts for seconds in part.seconds])


def _index_entry(
    entry: dict[str, Any],
    models: Models,
    optimization: Optimization,
    settings: Validation,
    seed: int,
) -> dict[str, Any]:
    system = models.system
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "index", entry["entry_id"])))
    q2 = np.sort(np.asarray(entry["observed_q2_inv_A2"], dtype=float)[: n_peaks_of(system)])
    reindexed = np.array([entry[name] for name in cell_names("")])
    true_cell = cell_to_standard(reindexed, system, entry["unique_axis"] or "")
    candidates = candidate_cells(q2, models, optimization, rng)
    optimized = run_engine(q2, candidates, models, optimization, rng)
    centring = centring_of(entry["hm_symbol"], system, entry["unique_axis"] or "")
    return {
        "entry_id": entry["entry_id"],
        "bravais_lattice": entry["bravais_lattice"],
        "group": entry["group"],
        "method": optimization.assignment,
        **dict(zip(cell_names("true_"), true_cell, strict=True)),
        **_outcome(q2, true_cell, centring, optimized, optimization, settings),
        "lines": len(q2),
        "candidates": optimized.candidates,
        "iterations": optimized.iterations,
        "best_initial_distance_A": _nearest_distance(candidates, true_cell),
    }


def candidate_cells(
    q2: np.ndarray,
    models: Models,
    settings: Optimization,
    rng: np.random.Generator,
) -> np.ndarray:
    """Candidates (n, 6) in the standard setting: from networks, forests and templates."""
    cells = models.draw_candidates(
        q2, settings.candidates_network, settings.candidates_forest, rng
    ).cells
    if len(models.templates) and settings.templates:
        solved = template_cells(
            q2, models.templates, models.reference_hkl, models.system, settings.templates, rng
        )
        cells = np.concatenate([cells, solved])
    if len(cells) > settings.max_candidates:
        cells = cells[rng.permutation(len(cells))[: settings.max_candidates]]
    return cells


def run_engine(
    q2: np.ndarray,
    cells: np.ndarray,
    models: Models,
    settings: Optimization,
    rng: np.random.Generator,
    epsilon_inv_A2: np.ndarray | None = None,
) -> Optimized:
    """:func:`optimize` with the assignment networks of the models where the settings want them."""
    levels = models.assignment_levels

    def probabilities(trial: np.ndarray, level: int) -> np.ndarray:
        return models.assign_probabilities(q2, trial, levels[level])

    return optimize(
        q2,
        cells,
        models.system,
        models.reference_hkl,
        settings,
        rng,
        probabilities if levels else None,
        len(levels),
        epsilon_inv_A2,
    )


def _outcome(
    q2: np.ndarray,
    true_cell: np.ndarray,
    centring: str,
    optimized: Optimized,
    optimization: Optimization,
    settings: Validation,
) -> dict[str, Any]:
    true_lattice = lattice_of(true_cell, centring)
    ranks = [
        rank
        for rank, solution in enumerate(optimized.solutions, 1)
        if same(
            solution.lattice, true_lattice, settings.length_tolerance, settings.angle_tolerance_deg
        )
    ]
    best = optimized.solutions[0] if optimized.solutions else None
    floor = optimization.epsilon_q2
    explains = best is not None and best.n_indexed == len(q2)
    outcome = FOUND if 1 in ranks else EXPLAINED if explains else MISSED
    return {
        **dict(zip(cell_names("best_"), _cell_or_nan(best), strict=True)),
        "outcome": outcome,
        "rank": ranks[0] if ranks else 0,
        "m20": best.merit.m if best else 0.0,
        "true_m20": merit(q2, true_cell, centring, floor).m,
        "indexed": best.n_indexed if best else 0,
    }


def _cell_or_nan(solution: Solution | None) -> np.ndarray:
    return np.full(6, np.nan) if solution is None else solution.cell


def _nearest_distance(cells: np.ndarray, true_cell: np.ndarray) -> float:
    if not len(cells):
        return float("inf")
    difference = np.asarray(cells)[:, : len(AXES)] - true_cell[: len(AXES)]
    return float(np.nanmin(np.linalg.norm(difference, axis=1)))


def rates(validation: pd.DataFrame) -> pd.DataFrame:
    """RATES for each method and Bravais lattice of VALIDATION, with Wilson's 95 % interval."""
    rows = [
        _rate(symbol, method, outcome, int(rows["outcome"].isin(kinds).sum()), len(rows))
        for method in sorted(validation["method"].unique(), reverse=True)
        for symbol, rows in _by_bravais(validation[validation["method"] == method])
        for outcome, kinds in ((FOUND, [FOUND]), ("found or explained", [FOUND, EXPLAINED]))
    ]
    return pd.DataFrame(rows, columns=RATES.names) if rows else RATES.empty()


def _by_bravais(validation: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for symbol in BRAVAIS:
        rows = validation[validation["bravais_lattice"] == symbol]
        if len(rows):
            yield symbol, rows


def _rate(symbol: str, method: str, outcome: str, successes: int, entries: int) -> dict[str, Any]:
    low, high = wilson_interval(successes, entries)
    return {
        "bravais_lattice": symbol,
        "method": method,
        "outcome": outcome,
        "successes": successes,
        "entries": entries,
        "rate": successes / entries,
        "low": low,
        "high": high,
        "published": PUBLISHED_RATES[symbol],
    }
