"""Compiled: the lines of a lattice, and the nearest one."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.crystal.tolerances import LATTICE_LINE_REL
from mlindex.crystal.walk import Region, form_of, k_range, l_row, last_h, q2_of

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
        if value - last > LATTICE_LINE_REL * value:
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
    form = form_of(x6)
    if not form.a > 0.0:
        return -1
    # Terms that vanish make reflections with opposite signs equal.
    signed_k = form.D != 0.0 or form.F != 0.0
    signed_l = form.D != 0.0 or form.E != 0.0
    region = Region(int(signed_k), int(signed_l), 0, 0)
    count = 0
    for h in range(last_h(form, q2_max) + 1):
        k_low, k_high = k_range(form, region, h, q2_max)
        for k in range(k_low, k_high + 1):
            l_low, number, _ = l_row(form, region, h, k, q2_max)
            for l in range(l_low, l_low + number):
                if forbidden(h, k, l, rotations, shifts):
                    continue
                if count == len(buffer):
                    return -1
                buffer[count] = q2_of(form, h, k, l)
                count += 1
    buffer[:count].sort()
    return _without_repeats(buffer, count)


@njit(cache=True, nogil=True)
def hkl_up_to(x6: np.ndarray, centring: int, q2_max: float) -> np.ndarray:
    """Indices (n, 3), one of each Friedel pair, that a centring leaves; h changes last.

    None where x6 is no lattice; other arguments as for :func:`lines_up_to`.
    """
    form, region = form_of(x6), Region(1, 1, 0, centring)
    hkl = np.empty((256, 3), dtype=np.int64)
    count = 0
    for h in range(last_h(form, q2_max) + 1 if form.a > 0.0 else 0):
        k_low, k_high = k_range(form, region, h, q2_max)
        for k in range(k_low, k_high + 1):
            l_low, number, step = l_row(form, region, h, k, q2_max)
            for i in range(number):
                if count == len(hkl):
                    hkl = np.concatenate((hkl, np.empty_like(hkl)))
                hkl[count, 0], hkl[count, 1], hkl[count, 2] = h, k, l_low + i * step
                count += 1
    return hkl[:count]


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
def distances(values: np.ndarray, rising: np.ndarray, found: np.ndarray) -> None:
    """Fill (n,) with how far rising values (n,) are from the nearest entry of ``rising``, inf where
    that is empty."""
    if len(rising) == 0:
        found[:] = np.inf
        return
    position = 0
    for i in range(len(values)):
        position = nearest(values[i], rising, position)
        found[i] = abs(rising[position] - values[i])


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
