"""Ab initio indexing of validation entries, of calculated and of spoiled lists."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from mlindex.base.columns import cell_names
from mlindex.base.provenance import derive_seed
from mlindex.crystal.lattice import LatticeSystem, bravais_of
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.indexing.rates.judge import Timed, Truth, indexed, timed
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.learning.choice import centring_of, choose_entries
from mlindex.learning.lattices import n_peaks_of
from mlindex.patterns.spoil import EXACT, Spoil, spoil_of, spoiled

#: Lines of a primitive cubic cell of 5 A: indexing it loads all compiled code.
_EASY = np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11]) / 25


#: Entries with fewer lines than the training of models needs are measured
#: separately; fewer than this decide nothing.
_FEWEST_LINES = 5
#: Columns of the seconds, which are no part of the table: they differ from run to run.
SECONDS = ["entry_id", "bravais_lattice", "degradation", "amount", "seconds", "cpu_seconds"]


@dataclass(frozen=True)
class Case:
    """A list to index: its entry, how it is spoiled, the true lattice, the number of threads and
    the time limit."""

    entry_id: str
    bravais: str
    kind: str
    amount: float
    noise_deg: float
    q2_inv_A2: np.ndarray
    truth: Truth
    time_limit_s: float
    threads: int = 1


@dataclass(frozen=True)
class Measured:
    """A frame of INDEXING_RATES, and of each of its rows the wall and processor seconds."""

    table: pd.DataFrame
    seconds: pd.DataFrame


def measure(
    dataset: pd.DataFrame,
    system: LatticeSystem,
    settings: Indexing,
    seed: int,
    workers: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Measured:
    """Index validation entries of a lattice system ab initio.

    What is drawn for an entry depends on the seed and its name alone, so that neither the number
    of workers nor other entries change its rows; a search that reaches the time limit may end
    otherwise on another machine.

    Args:
        dataset: DATASET, at least :data:`mlindex.method.validation.COLUMNS`; only usable entries of
        the
            validation side are taken.
        system: their lattice system.
        settings: config section.
        seed: seed of the job.
        workers: processes.
        progress: wraps the loop over lists.
    """
    return measure_cases(cases(dataset, system, settings, seed), workers, progress)


def cases(
    dataset: pd.DataFrame, system: LatticeSystem, settings: Indexing, seed: int
) -> list[Case]:
    """All lists that :func:`measure` indexes, each entry as calculated first."""
    degraded = set(choose_entries(dataset, settings.degraded_entries, seed)["entry_id"])
    found = []
    for entry in select(dataset, system, settings, seed).to_dict("records"):
        ways = [(EXACT, 0.0)]
        if entry["entry_id"] in degraded:
            ways += settings.ways()
        found += [
            case_of(entry, system, settings, seed, spoil_of(kind, amount), kind, amount)
            for kind, amount in ways
        ]
    return found


def select(
    dataset: pd.DataFrame, system: LatticeSystem, settings: Indexing, seed: int
) -> pd.DataFrame:
    """The entries that :func:`measure` takes; of these alone it takes the same again.

    Args:
        dataset: DATASET, at least :data:`mlindex.method.validation.CHOICE_COLUMNS`.
        system, settings, seed: as for :func:`measure`.
    """
    few = choose_entries(dataset, settings.degraded_entries, seed)
    many = chosen(dataset, system, settings.entries, seed)
    return pd.concat([few, many]).drop_duplicates("entry_id").sort_values("entry_id")


def chosen(
    dataset: pd.DataFrame, system: LatticeSystem, each: int, seed: int, few: bool = False
) -> pd.DataFrame:
    """At most ``each`` usable validation entries of each Bravais lattice.

    If ``few``, instead those that are not usable because they have few lines, 5 at least: small
    cells of high symmetry.
    """
    if few:
        enough = dataset["observed_q2_inv_A2"].map(len) >= _FEWEST_LINES
        dataset = dataset.assign(usable=~dataset["usable"] & enough)
    parts = [
        choose_entries(dataset[dataset["bravais_lattice"] == bravais.symbol], each, seed)
        for bravais in bravais_of(system.name)
    ]
    return pd.concat(parts)


def case_of(
    entry: dict[str, Any],
    system: LatticeSystem,
    settings: Indexing,
    seed: int,
    how: Spoil,
    kind: str,
    amount: float = 0.0,
) -> Case:
    """The list of an entry (a row of DATASET), spoiled."""
    name = entry["entry_id"]
    rng = np.random.default_rng(derive_seed(seed, "spoil", name, kind, repr(float(amount))))
    q2 = np.sort(np.asarray(entry["observed_q2_inv_A2"], dtype=float))
    axis = entry["unique_axis"] or ""
    truth = Truth(
        cell_to_standard(np.array([entry[n] for n in cell_names("")]), system, axis),
        centring_of(entry["hm_symbol"], system, axis),
        settings.length_tolerance,
        settings.angle_tolerance_deg,
    )
    return Case(
        name,
        entry["bravais_lattice"],
        kind,
        float(amount),
        how.noise_deg,
        spoiled(q2, n_peaks_of(system), how, rng),
        truth,
        settings.time_limit_s,
    )


def measure_cases(
    listed: list[Case],
    workers: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Measured:
    """Index the lists, side by side."""
    if not listed:
        return Measured(INDEXING_RATES.empty(), _seconds([], []))
    with _pool(workers) as run:
        outcomes = list(progress(run(_one, listed)))
    rows = [_row(case, outcome) for case, outcome in zip(listed, outcomes, strict=True)]
    return Measured(pd.DataFrame(rows, columns=INDEXING_RATES.names), _seconds(listed, outcomes))


@contextmanager
def _pool(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """A map over processes, since the processor times of threads can't be separated."""
    if workers <= 1:
        _prepare()
        yield map
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, context, initializer=_prepare) as pool:
        yield pool.map


def _prepare() -> None:
    # The number of BLAS threads changes the last bits of a product; loading is no search time.
    threadpool_limits(1)
    indexed("warm-up", _EASY, 0.0, 60.0)


def _one(case: Case) -> Timed:
    return timed(
        case.entry_id,
        case.q2_inv_A2,
        case.noise_deg,
        case.truth,
        case.time_limit_s,
        case.threads,
    )


def _row(case: Case, outcome: Timed) -> dict[str, Any]:
    judged = outcome.judged
    return {
        "entry_id": case.entry_id,
        "bravais_lattice": case.bravais,
        "degradation": case.kind,
        "amount": case.amount,
        "lines": len(case.q2_inv_A2),
        "rank": judged.rank,
        "first": judged.first,
        "named": judged.named,
        "listed": judged.listed,
        "convincing": judged.convincing,
        "wrong": judged.wrong,
        "candidates": judged.candidates,
        "best_bravais_lattice": judged.best,
        "m20": judged.m20,
    }


def _seconds(listed: list[Case], outcomes: list[Timed]) -> pd.DataFrame:
    rows = [
        (c.entry_id, c.bravais, c.kind, c.amount, o.seconds, o.cpu_seconds)
        for c, o in zip(listed, outcomes, strict=True)
    ]
    return pd.DataFrame(rows, columns=SECONDS)
