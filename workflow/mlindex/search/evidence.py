"""Trials refined by least squares and weighed by the evidence for them.

The evidence compares two accounts of the lines: each is one of the N reflections of the lattice,
displaced by a normal error, but for a share of strays; or each lies anywhere. Integrated over the
free parameters (Laplace's approximation) it prefers few parameters and few reflections where the
fit is as good: the determinant of the normal equations is the price of a parameter. The scale of
the errors is not trusted: it is taken from a grid, so that exact lists are worth more.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.search.lines import STRAY

#: Factors on the expected errors; the best one counts, at the price of having chosen.
ERROR_SCALES = np.array([0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.5])
#: Prior spread of a zero shift, degrees of 2theta.
SHIFT_SPREAD_DEG = 0.06
#: Reciprocal parameters are thought to lie anywhere up to this share of the last line's q².
_PRIOR_SHARE = 0.25
#: Widths of Cauchy's weights, step by step, in errors. Wide ones pull in trials solved from few
#: lines; narrow ones let exact lines win over neighbours taken for them. The best step counts.
_WIDTHS = np.array([0.0, 1.5, 0.7, 0.3, 0.12, 0.04])
#: Keeps one line that fits exactly from outweighing all others in the choice of the best step.
_EXACT = 0.02


@njit(cache=True, nogil=True)
def _nearest(
    x6: np.ndarray,
    domain: np.ndarray,
    centring: int,
    q2: np.ndarray,
    q2_end: float,
    q2_last: float,
    hkl: np.ndarray,
    calculated: np.ndarray,
    most: int,
) -> int:
    """The reflection nearest to each line, and the number of reflections up to q2_last.

    Fills hkl (n, 3) and calculated (n,). 0 where x6 is no lattice or has too many reflections.
    """
    signed_k, signed_l, order = domain[0], domain[1], domain[2]
    A, B, C, D, E, F = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    n = q2.shape[0]
    if not C > 0.0:
        return 0
    b = B - D * D / (4 * C)
    f = F - D * E / (2 * C)
    a = A - E * E / (4 * C)
    if not b > 0.0:
        return 0
    a -= f * f / (4 * b)
    if not a > 0.0:
        return 0
    calculated[:] = np.inf
    count, walked = 0, 0
    for h in range(int(np.sqrt(q2_end / a)) + 1):
        k_mid = -f * h / (2 * b)
        k_half = np.sqrt(max(q2_end - a * h * h, 0.0) / b)
        k_low, k_high = int(np.ceil(k_mid - k_half)), int(np.floor(k_mid + k_half))
        if not signed_k or h == 0:
            k_low = max(k_low, 0)
        if order >= 1:
            k_high = min(k_high, h)
        for k in range(k_low, k_high + 1):
            rest = q2_end - a * h * h - b * (k - k_mid) * (k - k_mid)
            if rest < 0.0:
                continue
            linear = D * k + E * h
            l_half = np.sqrt(rest / C)
            l_low = int(np.ceil(-linear / (2 * C) - l_half))
            l_high = int(np.floor(-linear / (2 * C) + l_half))
            if (
                not signed_l
                or (h == 0 and (k == 0 or not signed_k))
                or (order == 1 and h == k)
                or (centring == 6 and (h - k) % 3 == 0)
            ):
                l_low = max(l_low, 0)
            if h == 0 and k == 0:
                l_low = max(l_low, 1)
            if order == 2:
                l_high = min(l_high, k)
            for l in range(l_low, l_high + 1):
                if (
                    (centring == 1 and (k + l) & 1)
                    or (centring == 2 and (h + l) & 1)
                    or (centring == 3 and (h + k) & 1)
                    or (centring == 4 and (h + k + l) & 1)
                    or (centring == 5 and ((h + k) & 1 or (h + l) & 1))
                    or (centring == 6 and (h - k - l) % 3)
                ):
                    continue
                value = A * h * h + B * k * k + F * h * k + (linear + C * l) * l
                walked += 1
                if value <= q2_last:
                    count += 1
                for i in range(n):
                    if abs(value - q2[i]) < abs(calculated[i] - q2[i]):
                        calculated[i] = value
                        hkl[i, 0], hkl[i, 1], hkl[i, 2] = h, k, l
            if walked > most:
                return 0
    return count


@njit(cache=True, nogil=True)
def log_likelihood(
    difference: np.ndarray, sigma: np.ndarray, number: int, q2_max: float, scale: float
) -> float:
    total = 0.0
    for i in range(difference.shape[0]):
        s = sigma[i] * scale
        z = difference[i] / s
        density = np.exp(-0.5 * z * z) / (2.5066282746310002 * s) if abs(z) < 30 else 0.0
        total += np.log((1 - STRAY) * q2_max / number * density + STRAY)
    return total


@njit(cache=True, nogil=True)
def refine_and_weigh(
    x: np.ndarray,
    shift: np.ndarray,
    centring: np.ndarray,
    basis: np.ndarray,
    domain: np.ndarray,
    q2: np.ndarray,
    sigma: np.ndarray,
    slope: np.ndarray,
    refine_shift: bool,
    most: int,
) -> tuple:
    """Refine trials and weigh them.

    Args:
        x: free reciprocal parameters (m, f), changed in place.
        shift: zero shift of 2theta (m,), degrees, changed in place.
        centring: codes (m,).
        basis: (f, 6), x6 = x @ basis.
        domain: of the lattice system.
        q2: observed q² (n,), no shift taken off; sigma: its errors (n,).
        slope: d(q²)/d(2theta) at each line (n,), 1/A² per degree.
        refine_shift: whether the shift is refined; otherwise it stays as given.
        most: trials with more reflections get no evidence.

    Returns:
        evidence (m,), -inf where there is none; number of reflections up to the last line (m,);
        differences (m, n) observed - calculated; hkl (m, n, 3) in the setting walked.
    """
    m, f = x.shape
    n = q2.shape[0]
    size = f + 1 if refine_shift else f
    evidence = np.full(m, -np.inf)
    numbers = np.zeros(m, dtype=np.int64)
    differences = np.zeros((m, n))
    indices = np.zeros((m, n, 3), dtype=np.int64)
    calculated = np.empty(n)
    rows = np.empty((n, size))
    prior = np.full(size, _PRIOR_SHARE * q2[-1])
    if refine_shift:
        prior[f] = SHIFT_SPREAD_DEG
    for t in range(m):
        usable = True
        best_x, best_shift, least = x[t].copy(), shift[t], np.inf
        for step in range(len(_WIDTHS) + 2):
            x6 = x[t] @ basis
            observed = q2 - slope * shift[t]
            number = _nearest(
                x6,
                domain,
                centring[t],
                observed,
                observed[-1] * 1.05,
                observed[-1] + 2 * sigma[-1],
                indices[t],
                calculated,
                most,
            )
            if number == 0:
                usable = step > 0
                x[t] = best_x
                shift[t] = best_shift
                if step == 0 or step > len(_WIDTHS):
                    usable = False
                    break
                continue
            numbers[t] = number
            differences[t] = observed - calculated
            if step == len(_WIDTHS) + 1:
                break
            fit = np.sum(np.log(np.abs(differences[t]) / sigma + _EXACT)) + n * np.log(number)
            if fit < least:
                least = fit
                best_x[:] = x[t]
                best_shift = shift[t]
            if step == len(_WIDTHS):
                x[t] = best_x
                shift[t] = best_shift
                continue
            for i in range(n):
                h, k, l = indices[t, i]
                for s in range(f):
                    rows[i, s] = (
                        basis[s, 0] * h * h
                        + basis[s, 1] * k * k
                        + basis[s, 2] * l * l
                        + basis[s, 3] * k * l
                        + basis[s, 4] * h * l
                        + basis[s, 5] * h * k
                    )
                if refine_shift:
                    rows[i, f] = slope[i]
            width = _WIDTHS[step]
            if step == 0:
                width = min(max(np.median(np.abs(differences[t]) / sigma), 0.03), 2.0)
            normal = np.zeros((size, size))
            right = np.zeros(size)
            for i in range(n):
                z = differences[t, i] / (width * sigma[i])
                if abs(z) > 10.0:
                    continue
                w = 1.0 / (sigma[i] * sigma[i] * (1 + z * z))
                for s in range(size):
                    right[s] += w * rows[i, s] * differences[t, i]
                    for u in range(size):
                        normal[s, u] += w * rows[i, s] * rows[i, u]
            for s in range(size):
                normal[s, s] += 1e-6 / (prior[s] * prior[s])
            if refine_shift:
                normal[f, f] += 1 / (prior[f] * prior[f])
                right[f] -= shift[t] / (prior[f] * prior[f])
            change = np.linalg.solve(normal, right)
            for s in range(f):
                x[t, s] += change[s]
            if refine_shift:
                shift[t] += change[f]
        if not usable:
            continue
        best = -np.inf
        for scale in ERROR_SCALES:
            value = log_likelihood(differences[t], sigma, numbers[t], q2[-1], scale)
            if value <= best:
                continue
            information = np.eye(size)
            for i in range(n):
                z = differences[t, i] / (scale * sigma[i])
                if abs(z) > 4.0:
                    continue
                w = 1.0 / (scale * sigma[i]) ** 2
                for s in range(size):
                    for u in range(size):
                        information[s, u] += (
                            w * rows[i, s] * rows[i, u] * prior[s] * prior[u] / 6.283185307179586
                        )
            value -= 0.5 * np.log(max(np.linalg.det(information), 1.0))
            if refine_shift:
                value -= 0.5 * (shift[t] / prior[f]) ** 2
            best = max(best, value)
        evidence[t] = best - np.log(len(ERROR_SCALES))
    return evidence, numbers, differences, indices
