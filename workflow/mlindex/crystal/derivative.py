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
#: Makes one number of the nine of a base, each of them 0 to 48.
_PLACES = 64 ** np.arange(9)


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
    """All with both indices up to :data:`MAX_INDEX` (made at the first call, a few ms)."""
    forms = {index: hermite_normal_forms(index) for index in range(1, MAX_INDEX + 1)}
    made, indices = [], []
    for up, duals in forms.items():
        for dual in duals:
            above = np.rint(np.linalg.inv(dual).T * _DENOMINATOR).astype(int)
            for down, below in forms.items():
                made.append(below @ above)
                indices += [(up, down)] * len(below)
    bases = _hermite(np.concatenate(made))
    # The smallest superlattice in which a lattice is met comes first.
    _, first = np.unique(bases.reshape(-1, 9) @ _PLACES, return_index=True)
    first = np.sort(first)
    # The lattice itself comes before all others.
    first = first[1:]
    up, down = np.array(indices)[first].T
    return DerivativeLattices(bases[first] / _DENOMINATOR, up, down)


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


def _hermite(rows: np.ndarray) -> np.ndarray:
    """Hermite normal forms of integer matrices (n, 3, 3), rows generating the lattices."""
    rows = rows.copy()
    each = np.arange(len(rows))
    for column in range(3):
        while True:
            # The row with the smallest entry that is not 0 goes up and is taken off those below.
            size = np.abs(rows[:, column:, column])
            pivot = column + np.where(size > 0, size, size.max() + 1).argmin(axis=1)
            rows[each, column], rows[each, pivot] = rows[each, pivot], rows[each, column]
            if not rows[:, column + 1 :, column].any():
                break
            for row in range(column + 1, 3):
                _subtract(rows, row, column)
        rows[:, column] *= np.sign(rows[:, column, column])[:, None]
        for row in range(column):
            _subtract(rows, row, column)
    return rows


def _subtract(rows: np.ndarray, row: int, pivot: int) -> None:
    times = rows[:, row, pivot] // rows[:, pivot, pivot]
    rows[:, row] -= times[:, None] * rows[:, pivot]
