"""Which Bravais lattices a primitive cell with errors of measurement could be.

Reduced-cell tables ask one reduced basis for equalities, and errors both break these and change
the basis. Here the cell is compared with every holohedry that any reduced basis can show
(:mod:`mlindex.crystal.holohedries`), each by the least change of metric that makes it exact, so a
cell near a border between two types of reduced cell is recognized from either side (the aim of Le
Page 1982, J. Appl. Cryst. 15, 255, and of Oishi-Tomiyasu 2012, Acta Cryst. A68, 525).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_from_reciprocal
from mlindex.crystal.holohedries import (
    Holohedries,
    holohedries,
    reciprocal_change,
    reciprocal_metric,
)
from mlindex.crystal.lattice import CENTRING_TRANSLATIONS, BravaisLattice
from mlindex.crystal.reduced import reduced
from mlindex.crystal.standard import change_to_standard

#: A cell whose q² change by no more than this has the symmetry exactly, but for rounding.
EXACT = 1e-5
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Recognized:
    """A Bravais lattice that a primitive cell has within tolerance.

    Attributes:
        bravais: its symbol; hR is on rhombohedral axes.
        centring: centring letter in the standard setting, e.g. A, C or I for mC.
        operator: P, integers (3, 3): conventional basis = given basis @ P; Miller indices as rows
            transform alike, h' = h P.
        cell: conventional cell (A, degrees) in the standard setting (unique axis b, a < c and
            beta not acute; a < b < c; Niggli), which has the symmetry exactly.
        distance: greatest relative change of the q² of any reflection by making it exact.
    """

    bravais: str
    centring: str
    operator: np.ndarray
    cell: np.ndarray
    distance: float


def recognize(x6: np.ndarray, tolerance: float, bravais: str | None = None) -> list[Recognized]:
    """All lattices that a primitive cell is within tolerance, the highest symmetry first.

    A Bravais lattice comes more than once where it can be laid in different ways, as an
    orthorhombic cell is monoclinic along each axis. With equal numbers of free parameters the
    nearest comes first; the cell itself, as aP, is last.

    Args:
        x6: six reciprocal parameters (1/A², order of ``QUADRATIC_TERMS``) of a primitive cell, not
            necessarily reduced.
        tolerance: greatest relative change of any q².
        bravais: symbol, to have the lattices of this one only.

    Raises:
        ValueError: if x6 is no lattice.
    """
    return list(_recognized(x6, tolerance, bravais))


def conventional(x6: np.ndarray, tolerance: float = EXACT) -> Recognized:
    """The highest symmetry that a primitive cell has: the first of :func:`recognize`."""
    return next(_recognized(x6, tolerance))


def nearest_of_each(x6: np.ndarray, tolerance: float) -> list[Recognized]:
    """The nearest lattice of each Bravais symbol, in the order of :func:`recognize`."""
    return list(_recognized(x6, tolerance, once=True))


def _recognized(
    x6: np.ndarray, tolerance: float, bravais: str | None = None, once: bool = False
) -> Iterator[Recognized]:
    """What :func:`recognize` returns, made one by one; if ``once``, the first of each symbol."""
    x6 = np.asarray(x6, dtype=float)
    rows = reduced(reciprocal_metric(x6))
    to_reduced = np.rint(np.linalg.inv(rows)).astype(int)
    in_reduced = reciprocal_change(to_reduced) @ x6
    table = holohedries()
    near, distances = _near(table, in_reduced, tolerance)
    order = np.lexsort((distances, table.n_free[near]))
    seen: set[str] = set()
    for place in order.tolist():
        row = near[place]
        symbol = table.bravais[row].symbol
        if bravais in (None, symbol) and not (once and symbol in seen):
            seen.add(symbol)
            cell = cell_from_reciprocal(table.to_conventional[row] @ in_reduced)
            operator = to_reduced @ table.operators[row]
            yield _in_standard(table.bravais[row], operator, cell, float(distances[place]))


def _near(table: Holohedries, x6: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the table within tolerance of a reduced cell, and their distances."""
    # In the frame in which the cell is the unit matrix, eigenvalues are relative changes of q².
    frame = np.linalg.cholesky(reciprocal_metric(x6))
    relative = table.deviation @ x6 @ reciprocal_change(frame).T
    squares = relative * relative
    norm2 = squares[:, :3].sum(axis=1) + squares[:, 3:].sum(axis=1) / 2
    # The norm is at most sqrt(3) times the largest eigenvalue.
    rows = np.flatnonzero(norm2 <= 3 * tolerance**2 + _ROUNDING**2)
    largest = np.abs(np.linalg.eigvalsh(reciprocal_metric(relative[rows]))).max(axis=1)
    kept = largest <= tolerance + _ROUNDING
    return rows[kept], largest[kept]


def _in_standard(
    lattice: BravaisLattice, operator: np.ndarray, cell: np.ndarray, distance: float
) -> Recognized:
    change, cell = change_to_standard(cell, lattice.system)
    operator = operator @ change
    if _determinant(operator.tolist()) < 0:
        operator = -operator
    cell = lattice.system.cell_from_free(lattice.system.free_from_cell(cell))
    return Recognized(lattice.symbol, _centring(lattice, operator), operator, cell, distance)


def _determinant(m: list[list[int]]) -> int:
    (a, b, c), (d, e, f), (g, h, i) = m
    return a * (e * i - f * h) + b * (f * g - d * i) + c * (d * h - e * g)


def _centring(lattice: BravaisLattice, operator: np.ndarray) -> str:
    """The letter whose translations, in halves of the conventional axes, are lattice vectors."""
    if len(lattice.centrings) == 1:
        return lattice.centrings[0]
    for letter in lattice.centrings:
        halves = np.array(CENTRING_TRANSLATIONS[letter]).reshape(-1, 3)
        if not np.any(halves @ operator.T % 2):
            return letter
    raise AssertionError(f"axes {operator.tolist()} are not standard for {lattice.symbol}")
