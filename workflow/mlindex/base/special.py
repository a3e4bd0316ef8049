"""Functions that numpy lacks, with the numbers that scipy gives; the command needs no scipy."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: erf(x) = x T(x²) / U(x²) up to 1; erfc(x) = exp(-x²) P(x) / Q(x) up to 8 and with R, S beyond
#: (Moshier, Cephes; Cody 1969, Math. Comp. 23, 631). Highest power first.
_T = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
_U = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
_P = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
_Q = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)
#: Beyond this 1 - erfc(x) is 1 in double precision.
_ONE = 6.0


def erf(x: np.ndarray) -> np.ndarray:
    """Error function of x (...), in its precision."""
    x = np.asarray(x)
    value = np.empty(x.size, dtype=float)
    _fill_erf(np.ascontiguousarray(x, dtype=float).reshape(-1), value)
    return value.reshape(x.shape).astype(x.dtype)


@njit(cache=True, nogil=True)
def _fill_erf(x: np.ndarray, value: np.ndarray) -> None:
    for i in range(len(x)):
        size = abs(x[i])
        if size <= 1:
            square = size * size
            of_size = size * _polynomial(square, _T) / _polynomial(square, _U)
        else:
            outer = min(size, _ONE)
            of_size = 1 - math.exp(-outer * outer) * _polynomial(outer, _P) / _polynomial(outer, _Q)
        value[i] = math.copysign(of_size, x[i])


@njit(cache=True, nogil=True)
def _polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x) / sum of exp(x) of scores (n,)."""
    powers = np.exp(x - np.max(x, keepdims=True))
    return powers / np.sum(powers, keepdims=True)


def nonnegative_least_squares(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The x >= 0 (n,) for which |matrix x - right| is least, of matrix (m, n) and right (m,).

    Lawson & Hanson, Solving Least Squares Problems (1974), chapter 23.
    """
    n = matrix.shape[1]
    x, free = np.zeros(n), np.zeros(n, dtype=bool)
    refused = np.zeros(n, dtype=bool)
    for _ in range(3 * n):
        gradient = np.where(free | refused, 0.0, matrix.T @ (right - matrix @ x))
        best = int(np.argmax(gradient))
        if not gradient[best] > 0:
            break
        free[best] = True
        trial = _solved(matrix, right, free)
        if trial[best] <= 0:
            # Its gradient is rounding alone: the others are tried first.
            free[best], refused[best] = False, True
            continue
        while np.any(trial[free] <= 0):
            bounding = free & (trial <= 0)
            step = np.min(x[bounding] / (x[bounding] - trial[bounding]))
            x = x + step * (trial - x)
            free &= ~(bounding & (x <= _BOUND * np.max(x)))
            x[~free] = 0.0
            trial = _solved(matrix, right, free)
        x, refused = trial, np.zeros(n, dtype=bool)
    return x


#: A share of the largest unknown that is 0 but for rounding.
_BOUND = 1e-14


def _solved(matrix: np.ndarray, right: np.ndarray, free: np.ndarray) -> np.ndarray:
    x = np.zeros(matrix.shape[1])
    x[free] = np.linalg.lstsq(matrix[:, free], right, rcond=None)[0]
    return x
