"""Compiled: whether a lattice is one of many, compared as in :mod:`mlindex.crystal.equivalence`."""

from __future__ import annotations

from itertools import product

import numpy as np
from numba import njit

_VECTORS = np.array([v for v in product((-1.0, 0.0, 1.0), repeat=3) if any(v)])


@njit(cache=True, nogil=True)
def is_one_of(
    cell: np.ndarray,
    others: np.ndarray,
    log_volume_tolerance: float,
    length_tolerance: float,
    angle_tolerance_deg: float,
) -> bool:
    """Whether a lattice agrees with any of others.

    Args:
        cell, others: reduced cells (6,) and (n, 6), A and degrees.
        log_volume_tolerance: difference of ln V beyond which lattices are not compared.
        length_tolerance, angle_tolerance_deg: as for ``same``.
    """
    metric = _metric(cell)
    log_volume = _log_volume(metric)
    lengths = np.empty(len(_VECTORS))
    for v in range(len(_VECTORS)):
        lengths[v] = np.sqrt(_dot(metric, _VECTORS[v], _VECTORS[v]))
    for other in others:
        if abs(_log_volume(_metric(other)) - log_volume) > log_volume_tolerance:
            continue
        if _some_basis_fits(metric, lengths, other, length_tolerance, angle_tolerance_deg):
            return True
    return False


@njit(cache=True, nogil=True)
def _some_basis_fits(
    metric: np.ndarray, lengths: np.ndarray, target: np.ndarray, length: float, angle_deg: float
) -> bool:
    """Whether three of the short vectors make a basis with the lengths and angles of a cell."""
    vectors = _VECTORS
    for i in range(len(vectors)):
        if abs(lengths[i] - target[0]) > length * target[0]:
            continue
        a = vectors[i]
        for j in range(len(vectors)):
            if abs(lengths[j] - target[1]) > length * target[1]:
                continue
            b = vectors[j]
            gamma = _angle_deg(_dot(metric, a, b) / (lengths[i] * lengths[j]))
            if abs(gamma - target[5]) > angle_deg:
                continue
            for k in range(len(vectors)):
                if abs(lengths[k] - target[2]) > length * target[2]:
                    continue
                c = vectors[k]
                volume = (
                    a[0] * (b[1] * c[2] - b[2] * c[1])
                    - a[1] * (b[0] * c[2] - b[2] * c[0])
                    + a[2] * (b[0] * c[1] - b[1] * c[0])
                )
                if abs(volume) != 1.0:
                    continue
                alpha = _angle_deg(_dot(metric, b, c) / (lengths[j] * lengths[k]))
                beta = _angle_deg(_dot(metric, a, c) / (lengths[i] * lengths[k]))
                if abs(alpha - target[3]) <= angle_deg and abs(beta - target[4]) <= angle_deg:
                    return True
    return False


@njit(cache=True, nogil=True)
def _metric(cell: np.ndarray) -> np.ndarray:
    metric = np.empty((3, 3))
    for i in range(3):
        metric[i, i] = cell[i] * cell[i]
        j, k = (i + 1) % 3, (i + 2) % 3
        metric[j, k] = metric[k, j] = cell[j] * cell[k] * np.cos(np.radians(cell[3 + i]))
    return metric


@njit(cache=True, nogil=True)
def _log_volume(g: np.ndarray) -> float:
    return 0.5 * np.log(
        g[0, 0] * (g[1, 1] * g[2, 2] - g[1, 2] * g[1, 2])
        - g[0, 1] * (g[0, 1] * g[2, 2] - g[1, 2] * g[0, 2])
        + g[0, 2] * (g[0, 1] * g[1, 2] - g[1, 1] * g[0, 2])
    )


@njit(cache=True, nogil=True)
def _dot(metric: np.ndarray, u: np.ndarray, v: np.ndarray) -> float:
    total = 0.0
    for i in range(3):
        for j in range(3):
            total += u[i] * metric[i, j] * v[j]
    return total


@njit(cache=True, nogil=True)
def _angle_deg(cosine: float) -> float:
    return np.degrees(np.arccos(min(max(cosine, -1.0), 1.0)))
