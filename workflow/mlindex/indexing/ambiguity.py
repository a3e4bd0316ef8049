"""Other lattices with the same line positions: geometrical ambiguities, sub- and supercells.

Different lattices can have the very same set of d values, for any cell of some Bravais lattices
(Mighell and Santoro 1975, J. Appl. Cryst. 8, 372; Oishi-Tomiyasu 2016, Acta Cryst. A72, 73) or at
special axial ratios; such lattices are derivative of one another. And any cell has subcells that
explain as much where the lines that would need the larger one were not observed. Both are found
here by trying all derivative lattices of small index, not from a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.derivative import derivative_lattices
from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.holohedries import reciprocal_change, reciprocal_metric
from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES, quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.recognition import EXACT, Recognized, recognize
from mlindex.crystal.reduced import reduced
from mlindex.crystal.tolerances import ONE_PARTNER
from mlindex.indexing.result import Partner

#: Lines are compared up to this multiple of the last one measured, to tell lattices apart.
_HORIZON = 4.0
#: Lines at most that are given to tell two lattices apart.
_MAX_DISTINGUISHING = 5
#: Lines are compared as far as the candidate has about so many reflections.
_MAX_REFLECTIONS = 2000
_SIGNATURE_DECIMALS = 6
#: Whole numbers, and tolerances of q², are met to this.
_ROUNDING = 1e-6
#: Quadratic terms of short vectors, one of each pair h, -h.
_SHORT_TERMS = quadratic_terms(np.indices((5, 5, 5)).reshape(3, -1).T[63:] - 2)


class CellLike(Protocol):
    """What the comparison needs of a candidate: its cell (A, degrees) in the standard setting."""

    cell: np.ndarray
    centring: str


@dataclass(frozen=True)
class _CalculatedLines:
    """Different calculated lines, q² rising (n,), up to a limit."""

    q2: np.ndarray
    q2_max: float
    tolerance: float

    def up_to(self, q2_max: float) -> np.ndarray:
        return self.q2[: np.searchsorted(self.q2, q2_max, side="right")]

    def missing(self, q2: np.ndarray) -> np.ndarray:
        """Whether each of these q² is missing among the lines: bool (...)."""
        if not len(self.q2):
            return np.ones(np.shape(q2), dtype=bool)
        nearest = self.q2[nearest_index(q2, self.q2)]
        return np.abs(nearest - q2) > self.tolerance * q2


def partners(
    candidate: CellLike,
    q2_max_inv_A2: float,
    q2_observed_inv_A2: np.ndarray,
    tolerance: float,
) -> tuple[Partner, ...]:
    """Lattices that explain the observed lines as well as a candidate does.

    They are those with the same calculated lines up to q²_max, and subcells that still have all
    lines that the candidate explains. Where two lattices have the same lines as far as looked
    (four times q²_max) the relation is a geometrical ambiguity, and no line tells them apart.

    Args:
        candidate: a cell in the standard setting with its centring letter.
        q2_max_inv_A2: q² of the last line used, 1/A².
        q2_observed_inv_A2: observed q² (n,), 1/A²; lines that the candidate does not explain
            within tolerance are ignored. Without any, all lines that it predicts are needed.
        tolerance: relative difference of q² within which two lines are one.

    Returns:
        Partners of the highest symmetry first, of equal ones the smallest cell.
    """
    tolerance = max(tolerance, EXACT)
    q2_max = min(q2_max_inv_A2, _highest_q2(candidate))
    horizon = min(_HORIZON * q2_max, _highest_q2(candidate))
    lines = _calculated(candidate.cell, candidate.centring, horizon, tolerance)
    observed = np.asarray(q2_observed_inv_A2, dtype=float)
    needed = observed[(observed <= q2_max) & ~lines.missing(observed)]
    if not len(needed):
        needed = lines.up_to(q2_max)
    known = [lattice_of(candidate.cell, candidate.centring)]
    found = []
    for x6, up, down in _without_new_lines(candidate, lines, needed, q2_max):
        must_have = needed if up == 1 else lines.up_to(q2_max)
        fitting = _fitting(x6, lines, must_have, q2_max, known)
        if fitting is not None:
            known.append(lattice_of(fitting.cell, fitting.centring))
            found.append((fitting, _relation(up, down)))
    found.sort(key=lambda pair: _rank(pair[0]))
    return tuple(_partner(recognized, relation, lines) for recognized, relation in found)


def _highest_q2(candidate: CellLike) -> float:
    """q² up to which the lattice has some :data:`_MAX_REFLECTIONS` reflections."""
    volume_A3 = lattice_of(candidate.cell, candidate.centring).volume_A3
    return (_MAX_REFLECTIONS / (2 / 3 * np.pi * volume_A3)) ** (2 / 3)


def _calculated(
    cell: np.ndarray, centring: str, q2_max: float, tolerance: float
) -> _CalculatedLines:
    hkl = reflections(cell, centring, q2_max)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    return _CalculatedLines(q2[distinct(q2)], q2_max, tolerance)


def _without_new_lines(
    candidate: CellLike, lines: _CalculatedLines, needed: np.ndarray, q2_max: float
) -> Iterator[tuple[np.ndarray, int, int]]:
    """Derivative lattices whose lines up to q²_max all are lines of the candidate too.

    For each, the six reciprocal parameters of a reduced basis and the two indices. Only the lines
    of the shortest vectors are tried here. Subcells that lack a line needed are left out.
    """
    table = derivative_lattices()
    primitive = np.array(PRIMITIVE_HALVES[candidate.centring]).T / 2
    x6 = reciprocal_change(primitive) @ reciprocal_from_cell(candidate.cell)
    # Small combinations of a reduced basis are short vectors, which say most.
    x6 = _reduced(x6)
    new = lines.missing(table.terms @ x6) & (table.terms @ x6 <= q2_max)
    seen = set()
    rows = np.flatnonzero(~new.any(axis=1))
    for row in rows[_may_have(x6, rows, needed, lines.tolerance)]:
        derived = _reduced(reciprocal_change(np.linalg.inv(table.bases[row])) @ x6)
        shortest = _SHORT_TERMS @ derived
        if np.any(lines.missing(shortest[shortest <= q2_max])):
            continue
        # Symmetry makes many lattices equal: their vectors are equally long.
        signature = tuple(np.round(np.log(np.sort(shortest)), _SIGNATURE_DECIMALS).tolist())
        if signature not in seen:
            seen.add(signature)
            yield derived, int(table.up[row]), int(table.down[row])


def _may_have(x6: np.ndarray, rows: np.ndarray, needed: np.ndarray, tolerance: float) -> np.ndarray:
    """Which rows (m,) of the table may have all lines needed (n,): all but the subcells of x6 whose
    reflections, those of x6 that have whole indices there, leave one out."""
    table = derivative_lattices()
    reach = (1 + _ROUNDING) * tolerance
    hkl = reflections(cell_from_reciprocal(x6), "P", needed.max() * (1 + reach))
    q2 = quadratic_terms(hkl) @ x6
    near = np.abs(q2 - needed[:, None]) <= reach * needed[:, None]  # (n, r)
    indices = hkl @ np.linalg.inv(table.bases[rows])  # (m, r, 3)
    whole = np.all(np.abs(indices - np.rint(indices)) < _ROUNDING, axis=2)
    # In floats: of integers, BLAS makes no products.
    meant = whole.astype(np.float32) @ near.T.astype(np.float32)  # (m, n)
    return (table.up[rows] > 1) | np.all(meant > 0, axis=1)


def _reduced(x6: np.ndarray) -> np.ndarray:
    rows = reduced(reciprocal_metric(x6))
    return reciprocal_change(np.linalg.inv(rows)) @ x6


def _fitting(
    x6: np.ndarray,
    lines: _CalculatedLines,
    must_have: np.ndarray,
    q2_max: float,
    known: list[Lattice],
) -> Recognized | None:
    """The most symmetric lattice that a derivative one may be, if it has the right lines."""
    primitive = cell_from_reciprocal(x6)
    raw = _calculated(primitive, "P", q2_max * (1 + lines.tolerance), lines.tolerance)
    if not _explains(raw, lines, must_have, q2_max):
        return None
    for recognized in recognize(x6, lines.tolerance):
        lattice = lattice_of(recognized.cell, recognized.centring)
        if any(same(lattice, other, *ONE_PARTNER) for other in known):
            return None
        calculated = _lines_of(recognized, lines)
        if _explains(calculated, lines, must_have, q2_max):
            return recognized
    return None


def _explains(
    other: _CalculatedLines, lines: _CalculatedLines, must_have: np.ndarray, q2_max: float
) -> bool:
    """Whether another lattice has no line that is not among ``lines``, and those it must have."""
    if np.any(lines.missing(other.up_to(q2_max))):
        return False
    return not np.any(other.missing(must_have))


def _lines_of(recognized: Recognized, lines: _CalculatedLines) -> _CalculatedLines:
    return _calculated(recognized.cell, recognized.centring, lines.q2_max, lines.tolerance)


def _relation(up: int, down: int) -> str:
    if up == 1:
        return f"subcell of index {down}"
    if down == 1:
        return f"supercell of index {up}"
    return f"subcell of index {down} of a supercell of index {up}"


def _rank(recognized: Recognized) -> tuple[int, float]:
    lattice = lattice_of(recognized.cell, recognized.centring)
    return BRAVAIS[recognized.bravais].system.n_free, lattice.volume_A3


def _partner(recognized: Recognized, relation: str, lines: _CalculatedLines) -> Partner:
    other = _lines_of(recognized, lines)
    # A line within tolerance of the end may have its partner beyond it.
    end = lines.q2_max * (1 - lines.tolerance)
    mine, theirs = lines.up_to(end), other.up_to(end)
    apart = np.sort(np.concatenate([mine[other.missing(mine)], theirs[lines.missing(theirs)]]))
    if not len(apart):
        relation = f"geometrical ambiguity, {relation}"
    distinguishing = tuple(apart[:_MAX_DISTINGUISHING].tolist())
    return Partner(
        recognized.bravais, recognized.cell, recognized.centring, relation, distinguishing
    )
