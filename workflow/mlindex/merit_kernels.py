"""The compiled part of the figures of merit: all lines of a lattice, and figures of many cells."""

from __future__ import annotations

import numpy as np
from numba import njit

#: Lines whose q² agree to this fraction are one line: equal but for rounding.
SAME_LINE_REL = 1e-8
#: A little beyond the last line, which may lie below the reflection that it belongs to.
REACH = 1.05


@njit(cache=True, nogil=True, inline="always")
def forbidden(h: int, k: int, l: int, rotations: np.ndarray, shifts: np.ndarray) -> bool:
    for m in range(len(shifts)):
        if (h * shifts[m, 0] + k * shifts[m, 1] + l * shifts[m, 2]) % 24 != 0:
            r = rotations[m]
            if (
                h * r[0, 0] + k * r[1, 0] + l * r[2, 0] == h
                and h * r[0, 1] + k * r[1, 1] + l * r[2, 1] == k
                and h * r[0, 2] + k * r[1, 2] + l * r[2, 2] == l
            ):
                return True
    return False


@njit(cache=True, nogil=True)
def _without_repeats(rising: np.ndarray, count: int) -> int:
    kept, last = 0, -1.0
    for i in range(count):
        value = rising[i]
        if value - last > SAME_LINE_REL * value:
            rising[kept] = value
            kept += 1
        last = value
    return kept


@njit(cache=True, nogil=True)
def lines_up_to(
    x6: np.ndarray, rotations: np.ndarray, shifts: np.ndarray, q2_max: float, buffer: np.ndarray
) -> int:
    """Fill ``buffer`` with the rising q² of the different lines of a lattice; return how many.

    Args:
        x6: reciprocal parameters (6,): hh, kk, ll, kl, hl, hk, 1/A².
        rotations, shifts: operations, (m, 3, 3) and (m, 3) in 24ths of the axes: a reflection h
            is forbidden where for one of them h R = h and h · t is no whole number.
        q2_max: upper end, 1/A².
        buffer: room for the reflections that are walked (m,).

    Returns:
        The number of lines; -1 if x6 is no lattice or its reflections don't fit the buffer.
    """
    hh, kk, ll, kl, hl, hk = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    if not ll > 0.0:
        return -1
    # q2 = ll (l - l_mid)^2 + b (k - k_mid)^2 + a h^2
    b = kk - kl * kl / (4 * ll)
    if not b > 0.0:
        return -1
    f = hk - kl * hl / (2 * ll)
    a = hh - hl * hl / (4 * ll) - f * f / (4 * b)
    if not a > 0.0:
        return -1
    # Terms that vanish make reflections with opposite signs equal.
    signed_k = kl != 0.0 or hk != 0.0
    signed_l = kl != 0.0 or hl != 0.0
    count = 0
    for h in range(int(np.sqrt(q2_max / a)) + 1):
        rest_h = max(q2_max - a * h * h, 0.0)
        k_mid, k_half = -f * h / (2 * b), np.sqrt(rest_h / b)
        k_low = int(np.ceil(k_mid - k_half)) if signed_k and h > 0 else 0
        for k in range(k_low, int(np.floor(k_mid + k_half)) + 1):
            rest = max(rest_h - b * (k - k_mid) * (k - k_mid), 0.0)
            l_mid, l_half = -(kl * k + hl * h) / (2 * ll), np.sqrt(rest / ll)
            friedel = h == 0 and (k == 0 or not signed_k)
            l_low = int(np.ceil(l_mid - l_half)) if signed_l and not friedel else 0
            for l in range(l_low, int(np.floor(l_mid + l_half)) + 1):
                if (h == 0 and k == 0 and l == 0) or forbidden(h, k, l, rotations, shifts):
                    continue
                if count == len(buffer):
                    return -1
                buffer[count] = (
                    hh * h * h + kk * k * k + ll * l * l + kl * k * l + hl * h * l + hk * h * k
                )
                count += 1
    buffer[:count].sort()
    return _without_repeats(buffer, count)


@njit(cache=True, nogil=True)
def nearest(value: float, rising: np.ndarray, start: int) -> int:
    """Position of the nearest entry of ``rising`` to ``value``, from ``start`` upwards.

    With values that rise from call to call, the last answer is the place to start.
    """
    i = start
    while i + 1 < len(rising) and abs(rising[i + 1] - value) <= abs(rising[i] - value):
        i += 1
    return i


@njit(cache=True, nogil=True)
def figures(observed: np.ndarray, lines: np.ndarray, floor: float) -> tuple[float, float, float]:
    """de Wolff's M, its reversal, and de Wolff's M over the same range; see mlindex.merit."""
    n = len(observed)
    total, position, first = 0.0, 0, 0
    for i in range(n):
        position = nearest(observed[i], lines, position)
        total += abs(observed[i] - lines[position])
        if i == 0:
            first = position
    mean = total / n + floor
    n_calculated = np.searchsorted(lines, max(observed[-1], lines[position]), side="right")
    m = observed[-1] / (2 * mean * n_calculated) if mean > 0.0 else np.inf
    count = position + 1 - first
    if count < 2:
        return m, 0.0, 0.0
    reversed_total, at = 0.0, 0
    for i in range(first, position + 1):
        at = nearest(lines[i], observed, at)
        reversed_total += abs(lines[i] - observed[at])
    reversed_mean = reversed_total / count + floor
    span = observed[-1] - observed[0]
    m_reversed = span / (2 * reversed_mean * n) if reversed_mean > 0.0 else np.inf
    same_range = lines[position] - lines[first]
    m_range = same_range / (2 * mean * count) if mean > 0.0 else np.inf
    return m, m_reversed, m_range


@njit(cache=True, nogil=True)
def number_of_each(
    x6: np.ndarray, rotations: np.ndarray, shifts: np.ndarray, q2_max: float, most: int
) -> np.ndarray:
    """Different lines (c,) up to q2_max of each lattice; -1 for no cell, see lines_up_to."""
    buffer = np.empty(most)
    out = np.empty(len(x6), dtype=np.int64)
    for c in range(len(x6)):
        out[c] = lines_up_to(x6[c], rotations, shifts, q2_max, buffer)
    return out


@njit(cache=True, nogil=True)
def figures_of_each(
    observed: np.ndarray,
    x6: np.ndarray,
    rotations: np.ndarray,
    shifts: np.ndarray,
    floor: float,
    most: int,
) -> np.ndarray:
    """Rows (c, 4) of M, reversed M, M over the same range, number of lines; 0 for no cell."""
    out = np.zeros((len(x6), 4))
    buffer = np.empty(most)
    for c in range(len(x6)):
        kept = lines_up_to(x6[c], rotations, shifts, observed[-1] * REACH, buffer)
        if kept <= 0:
            continue
        lines = buffer[:kept]
        m, m_reversed, m_range = figures(observed, lines, floor)
        last = nearest(observed[-1], lines, 0)
        out[c, 0], out[c, 1], out[c, 2] = m, m_reversed, m_range
        out[c, 3] = np.searchsorted(lines, max(observed[-1], lines[last]), side="right")
    return out
