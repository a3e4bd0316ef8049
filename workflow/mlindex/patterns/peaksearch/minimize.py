"""Compiled Levenberg-Marquardt with limits for the profiles of one group over a straight line.

Parameters (4 + 3m,) of m peaks: height and slope of the line, Lorentzian fraction, asymmetry, then
of each peak position, height and log of the width over the expected one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.base.linear import solve_positive
from mlindex.patterns.peaksearch.kernels import profiles

_MAX_ITERATIONS = 25
_TOLERANCE = 1e-4
_MOST_DAMPING = 1e8


class GroupData(NamedTuple):
    """What is fitted: points (n,), as ``x`` 2theta, ``y`` intensity, ``weight`` 1/error, ``arm`` x
    from -1 to 1; of each peak (m,) the expected ``width`` and the distance ``split`` of the second
    line of a doublet, ``ratio`` times as strong; of each parameter (4 + 3m,) what is known
    beforehand, ``mean`` and ``prior_weight`` 1/error, and its limits ``low`` and ``high``."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    arm: np.ndarray
    width: np.ndarray
    split: np.ndarray
    ratio: float
    mean: np.ndarray
    prior_weight: np.ndarray
    low: np.ndarray
    high: np.ndarray


@njit(cache=True, nogil=True)
def minimize(data, p):
    """Parameters (4 + 3m,) with the least sum of squares, in place of those to begin with."""
    damping, cost = 1e-3, cost_of(data, p)
    trial = p.copy()
    for _ in range(_MAX_ITERATIONS):
        matrix, right, _ = normal_equations(data, p)
        new, improved = cost, False
        while damping < _MOST_DAMPING and not improved:
            _step(data, p, matrix, right, damping, trial)
            new = cost_of(data, trial)
            improved = new < cost
            damping *= 0.2 if improved else 5.0
        if not improved:
            break
        gain, cost = cost - new, new
        p[:] = trial
        if gain < _TOLERANCE * (1 + 1e-3 * cost):
            break


@njit(cache=True, nogil=True)
def _step(data, p, matrix, right, damping, out):
    """Parameters ``out`` after a damped step of those that are free, within the limits."""
    size = len(p)
    free, count, largest = np.empty(size, np.int64), 0, 1e-300
    for k in range(size):
        largest = max(largest, matrix[k, k])
        held = (p[k] <= data.low[k] and right[k] < 0) or (p[k] >= data.high[k] and right[k] > 0)
        if not held:
            free[count] = k
            count += 1
    damped, step = np.empty((count, count)), np.empty(count)
    for i in range(count):
        step[i] = right[free[i]]
        for j in range(count):
            damped[i, j] = matrix[free[i], free[j]]
        damped[i, i] += damping * max(matrix[free[i], free[i]], 1e-12 * largest)
    solve_positive(damped, step)
    out[:] = p
    for i in range(count):
        k = free[i]
        out[k] = min(max(p[k] + step[i], data.low[k]), data.high[k])


@njit(cache=True, nogil=True)
def cost_of(data, p):
    """Sum of squares of the data and of what was known beforehand."""
    shaped = _shaped(data, p, np.empty((0, 0)))
    cost = 0.0
    for i in range(len(data.x)):
        residual = (data.y[i] - shaped[i] - p[0] - p[1] * data.arm[i]) * data.weight[i]
        cost += residual * residual
    for k in range(len(p)):
        prior = (p[k] - data.mean[k]) * data.prior_weight[k]
        cost += prior * prior
    return cost


@njit(cache=True, nogil=True)
def normal_equations(data, p):
    """Normal matrix, right side of the step and chi² of the data."""
    n, size = len(data.x), len(p)
    inner = np.empty((n, size - 2))
    shaped = _shaped(data, p, inner)
    matrix, right, chi2 = np.zeros((size, size)), np.zeros(size), 0.0
    row = np.empty(size)
    for i in range(n):
        weight = data.weight[i]
        residual = (data.y[i] - shaped[i] - p[0] - p[1] * data.arm[i]) * weight
        chi2 += residual * residual
        row[0], row[1] = weight, data.arm[i] * weight
        for k in range(size - 2):
            row[2 + k] = inner[i, k] * weight
        for k in range(size):
            right[k] += row[k] * residual
            for j in range(k + 1):
                matrix[k, j] += row[k] * row[j]
    for k in range(size):
        prior = data.prior_weight[k] * data.prior_weight[k]
        right[k] -= prior * (p[k] - data.mean[k])
        matrix[k, k] += prior
        for j in range(k):
            matrix[j, k] = matrix[k, j]
    return matrix, right, chi2


@njit(cache=True, nogil=True)
def _shaped(data, p, jacobian):
    m = len(data.width)
    position, height, fwhm = np.empty(m), np.empty(m), np.empty(m)
    for k in range(m):
        position[k], height[k] = p[4 + 3 * k], p[5 + 3 * k]
        fwhm[k] = data.width[k] * np.exp(p[6 + 3 * k])
    return profiles(data.x, position, height, fwhm, p[2], p[3], data.split, data.ratio, jacobian)
