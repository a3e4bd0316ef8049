"""Cells brought to the standard setting after the optimization has moved them."""

from __future__ import annotations

import math

import gemmi
import numpy as np

from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.lattice import LatticeSystem

_FREE_OF_CONSTRAINTS = 6


def standard_cell(cell: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """The standard setting of six cell parameters of a lattice system.

    Triclinic: the Niggli cell. With a unique axis: the two shortest vectors across it, the
    shorter first, with an angle of at least 90 degrees. Otherwise axes sorted where the system
    allows it. The lattice stays the same; the centring letter may change.
    """
    cell = np.asarray(cell, dtype=float)
    if not system.sorts_axes:
        return cell
    if system.n_free == _FREE_OF_CONSTRAINTS:
        vector = gemmi.GruberVector(gemmi.UnitCell(*cell), "P")
        vector.niggli_reduce(epsilon=1e-9 * float(np.prod(cell[:3])) ** (2 / 3))
        return np.array(vector.get_cell().parameters)
    if system.unique_axis is not None:
        return _plane_reduced(cell, system.unique_axis)
    return np.concatenate([np.sort(cell[:3]), cell[3:]])


def _plane_reduced(cell: np.ndarray, unique_axis: int) -> np.ndarray:
    # Lagrange's reduction of the two-dimensional lattice across the unique axis.
    first, second = (axis for axis in range(3) if axis != unique_axis)
    metric = metric_tensor(cell)
    p, q, r = metric[first, first], metric[first, second], metric[second, second]
    while True:
        if p > r:
            p, r = r, p
        shift = np.round(q / p)
        if shift == 0:
            break
        q, r = q - shift * p, r - 2 * shift * q + shift * shift * p
    reduced = metric.copy()
    reduced[first, first], reduced[second, second] = p, r
    reduced[first, second] = reduced[second, first] = -abs(q)
    return cell_from_metric(reduced)


_FREE_OF_CONSTRAINTS = 6


_NIGGLI_EPSILON = 1e-9


_UNIT = np.eye(3, dtype=int)


def _to_standard(cell: np.ndarray, system: LatticeSystem) -> tuple[np.ndarray, np.ndarray]:
    """Change of basis (3, 3) to the standard setting, and the cell there."""
    if not system.sorts_axes:
        return _UNIT, cell
    if system.n_free == _FREE_OF_CONSTRAINTS:
        return _niggli(cell)
    if system.unique_axis is not None:
        return _plane_reduced(cell, system.unique_axis)
    order = np.argsort(cell[:3], kind="stable")
    return _UNIT[:, order], np.concatenate([cell[order], cell[3:]])


def _niggli(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vector = gemmi.GruberVector(gemmi.UnitCell(*cell), "P", track_change_of_basis=True)
    vector.niggli_reduce(epsilon=_NIGGLI_EPSILON * float(np.prod(cell[:3])) ** (2 / 3))
    change = np.array(vector.change_of_basis.rot) // gemmi.Op.DEN
    return change, np.array(vector.get_cell().parameters)


def _plane_reduced(cell: np.ndarray, unique_axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Lagrange's reduction of the two-dimensional lattice across the unique axis."""
    first, second = (axis for axis in range(3) if axis != unique_axis)
    p, r = cell[first] ** 2, cell[second] ** 2
    q = cell[first] * cell[second] * math.cos(math.radians(cell[3 + unique_axis]))
    short, long = _UNIT[:, first], _UNIT[:, second]
    while True:
        if p > r:
            p, r, short, long = r, p, long, short
        steps = round(q / p)
        if steps == 0:
            break
        q, r = q - steps * p, r - 2 * steps * q + steps * steps * p
        long = long - steps * short
    if q > 0:
        q, long = -q, -long
    change = _UNIT.copy()
    change[:, first], change[:, second] = short, long
    standard = cell.copy()
    standard[first], standard[second] = math.sqrt(p), math.sqrt(r)
    standard[3 + unique_axis] = math.degrees(math.acos(q / math.sqrt(p * r)))
    return change, standard
