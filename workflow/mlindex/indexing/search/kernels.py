"""The compiled inner loop of every search: which observed lines does a lattice explain?

A lattice is given by six reciprocal parameters x6 in a setting with a centring, and by the part
of reciprocal space that holds each line once (``domain`` in :mod:`.walked`). All its
reflections up to the last line are visited (:mod:`mlindex.crystal.walk`). Observed lines wait in a
table over q², so that a reflection costs one look-up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.crystal.walk import (
    Region,
    form_of,
    k_range,
    l_row,
    last_h,
    q2_of,
    upright,
    upright_row,
)

#: Cells of the look-up table over q².
TABLE_CELLS = 1 << 14


class Tables(NamedTuple):
    """What the compiled loops know of the lines.

    Attributes:
        table, scale: from :func:`line_table`.
        q2_max: reflections beyond it are not visited, 1/A².
        most: lattices with more reflections are not scored.
        scores: by the number of lines explained and the number of reflections (n + 1, most + 2).
    """

    table: np.ndarray
    scale: float
    q2_max: float
    most: int
    scores: np.ndarray


class Kind(NamedTuple):
    """Which lattices a search tries: a :class:`mlindex.crystal.walk.Region` with bounds.

    Attributes:
        signed_k, signed_l, order: see :class:`mlindex.indexing.search.walked.WalkedSystem`.
        centring: its code, see :data:`mlindex.crystal.lattice.CENTRING_CODES`.
        det_low, det_high: least and greatest 1/V² of the walked cell, V in A³.
    """

    signed_k: int
    signed_l: int
    order: int
    centring: int
    det_low: float = 0.0
    det_high: float = np.inf


def line_table(
    q2_inv_A2: np.ndarray, window_inv_A2: np.ndarray, q2_max_inv_A2: float
) -> tuple[np.ndarray, float]:
    """Bit masks of the lines near each q², shape (TABLE_CELLS + 2,), and cells per 1/A².

    Args:
        q2_inv_A2: the lines (n <= 63,).
        window_inv_A2: how far from a line a reflection may lie to explain it (n,).
        q2_max_inv_A2: upper end of the table.
    """
    scale = TABLE_CELLS / q2_max_inv_A2
    table = np.zeros(TABLE_CELLS + 2, dtype=np.int64)
    low = np.clip(np.rint((q2_inv_A2 - window_inv_A2) * scale), 0, TABLE_CELLS + 1).astype(int)
    high = np.clip(np.rint((q2_inv_A2 + window_inv_A2) * scale), 0, TABLE_CELLS + 1).astype(int)
    for line, (first, last) in enumerate(zip(low, high, strict=True)):
        table[first : last + 1] |= np.int64(1) << line
    return table, scale


@njit(cache=True, nogil=True, inline="always")
def popcount(mask: int) -> int:
    """Number of bits set."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@njit(cache=True, nogil=True, inline="always")
def place_of(value: float, rising: np.ndarray) -> int:
    """Position of the first entry that is not below a value."""
    low, above = 0, rising.shape[0]
    while low < above:
        middle = (low + above) // 2
        if rising[middle] < value:
            low = middle + 1
        else:
            above = middle
    return low


@njit(cache=True, nogil=True)
def explain(x6: np.ndarray, kind: Kind, tables: Tables) -> tuple[int, int, int]:
    """Which lines a lattice explains, and with how many reflections up to q2_max.

    Args:
        x6: reciprocal parameters (6,): hh, kk, ll, kl, hl, hk.
        kind: its bounds are not asked.
        tables: with more than ``tables.most`` reflections the walk ends.

    Returns:
        Bit mask of the lines; number of reflections, most + 1 where there are more or x6 is no
        lattice; sum of their places in the table, the same in every setting of a lattice.
    """
    # Cubic trials, whose l has an end of its own, are few.
    if kind.signed_k or kind.order == 2:
        return _explain_any(x6, kind, tables)
    return _explain_upright(x6, kind, tables)


@njit(cache=True, nogil=True)
def _explain_any(x6: np.ndarray, kind: Kind, tables: Tables) -> tuple[int, int, int]:
    form, most = form_of(x6), tables.most
    mask, count, total = 0, 0, 0
    if not form.a > 0.0:
        return mask, most + 1, total
    for h in range(last_h(form, tables.q2_max) + 1):
        k_low, k_high = k_range(form, kind, h, tables.q2_max)
        for k in range(k_low, k_high + 1):
            l_low, number, step = l_row(form, kind, h, k, tables.q2_max)
            count += number
            l = float(l_low)
            for _ in range(number):
                place = int(q2_of(form, h, k, l) * tables.scale + 0.5)
                total += place
                mask |= tables.table[place]
                l += step
            if count > most:
                return mask, most + 1, 0
    return mask, count, total


@njit(cache=True, nogil=True)
def _explain_upright(x6: np.ndarray, kind: Kind, tables: Tables) -> tuple[int, int, int]:
    form, region = upright(x6, Region(kind.signed_k, kind.signed_l, kind.order, kind.centring))
    most, found = tables.most, (0, 0, 0)
    if not form.a > 0.0:
        return 0, most + 1, 0
    C = form.C * tables.scale
    for h in range(last_h(form, tables.q2_max) + 1):
        k_low, k_high = k_range(form, region, h, tables.q2_max)
        for k in range(k_low, k_high + 1):
            l, mirrored, step = upright_row(region, h, k)
            if l < 0:
                continue
            # What q2_of adds up, without the terms that are 0.
            base = ((form.B * k + form.F * h) * k + form.A * h * h) * tables.scale + 0.5
            found = _follow(base, C, l, step, tables, found)
            if mirrored >= 0:
                found = _follow(base, C, mirrored, step, tables, found)
            if found[1] > most:
                return found[0], most + 1, 0
    return found


@njit(cache=True, nogil=True, inline="always")
def _follow(
    base: float, C: float, l_low: int, step: int, tables: Tables, found: tuple[int, int, int]
) -> tuple[int, int, int]:
    """What was found with one row more, places from ``base`` and C l² on to the table's end."""
    mask, count, total = found
    end = tables.q2_max * tables.scale + 0.5
    l = float(l_low)
    value = base + C * l * l
    while value <= end:
        place = int(value)
        total += place
        # Unsigned: a place is never counted from the end.
        mask |= tables.table[np.uint64(place)]
        count += 1
        l += step
        value = base + C * l * l
    return mask, count, total


@njit(cache=True, nogil=True)
def assign(
    x6: np.ndarray,
    region: Region,
    q2: np.ndarray,
    table: np.ndarray,
    scale: float,
    q2_max: float,
    hkl: np.ndarray,
    far: np.ndarray,
) -> None:
    """The nearest reflection to every line (n,) of those near it in a table.

    Fills its indices ``hkl`` (n, 3) and how far the line lies above it ``far`` (n,), 1/A²; inf
    where there is none. The rest is as for :func:`explain`.
    """
    form = form_of(x6)
    far[:] = np.inf
    if not form.a > 0.0:
        return
    for h in range(last_h(form, q2_max) + 1):
        k_low, k_high = k_range(form, region, h, q2_max)
        for k in range(k_low, k_high + 1):
            l_low, number, step = l_row(form, region, h, k, q2_max)
            for i in range(number):
                l = l_low + i * step
                value = q2_of(form, h, k, l)
                mask, line = table[int(value * scale + 0.5)], 0
                while mask:
                    if mask & 1 and abs(q2[line] - value) < abs(far[line]):
                        far[line] = q2[line] - value
                        hkl[line, 0], hkl[line, 1], hkl[line, 2] = h, k, l
                    mask >>= 1
                    line += 1


@njit(cache=True, nogil=True, inline="always")
def design_row(basis: np.ndarray, hkl: np.ndarray, row: np.ndarray) -> None:
    """Fill (f,) with the derivatives of q² of a reflection by the free parameters."""
    h, k, l = hkl[0], hkl[1], hkl[2]
    for s in range(basis.shape[0]):
        row[s] = (
            basis[s, 0] * h * h
            + basis[s, 1] * k * k
            + basis[s, 2] * l * l
            + basis[s, 3] * k * l
            + basis[s, 4] * h * l
            + basis[s, 5] * h * k
        )
