"""Lists for the ranking to learn from: spoiled at random, indexed, every candidate judged."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from mlindex.base.columns import cell_names
from mlindex.base.provenance import derive_seed
from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.lattice import LatticeSystem, bravais_of
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.options import Options
from mlindex.indexing.ranking.drawn import drawn_list
from mlindex.indexing.ranking.features import features, known
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.settings import RankingExamples
from mlindex.indexing.ranking.tables import RANKING_EXAMPLES
from mlindex.indexing.search.find_and_weigh import find
from mlindex.learning.choice import centring_of
from mlindex.learning.sides import TRAIN, VALIDATION


@dataclass(frozen=True)
class _Task:
    entry: dict[str, Any]
    second: dict[str, Any]
    system: LatticeSystem
    settings: RankingExamples
    seed: int


def examples(
    dataset: pd.DataFrame,
    system: LatticeSystem,
    settings: RankingExamples,
    seed: int,
    workers: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> pd.DataFrame:
    """RANKING_EXAMPLES of a lattice system.

    What is drawn for an entry depends on the seed and its name alone.

    Args:
        dataset: DATASET; entries of both sides are taken, those with fewer lines than training
            the models needs among them: small cells of high symmetry have no more.
        system: their lattice system.
        settings: config section.
        seed: seed of the job.
        workers: processes.
        progress: wraps the loop over lists.
    """
    chosen = _chosen(dataset, system, settings, seed)
    tasks = [
        _Task(entry, _second(chosen, i, seed), system, settings, seed)
        for i, entry in enumerate(chosen)
    ]
    if workers <= 1:
        threadpool_limits(1)
        rows = list(progress(map(_rows_of, tasks)))
    else:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(
            workers, context, initializer=threadpool_limits, initargs=(1,)
        ) as pool:
            rows = list(progress(pool.map(_rows_of, tasks)))
    flat = [row for part in rows for row in part]
    return pd.DataFrame(flat, columns=RANKING_EXAMPLES.names) if flat else RANKING_EXAMPLES.empty()


def _chosen(
    dataset: pd.DataFrame, system: LatticeSystem, settings: RankingExamples, seed: int
) -> list[dict[str, Any]]:
    found = []
    enough = dataset["observed_q2_inv_A2"].map(len) >= settings.fewest_lines
    for side, count in ((TRAIN, settings.entries), (VALIDATION, settings.validation_entries)):
        for bravais in bravais_of(system.name):
            mask = enough & (dataset["side"] == side)
            part = dataset[mask & (dataset["bravais_lattice"] == bravais.symbol)]
            keys = [derive_seed(seed, "choose", entry) for entry in part["entry_id"]]
            found += part.iloc[np.argsort(keys, kind="stable")[:count]].to_dict("records")
    return found


def _second(entries: list[dict[str, Any]], i: int, seed: int) -> dict[str, Any]:
    """Another entry of the same side at random, the crystal mixed into a sample with it."""
    entry = entries[i]
    others = [e for e in entries if e is not entry and e["side"] == entry["side"]]
    rng = np.random.default_rng(derive_seed(seed, "second", entry["entry_id"]))
    return others[int(rng.integers(len(others)))] if others else entry


def _rows_of(task: _Task) -> list[dict[str, Any]]:
    entry, settings = task.entry, task.settings
    rng = np.random.default_rng(derive_seed(task.seed, "spoil", entry["entry_id"]))
    drawn = drawn_list(entry, task.second, task.system, settings, rng)
    how = drawn.how
    if len(drawn.peaks) < settings.fewest_lines:
        return []
    observed, found, _ = find(drawn.peaks, Options(two_theta_error_deg=drawn.error_deg))
    found = found[: settings.candidates]
    rows = features([known(trial, observed) for trial in found], observed)
    truth = _truth(task)
    shared = {
        "entry_id": entry["entry_id"],
        "bravais_lattice": entry["bravais_lattice"],
        "side": entry["side"],
        "shift_deg": how.shift_deg,
        "noise_deg": how.noise_deg,
        "impurities": how.impurities,
        "missing": how.missing,
        "intensities": drawn.peaks.intensity is not None,
        "second_share": drawn.second_share,
        "n_lines": len(drawn.peaks),
    }
    nothing = {f"x_{name}": 0.0 for name in FEATURES}
    made = [
        shared
        | {"candidate": i + 1, "right": same(t.lattice(), truth, *FOUND_LATTICE)}
        | {f"x_{name}": float(value) for name, value in zip(FEATURES, rows[i], strict=True)}
        for i, t in enumerate(found)
    ]
    return made or [shared | {"candidate": 0, "right": False} | nothing]


def _truth(task: _Task) -> Lattice:
    axis = task.entry["unique_axis"] or ""
    reindexed = np.array([task.entry[name] for name in cell_names("")])
    return lattice_of(
        cell_to_standard(reindexed, task.system, axis),
        centring_of(task.entry["hm_symbol"], task.system, axis),
    )
