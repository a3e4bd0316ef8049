"""Derivative lattices: sublattices, superlattices and what shares one of these with a lattice.

The sublattices of index n of a lattice are the matrices in Hermite normal form of determinant n;
superlattices are the duals of sublattices of the dual (Santoro and Mighell 1972, Acta Cryst. A28,
284). The lattices here are sublattices of superlattices, each once. They do not depend on any
cell, so the table is made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from mlindex.crystal.lattice import quadratic_terms

#: Greatest index of a superlattice, and of its sublattice.
MAX_INDEX = 4
#: Least common multiple of the indices: bases are whole numbers of 1 / this.
_DENOMINATOR = 12


@dataclass(frozen=True)
class DerivativeLattices:
    """Lattices other than the given one that have a common superlattice with it.

    Attributes:
        bases: (n, 3, 3), rows: vectors in terms of the basis of the given lattice.
        up: index (n,) of the given lattice in the smallest common superlattice.
        down: index (n,) of the derivative lattice in it.
    """

    bases: np.ndarray
    up: np.ndarray
    down: np.ndarray

    @cached_property
    def terms(self) -> np.ndarray:
        """Quadratic terms (n, 13, 6) of the sums and differences of the vectors of each basis."""
        sums = np.indices((3, 3, 3)).reshape(3, -1).T[14:] - 1
        return quadratic_terms(sums @ self.bases)


@cache
def derivative_lattices() -> DerivativeLattices:
    """All with both indices up to :data:`MAX_INDEX` (made at the first call, some 30 ms)."""
    indices = range(1, MAX_INDEX + 1)
    found: dict[tuple[tuple[int, ...], ...], tuple[int, int]] = {}
    for up in indices:
        for dual in hermite_normal_forms(up):
            above = np.rint(np.linalg.inv(dual).T * _DENOMINATOR).astype(int)
            for down in indices:
                for below in hermite_normal_forms(down):
                    # The smallest superlattice in which a lattice is met comes first.
                    found.setdefault(_hermite((below @ above).tolist()), (up, down))
    del found[_hermite((np.eye(3, dtype=int) * _DENOMINATOR).tolist())]
    bases = np.array(list(found)) / _DENOMINATOR
    up, down = np.array(list(found.values())).T
    return DerivativeLattices(bases, up, down)


def hermite_normal_forms(index: int) -> np.ndarray:
    """Bases (n, 3, 3), rows, of all sublattices of that index of the integer lattice."""
    divisors = [d for d in range(1, index + 1) if index % d == 0]
    diagonals = [
        (a, b, index // (a * b)) for a in divisors for b in divisors if index % (a * b) == 0
    ]
    return np.array(
        [
            [[a, x, y], [0, b, z], [0, 0, c]]
            for a, b, c in diagonals
            for x in range(b)
            for y in range(c)
            for z in range(c)
        ]
    )


def _hermite(rows: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    """Hermite normal form of a square integer matrix, rows generating the lattice."""
    size = len(rows)
    for column in range(size):
        while True:
            left = [r for r in range(column, size) if rows[r][column]]
            pivot = min(left, key=lambda r: abs(rows[r][column]))
            rows[column], rows[pivot] = rows[pivot], rows[column]
            if len(left) == 1:
                break
            for r in range(column + 1, size):
                _subtract(rows, r, column)
        if rows[column][column] < 0:
            rows[column] = [-v for v in rows[column]]
        for r in range(column):
            _subtract(rows, r, column)
    return tuple(tuple(row) for row in rows)


def _subtract(rows: list[list[int]], row: int, pivot: int) -> None:
    times = rows[row][pivot] // rows[pivot][pivot]
    rows[row] = [v - times * p for v, p in zip(rows[row], rows[pivot], strict=True)]
