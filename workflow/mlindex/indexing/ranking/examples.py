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
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.lattice import LatticeSystem, bravais_of
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.options import Options
from mlindex.indexing.ranking.features import features, known
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.settings import RankingExamples
from mlindex.indexing.ranking.tables import RANKING_EXAMPLES
from mlindex.indexing.search.find_and_weigh import SEARCH_LINES, WEIGHED_LINES, find
from mlindex.indexing.search.observed import DEFAULT_ERROR_DEG
from mlindex.learning.choice import centring_of
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.spoil import WAVELENGTH_A, Spoil, spoiled


@dataclass(frozen=True)
class _Task:
    entry: dict[str, Any]
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
    tasks = [_Task(e, system, settings, seed) for e in _chosen(dataset, system, settings, seed)]
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


def _rows_of(task: _Task) -> list[dict[str, Any]]:
    entry, settings = task.entry, task.settings
    rng = np.random.default_rng(derive_seed(task.seed, "spoil", entry["entry_id"]))
    lines, how = _lines(task, rng)
    if len(lines) < settings.fewest_lines:
        return []
    told = how.noise_deg if rng.random() < settings.spoiled_share else None
    error_deg = told if told is not None and told > DEFAULT_ERROR_DEG / 10 else None
    peaks = PeakList(entry["entry_id"], lines, None, WAVELENGTH_A)
    observed, found, _ = find(peaks, Options(two_theta_error_deg=error_deg))
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
        "n_lines": len(lines),
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


def _lines(task: _Task, rng: np.random.Generator) -> tuple[np.ndarray, Spoil]:
    """q² (n,) of the list, rising, and how it was spoiled."""
    settings = task.settings
    q2 = np.sort(np.asarray(task.entry["observed_q2_inv_A2"], dtype=float))
    q2 = q2[np.isfinite(two_theta_from_q2(q2, WAVELENGTH_A))]
    usual = SEARCH_LINES if rng.random() < settings.spoiled_share else n_peaks_of(task.system)
    n_lines = WEIGHED_LINES if rng.random() < settings.long_share else usual
    how, n_lines = _drawn(settings, min(n_lines, len(q2)), rng)
    return spoiled(q2, n_lines, how, rng), how


def _drawn(settings: RankingExamples, n_lines: int, rng: np.random.Generator) -> tuple[Spoil, int]:
    """How a list is spoiled, and how many lines it has."""
    if rng.random() < settings.exact_share:
        return Spoil(), n_lines
    low, high = np.log(settings.noise_deg)
    noise = float(np.exp(rng.uniform(low, high)))
    shifted, with_impurities, with_missing = rng.random(3) < settings.spoiled_share
    shift = np.clip(rng.normal(0, settings.shift_deg), *_around(settings.greatest_shift_deg))
    impurities = int(rng.integers(0, settings.impurities + 1))
    missing = int(rng.integers(0, settings.missing + 1))
    if rng.random() < settings.short_share:
        n_lines = int(rng.integers(min(settings.fewest_lines, n_lines), n_lines + 1))
    return Spoil(
        float(shift) if shifted else 0.0,
        noise,
        impurities if with_impurities else 0,
        missing if with_missing else 0,
    ), n_lines


def _around(size: float) -> tuple[float, float]:
    return -size, size
