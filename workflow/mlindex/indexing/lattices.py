"""What a search says of each of the 14 Bravais lattices, and of their extinction symbols."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from typing import NamedTuple

import gemmi
import numpy as np
from threadpoolctl import threadpool_limits

from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.indexing.looks import FEWEST_LINES, index_list
from mlindex.indexing.options import Options
from mlindex.indexing.result import Candidate, IndexingResult
from mlindex.patterns.peaklist import PeakList


class LatticeEvidence(NamedTuple):
    """The evidence of one search, in the order of ``classes_of("bravais")``.

    ``probability`` (14,) is the sum over the candidates of a lattice, so that what all lack of 1 is
    for no lattice that was found. ``log_evidence`` (14,) is that of the best of them, NaN where
    there is none. ``convincing`` (14,) is true for the lattice of a convincing cell. ``volume_A3``
    (14,) is that of the most probable primitive cell, NaN where there is none. ``symbols`` (k,)
    are, in the order of ``classes_of("extinction_symbol")``, probabilities within a lattice by its
    most probable candidate; NaN where that is not known.
    """

    probability: np.ndarray
    log_evidence: np.ndarray
    convincing: np.ndarray
    volume_A3: np.ndarray
    symbols: np.ndarray


def evidence_of(result: IndexingResult) -> LatticeEvidence:
    """The evidence in what a search gave."""
    names = classes_of("bravais").names
    found = _nothing()
    for candidate in result.candidates:
        at = names.index(candidate.bravais)
        found.probability[at] += candidate.probability
        found.log_evidence[at] = np.fmax(found.log_evidence[at], candidate.log_evidence)
    for candidate in reversed(result.candidates):
        # The first of a lattice comes last, and stays.
        lattice = BRAVAIS[candidate.bravais]
        found.volume_A3[names.index(lattice.symbol)] = candidate.volume_A3 / lattice.n_points
        if candidate.extinctions:
            _put_symbols(found.symbols, candidate)
    if result.convincing:
        found.convincing[names.index(result.candidates[0].bravais)] = True
    return found


def searched_lists(
    lists: Sequence[PeakList],
    time_limit_s: float,
    workers: int = 1,
    progress: Callable[[Iterable], Iterable] = iter,
) -> list[LatticeEvidence]:
    """The evidence of some lists by the search as people run it; none where lines are too few.

    Args:
        lists: with their wavelength.
        time_limit_s: seconds for each.
        workers: processes.
        progress: wraps the loop over the lists.
    """
    one = partial(_searched, time_limit_s=time_limit_s)
    if workers <= 1:
        return list(progress(map(one, lists)))
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        workers, context, initializer=threadpool_limits, initargs=(1,)
    ) as pool:
        return list(progress(pool.map(one, lists)))


def _searched(peaks: PeakList, time_limit_s: float) -> LatticeEvidence:
    if len(peaks) < FEWEST_LINES:
        return _nothing()
    return evidence_of(index_list(peaks, Options(time_limit_s=time_limit_s), workers=1))


def _nothing() -> LatticeEvidence:
    k = len(classes_of("bravais"))
    unknown = np.full(len(classes_of("extinction_symbol")), np.nan)
    none = np.full(k, np.nan)
    return LatticeEvidence(np.zeros(k), none, np.zeros(k, dtype=bool), none.copy(), unknown)


def _put_symbols(symbols: np.ndarray, candidate: Candidate) -> None:
    """Put the probabilities of a candidate's extinction symbols in place.

    Symbols that differ by the names of the axes alone are one class, and add up.
    """
    of = classes_of("extinction_symbol")
    own = [name.split()[0] == candidate.bravais for name in of.names]
    symbols[own] = 0.0
    for extinction in candidate.extinctions:
        symbols[of.of_group[_numbers()[extinction.space_groups[0]] - 1]] += extinction.probability


@cache
def _numbers() -> dict[str, int]:
    """Numbers of space groups by their symbols in all settings."""
    return {group.hm: group.number for group in gemmi.spacegroup_table()}
