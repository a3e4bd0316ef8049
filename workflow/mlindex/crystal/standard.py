"""The standard setting of a cell of each lattice system.

Triclinic: the Niggli cell. With a unique axis: the two shortest vectors across it, the shorter
first, at no acute angle. Otherwise axes sorted by length where the system allows it. The lattice
stays the same; the centring letter may change.

The setting is taken in two ways that agree but for rounding, and both stay, so that results stay
the same to the last bit: :func:`standard_cell` from the metric tensor, in which 90 and 120 degrees
are exact, for cells that the optimizer has moved; :func:`change_to_standard` from the parameters
themselves, with the change of basis, for lattices recognized.
"""

from __future__ import annotations

import math

import numpy as np

from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.niggli import niggli_reduction, relative_epsilon
from mlindex.crystal.plane import obtuse_angle_deg, reduce_plane

#: Free parameters of a system without constraints, whose standard setting is the Niggli cell.
_FREE_OF_CONSTRAINTS = 6
_UNIT = np.eye(3, dtype=int)


def standard_cell(cell: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """The standard setting (6,) of six cell parameters (A, degrees) of a lattice system."""
    cell = np.asarray(cell, dtype=float)
    if not system.sorts_axes:
        return cell
    if system.n_free == _FREE_OF_CONSTRAINTS:
        return niggli_reduction(cell, epsilon=relative_epsilon(cell)).cell
    if system.unique_axis is not None:
        return _plane_reduced(cell, system.unique_axis)
    return np.concatenate([np.sort(cell[:3]), cell[3:]])


def change_to_standard(cell: np.ndarray, system: LatticeSystem) -> tuple[np.ndarray, np.ndarray]:
    """The change of basis to the standard setting, and the cell there.

    Args:
        cell: six cell parameters (A, degrees) of a lattice system.
        system: the lattice system.

    Returns:
        P, integers (3, 3), with standard axes = given axes @ P and determinant 1 or -1; cell (6,).
    """
    if not system.sorts_axes:
        return _UNIT, cell
    if system.n_free == _FREE_OF_CONSTRAINTS:
        found = niggli_reduction(cell, epsilon=relative_epsilon(cell), with_change=True)
        return found.change, found.cell
    if system.unique_axis is not None:
        return _change_in_plane(cell, system.unique_axis)
    order = np.argsort(cell[:3], kind="stable")
    return _UNIT[:, order], np.concatenate([cell[order], cell[3:]])


def _across(unique_axis: int) -> tuple[int, int]:
    first, second = (axis for axis in range(3) if axis != unique_axis)
    return first, second


def _plane_reduced(cell: np.ndarray, unique_axis: int) -> np.ndarray:
    first, second = _across(unique_axis)
    metric = metric_tensor(cell)
    plane = reduce_plane(metric[first, first], metric[first, second], metric[second, second])
    reduced = metric.copy()
    reduced[first, first], reduced[second, second] = plane.pp, plane.qq
    reduced[first, second] = reduced[second, first] = -abs(plane.pq)
    return cell_from_metric(reduced)


def _change_in_plane(cell: np.ndarray, unique_axis: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = _across(unique_axis)
    product = cell[first] * cell[second] * math.cos(math.radians(cell[3 + unique_axis]))
    plane = reduce_plane(cell[first] ** 2, product, cell[second] ** 2)
    sign = -1 if plane.pq > 0 else 1
    change = _UNIT.copy()
    change[np.ix_([first, second], [first, second])] = np.transpose(
        [plane.p, (sign * plane.q[0], sign * plane.q[1])]
    )
    standard = cell.copy()
    standard[first], standard[second] = math.sqrt(plane.pp), math.sqrt(plane.qq)
    standard[3 + unique_axis] = obtuse_angle_deg(plane.pp, plane.pq, plane.qq)
    return change, standard
