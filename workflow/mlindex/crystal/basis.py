"""Changes of basis: cells, symmetry operations and Hermann-Mauguin symbols in another setting.

A basis change is a matrix P with (a', b', c') = (a, b, c) P; Miller indices as rows transform
alike, h' = h P, coordinates and symmetry operations with its inverse (International Tables for
Crystallography A, 1.5). Translations are whole numbers of 1/24, as in gemmi.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.lattice import AXES, BravaisLattice
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.crystal.space_groups import WholeOperations, whole_operations, whole_operations_of

_DEN = gemmi.Op.DEN
_EIGHTH = _DEN // 8
_TOLERANCE = 1e-6
#: Ends of symbols that name a choice of origin: the cell has nothing to do with it.
_ORIGIN_CHOICES = ("1", "2")
#: P of every way to fewer lattice points in the cell, written row by row.
_CHANGES = (
    "x,y,z",
    "x/2+y/2,-x/2+y/2,z",  # a face centred in the plane of a and b halved, and so on
    "x,y/2+z/2,-y/2+z/2",
    "x/2-z/2,y,x/2+z/2",
    "2/3*x-y/3-z/3,x/3+y/3-2/3*z,x/3+y/3+z/3",  # R, obverse
    "-2/3*x+y/3+z/3,-x/3-y/3+2/3*z,x/3+y/3+z/3",  # R, reverse
    "2/3*x-y/3,x/3+y/3,z",  # H
    "-x/2+y/2+z/2,x/2-y/2+z/2,x/2+y/2-z/2",  # I
    "y/2+z/2,x/2+z/2,x/2+y/2",  # F
)
#: A cell without any symmetry, to see what symmetry makes of it.
_GENERIC_CELL = np.array([5.3, 6.9, 8.7, 77.0, 98.0, 109.0])


@dataclass(frozen=True)
class Setting:
    """The way from a setting to axes along the symmetry directions, with least centring.

    Attributes:
        operator: P, shape (3, 3).
        unique_axis: the unique axis then, "a", "b" or "c"; "" where there is none.
    """

    operator: np.ndarray
    unique_axis: str


def transformed_operations(hall_symbol: str, operator: np.ndarray) -> WholeOperations:
    """The operations of a Hall symbol after the basis change P of shape (3, 3).

    Raises:
        MlindexError: if it is no Hall symbol, or P does not lead to a cell of its lattice.
    """
    given = whole_operations_of(hall_symbol)
    operator = np.asarray(operator, dtype=float).reshape(3, 3)
    inverse = np.linalg.inv(operator)
    rotations = _whole(inverse @ given.rotations @ operator, hall_symbol, operator)
    translations = _whole(given.translations @ inverse.T, hall_symbol, operator)
    # Lattice vectors of the given cell are points of the new one too where the new one is larger.
    steps = _DEN * np.indices((4, 4, 4)).reshape(3, -1).T
    points = (given.centring[:, None] + steps).reshape(-1, 3) @ inverse.T
    centring = np.unique(_whole(points, hall_symbol, operator) % _DEN, axis=0)
    if len(centring) != round(given.n_points * np.linalg.det(operator)):
        raise MlindexError(f"basis change {operator.tolist()} leaves the lattice of {hall_symbol}")
    return WholeOperations(rotations, translations % _DEN, centring)


def _whole(values: np.ndarray, hall_symbol: str, operator: np.ndarray) -> np.ndarray:
    rounded = np.rint(values)
    if np.abs(values - rounded).max() > _TOLERANCE:
        raise MlindexError(f"basis change {operator.tolist()} does not suit {hall_symbol}")
    return rounded.astype(np.int64)


@cache
def standard_setting(hall_symbol: str, bravais: BravaisLattice) -> Setting:
    """The basis change that leaves no more lattice points than the Bravais lattice needs.

    Axes stay along the symmetry directions, but are not sorted; for a lattice on rhombohedral
    axes it undoes the hexagonal ones, obverse or reverse.

    Raises:
        MlindexError: the operations are none of this Bravais lattice, or its axes are turned.
    """
    given = whole_operations_of(hall_symbol)
    system = bravais.system
    metric = symmetrized_metric(metric_tensor(_GENERIC_CELL), given.rotations)
    for operator in _lattice_changes(given, bravais.n_points):
        cell = cell_from_metric(operator.T @ metric @ operator)
        for axis in AXES if system.unique_axis is not None else ("",):
            if system.fits(cell_to_standard(cell, system, axis)):
                return Setting(operator, axis)
    raise MlindexError(
        f"the operations of Hall symbol {hall_symbol!r} do not make a lattice {bravais.symbol} "
        "with axes along its symmetry directions"
    )


@cache
def primitive_operator(hall_symbol: str) -> np.ndarray:
    """P, shape (3, 3), to some primitive cell."""
    found = _lattice_changes(whole_operations_of(hall_symbol), 1)
    if not found:
        raise MlindexError(f"the centring of Hall symbol {hall_symbol!r} is not known")
    return found[0]


def _lattice_changes(given: WholeOperations, n_points: int) -> list[np.ndarray]:
    points = {tuple(point) for point in given.centring.tolist()}
    found = []
    for triplet in _CHANGES:
        steps = np.array(gemmi.Op(triplet).rot)
        operator = steps / _DEN
        in_lattice = all(tuple(column) in points for column in (steps.T % _DEN).tolist())
        if in_lattice and round(given.n_points * np.linalg.det(operator), 6) == n_points:
            found.append(operator)
    return found


def symmetrized_metric(metric: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Metric tensors (..., 3, 3) averaged over a group's rotations (n, 3, 3)."""
    return np.mean([r.T @ metric @ r for r in rotations], axis=0)


def transformed_cells(cells: np.ndarray, operators: np.ndarray) -> np.ndarray:
    """Cells (n, 6) after basis changes P (n, 3, 3); axes only exchanged keep their exact values."""
    cells = np.asarray(cells, dtype=float)
    metric = np.swapaxes(operators, -1, -2) @ metric_tensor(cells) @ operators
    found = cell_from_metric(metric)
    # source[n, i]: old axis that new axis i is, up to its sign; -1 where it is none.
    plain = (np.abs(operators).sum(axis=1) == 1) & (np.abs(operators).max(axis=1) == 1)
    source = np.where(plain, np.abs(operators).argmax(axis=1), -1)
    sign = operators.sum(axis=1)
    rows = np.arange(len(cells))
    for axis in range(3):
        length = cells[rows, source[:, axis]]
        found[:, axis] = np.where(plain[:, axis], length, found[:, axis])
        j, k = (axis + 1) % 3, (axis + 2) % 3
        angle = cells[rows, 3 + (3 - source[:, j] - source[:, k]) % 3]
        angle = np.where(sign[:, j] * sign[:, k] > 0, angle, 180.0 - angle)
        found[:, 3 + axis] = np.where(plain[:, j] & plain[:, k], angle, found[:, 3 + axis])
    return found


def symbol_after(hall_symbol: str, operator: np.ndarray) -> str:
    """Hermann-Mauguin symbol after a basis change, in gemmi's spelling.

    It is the first setting in gemmi's table with the same operations up to a shift of origin,
    without the origin choice, e.g. ``P 2 21 21`` or ``R 3:R``. Where the table has none: the
    Hall symbol with the change of basis, e.g. ``C 2y (x-z,y,z)``.

    Raises:
        MlindexError: as :func:`transformed_operations`.
    """
    operator = np.asarray(operator, dtype=float).reshape(3, 3)
    return _symbol_after(hall_symbol, tuple(operator.ravel().tolist()))


@cache
def _symbol_after(hall_symbol: str, operator: tuple[float, ...]) -> str:
    matrix = np.array(operator).reshape(3, 3)
    wanted = transformed_operations(hall_symbol, matrix)
    arrays = (wanted.rotations, wanted.translations, wanted.centring)
    symbol = _table_symbol(*(array.astype(np.int8).tobytes() for array in arrays))
    if symbol:
        return symbol
    change = gemmi.Op()
    change.rot = np.rint(matrix * _DEN).astype(int).tolist()
    return f"{hall_symbol} ({change.triplet()})"


@cache
def _table_symbol(rotations: bytes, translations: bytes, centring: bytes) -> str:
    # Many changes of basis lead to the same operations: only those are looked up.
    wanted = WholeOperations(
        np.frombuffer(rotations, np.int8).astype(np.int64).reshape(-1, 3, 3),
        np.frombuffer(translations, np.int8).astype(np.int64).reshape(-1, 3),
        np.frombuffer(centring, np.int8).astype(np.int64).reshape(-1, 3),
    )
    for symbol, known in _table_settings().get(_rotation_key(wanted), []):
        if _same_up_to_origin(wanted, known):
            return symbol
    return ""


@cache
def _table_settings() -> dict[tuple[bytes, bytes], list[tuple[str, WholeOperations]]]:
    settings: dict[tuple[bytes, bytes], list[tuple[str, WholeOperations]]] = {}
    for group in gemmi.spacegroup_table():
        operations = whole_operations(group.operations())
        symbol = group.hm if group.ext in _ORIGIN_CHOICES else group.xhm()
        settings.setdefault(_rotation_key(operations), []).append((symbol, operations))
    return settings


def _rotation_key(operations: WholeOperations) -> tuple[bytes, bytes]:
    rotations = operations.rotations.reshape(-1, 9)
    ordered = rotations[np.lexsort(rotations.T)]
    return ordered.astype(np.int8).tobytes(), operations.centring.astype(np.int8).tobytes()


def _same_up_to_origin(first: WholeOperations, second: WholeOperations) -> bool:
    """Whether some shift of origin, in 1/24, makes two groups with equal rotations the same."""
    translations = {
        rotation.tobytes(): translation
        for rotation, translation in zip(second.rotations, second.translations, strict=True)
    }
    in_lattice = np.zeros(_DEN**3, dtype=bool)
    in_lattice[_codes(first.centring)] = True
    threefold = np.any(np.trace(first.rotations, axis1=1, axis2=2) == 0)
    shifts = _origin_shifts(1 if threefold else _EIGHTH)
    for rotation, translation in zip(first.rotations, first.translations, strict=True):
        difference = translation - translations[rotation.tobytes()]
        moved = (shifts @ (rotation - np.eye(3, dtype=np.int64)).T + difference) % _DEN
        shifts = shifts[in_lattice[_codes(moved)]]
        if not len(shifts):
            return False
    return True


@cache
def _origin_shifts(step: int) -> np.ndarray:
    # Without threefold axes, translations are quarters and origins differ by eighths.
    return step * np.indices((_DEN // step,) * 3).reshape(3, -1).T


def _codes(points: np.ndarray) -> np.ndarray:
    return points @ np.array([_DEN * _DEN, _DEN, 1])
