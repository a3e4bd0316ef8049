"""The outcome of ab initio indexing of a list whose lattice is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.looks import index_list
from mlindex.indexing.options import Options
from mlindex.indexing.result import IndexingResult
from mlindex.indexing.search.observed import DEFAULT_ERROR_DEG
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.spoil import WAVELENGTH_A

#: A candidate up to this place is in the list that people see.
LISTED = 20
#: More than any search returns: a lattice that is found at all is seen.
_KEEP = 100


@dataclass(frozen=True)
class Truth:
    """The true lattice, and what counts as the same: see :mod:`mlindex.crystal.equivalence`."""

    cell: np.ndarray
    centring: str
    length_tolerance: float = FOUND_LATTICE.length_rel
    angle_tolerance_deg: float = FOUND_LATTICE.angle_deg

    def is_(self, cell: np.ndarray, centring: str) -> bool:
        """Whether a cell (6,) with its centring letter describes it."""
        return same(
            lattice_of(cell, centring),
            lattice_of(self.cell, self.centring),
            self.length_tolerance,
            self.angle_tolerance_deg,
        )


@dataclass(frozen=True)
class Judged:
    """The verdict on one list.

    ``rank`` is that of the true lattice, from 1, 0 where it is nowhere in the list; ``named``:
    the first candidate is another lattice and names the true one as its partner.
    ``m20`` and ``best`` (Bravais lattice) are of the first candidate, None and empty without one.
    """

    rank: int
    named: bool
    convincing: bool
    candidates: int
    best: str
    m20: float | None

    @property
    def first(self) -> bool:
        """Whether the true lattice stands first."""
        return self.rank == 1

    @property
    def solved(self) -> bool:
        """Whether it stands first or is named as partner of the first."""
        return self.first or self.named

    @property
    def listed(self) -> bool:
        """Whether it is among the first 20."""
        return 1 <= self.rank <= LISTED

    @property
    def wrong(self) -> bool:
        """Whether another lattice is called convincing and the true one not even named."""
        return self.convincing and not self.solved


@dataclass(frozen=True)
class Timed:
    """A verdict with its wall time and the processor time of all threads."""

    judged: Judged
    seconds: float
    cpu_seconds: float


def given_error_deg(noise_deg: float) -> float | None:
    """The error of 2theta that is given to indexing for a list with this noise.

    Whoever measures such a pattern knows how accurate its lines are. Noise below the default error
    is not given.
    """
    return noise_deg if noise_deg > DEFAULT_ERROR_DEG else None


def indexed(
    name: str, q2: np.ndarray, noise_deg: float, time_limit_s: float, threads: int = 1
) -> IndexingResult:
    """Index a list of q² (n,) in 1/A², rising, given only its error.

    Raises:
        MlindexError: there are too few lines.
    """
    peaks = PeakList(name, q2, None, WAVELENGTH_A)
    options = Options(
        time_limit_s=time_limit_s, two_theta_error_deg=given_error_deg(noise_deg), keep=_KEEP
    )
    return index_list(peaks, options, threads)


def timed(
    name: str,
    q2: np.ndarray,
    noise_deg: float,
    truth: Truth,
    time_limit_s: float,
    threads: int = 1,
) -> Timed:
    """:func:`indexed`, judged. A list that is refused (too short) counts as not found."""
    wall, cpu = perf_counter(), process_time()
    try:
        result = indexed(name, q2, noise_deg, time_limit_s, threads)
    except MlindexError:
        result = None
    spent = perf_counter() - wall, process_time() - cpu
    found = Judged(0, False, False, 0, "", None) if result is None else judge(result, truth)
    return Timed(found, *spent)


def judge(result: IndexingResult, truth: Truth) -> Judged:
    """Compare candidates with the true lattice."""
    rank = next(_ranks(result, truth), 0)
    best = result.candidates[0] if result.candidates else None
    named = rank != 1 and best is not None
    named = named and any(truth.is_(p.cell, p.centring) for p in best.partners)
    return Judged(
        rank,
        named,
        result.convincing,
        len(result.candidates),
        best.bravais if best else "",
        float(best.m20) if best else None,
    )


def _ranks(result: IndexingResult, truth: Truth) -> Iterator[int]:
    for rank, candidate in enumerate(result.candidates, 1):
        if truth.is_(candidate.cell, candidate.centring):
            yield rank
