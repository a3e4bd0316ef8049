"""Compiled loops of the profile fit: peaks in windows of points, and what they make of a pattern.

Peaks are columns of a design matrix that are zero outside a window of points, so they are kept one
after the other in one array. Columns are divided by the standard uncertainty of each point.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.patterns.peakshape import pseudo_voigt

#: Derivatives of a column: by position, log width, Lorentzian fraction, asymmetry.
KINDS = 4
BY_POSITION, BY_LOG_WIDTH, BY_ETA, BY_ASYMMETRY = range(KINDS)


class Columns(NamedTuple):
    """Peaks (k,) of height 1 by rising position, and where their values lie.

    ``split`` is the distance of the second line of a doublet of that ``ratio`` of heights. Column j
    is other than 0 at points ``low[j]`` to ``high[j]`` - 1; its values begin at ``offset[j]``.
    """

    position: np.ndarray
    fwhm: np.ndarray
    eta: np.ndarray
    asymmetry: np.ndarray
    split: np.ndarray
    ratio: float
    low: np.ndarray
    high: np.ndarray
    offset: np.ndarray


@njit(cache=True, nogil=True)
def fill(x, weight, columns, values, slopes):
    """Fill the columns' values and derivatives.

    Args:
        x, weight: 2theta in degrees and 1 / uncertainty of the points (n,).
        columns: the peaks.
        values: (all values,), filled.
        slopes: (4, all values), filled with the derivatives of :data:`KINDS`.
    """
    for k in range(len(columns.position)):
        left = columns.fwhm[k] * np.exp(columns.asymmetry[k])
        right = columns.fwhm[k] * np.exp(-columns.asymmetry[k])
        eta = columns.eta[k]
        at = columns.offset[k] - columns.low[k]
        for i in range(columns.low[k], columns.high[k]):
            value = by_x = by_u = by_eta = by_a = 0.0
            for line in range(2 if columns.ratio > 0.0 else 1):
                factor = weight[i] * (1.0 if line == 0 else columns.ratio)
                d = x[i] - columns.position[k] - (0.0 if line == 0 else columns.split[k])
                sign = 1.0 if d < 0.0 else -1.0
                width = left if d < 0.0 else right
                part, slope, mix = pseudo_voigt(d, width, eta)
                z = d / width
                value += factor * part
                by_x -= factor * slope / width
                by_u -= factor * slope * z
                by_eta += factor * mix
                by_a -= factor * slope * z * sign
            values[at + i] = value
            slopes[BY_POSITION, at + i] = by_x
            slopes[BY_LOG_WIDTH, at + i] = by_u
            slopes[BY_ETA, at + i] = by_eta
            slopes[BY_ASYMMETRY, at + i] = by_a


@njit(cache=True, nogil=True)
def add_up(columns, values, height, out):
    """Add the columns times their heights (k,) to ``out`` (n,)."""
    for k in range(len(height)):
        if height[k] != 0.0:
            at = columns.offset[k] - columns.low[k]
            for i in range(columns.low[k], columns.high[k]):
                out[i] += height[k] * values[at + i]


@njit(cache=True, nogil=True)
def project(columns, values, rows, out):
    """Fill ``out`` (k, m) with the products of the columns and rows (m, n)."""
    for k in range(len(columns.low)):
        at = columns.offset[k] - columns.low[k]
        for m in range(len(rows)):
            out[k, m] = dot(
                values[at + columns.low[k] : at + columns.high[k]],
                rows[m, columns.low[k] : columns.high[k]],
            )


@njit(cache=True, nogil=True, fastmath=True)
def dot(a, b):
    """Product of two arrays (n,); fastmath lets it be summed in any order, so in vectors."""
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True)
def gains(columns, values, residual):
    """What each column alone (k,), not negative, would take off the squares of residuals (n,)."""
    out = np.zeros(len(columns.low))
    for k in range(len(out)):
        own = values[columns.offset[k] : columns.offset[k + 1]]
        product = dot(own, residual[columns.low[k] : columns.high[k]])
        if product > 0.0:
            out[k] = product * product / dot(own, own)
    return out


@njit(cache=True, nogil=True)
def products(rows):
    """Products (m, m) of rows (m, n) with each other; small ones keep no threads of BLAS busy."""
    size = len(rows)
    out = np.empty((size, size))
    for a in range(size):
        for b in range(a + 1):
            out[a, b] = out[b, a] = dot(rows[a], rows[b])
    return out


@njit(cache=True, nogil=True)
def derivative_rows(columns, slopes, height, kind, factor, out):
    """Fill ``out`` (p, n) with the derivatives of the sum of all peaks by parameters.

    Args:
        columns, slopes: the peaks and their derivatives.
        height: of each (k,).
        kind: what of a peak each parameter changes (p,).
        factor: derivative of that of each peak by each parameter (p, k).
    """
    out[:] = 0.0
    for k in range(len(height)):
        if height[k] == 0.0:
            continue
        at = columns.offset[k] - columns.low[k]
        for p in range(len(kind)):
            times = height[k] * factor[p, k]
            if times != 0.0:
                slope = slopes[kind[p]]
                for i in range(columns.low[k], columns.high[k]):
                    out[p, i] += times * slope[at + i]


@njit(cache=True, nogil=True)
def overlaps(columns):
    """First column (k,) that each overlaps with, itself at the latest, and where its row begins.

    Rows of the normal matrix are kept from that column to the diagonal, one after the other.
    """
    size = len(columns.low)
    first = np.empty(size, dtype=np.int64)
    start = np.zeros(size + 1, dtype=np.int64)
    # The first column that reaches a point is the first at which the farthest reach is beyond it.
    farthest = np.empty(size, dtype=np.int64)
    for k in range(size):
        farthest[k] = columns.high[k] if k == 0 else max(farthest[k - 1], columns.high[k])
    for k in range(size):
        first[k] = min(np.searchsorted(farthest[: k + 1], columns.low[k], side="right"), k)
        start[k + 1] = start[k] + k - first[k] + 1
    return first, start


@njit(cache=True, nogil=True)
def normal_rows(columns, values, first, start):
    """Normal matrix of the columns, rows from ``first`` to the diagonal."""
    out = np.zeros(start[-1])
    for k in range(len(first)):
        for j in range(first[k], k + 1):
            low = max(columns.low[j], columns.low[k])
            high = min(columns.high[j], columns.high[k])
            if low < high:
                a = columns.offset[j] - columns.low[j]
                b = columns.offset[k] - columns.low[k]
                out[start[k] + j - first[k]] = dot(
                    values[a + low : a + high], values[b + low : b + high]
                )
    return out
