"""The compiled inner loop of every search: which observed lines does a lattice explain?

A lattice is given by six reciprocal parameters x6 in a setting with a centring, and by the part
of reciprocal space that holds each line once (``domain`` in :mod:`mlindex.lattice`). All its
reflections up to the last line are visited, and none beyond: the ellipsoid q² = H·x <= q²_max is
walked index by index, with limits from the quadratic form completed to squares. Observed lines
wait in a table over q², so that a reflection costs one look-up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

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
    """Which lattices a search tries. Numbers only: compiled loops count references of arrays.

    Attributes:
        signed_k, signed_l, order: see ``LatticeSystem.domain``.
        centring: its code, see :data:`mlindex.lattice.CENTRING_CODES`.
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
    signed_k, signed_l, order, centring = kind.signed_k, kind.signed_l, kind.order, kind.centring
    table, scale, q2_max, most = tables.table, tables.scale, tables.q2_max, tables.most
    A, B, C, D, E, F = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    # q2 = C (l + (D k + E h)/2C)^2 + b (k + f h / 2b)^2 + a h^2
    if not C > 0.0:
        return 0, most + 1, 0
    b = B - D * D / (4 * C)
    f = F - D * E / (2 * C)
    a_ = A - E * E / (4 * C)
    if not b > 0.0:
        return 0, most + 1, 0
    a = a_ - f * f / (4 * b)
    if not a > 0.0:
        return 0, most + 1, 0
    mask, count, total = 0, 0, 0
    h_max = int(np.sqrt(q2_max / a))
    for h in range(h_max + 1):
        rest_h = q2_max - a * h * h
        if rest_h < 0.0:
            break
        k_mid = -f * h / (2 * b)
        k_half = np.sqrt(rest_h / b)
        k_low = int(np.ceil(k_mid - k_half))
        k_high = int(np.floor(k_mid + k_half))
        if not signed_k or h == 0:
            k_low = max(k_low, 0)
        if order >= 1:
            k_high = min(k_high, h)
        for k in range(k_low, k_high + 1):
            rest = rest_h - b * (k - k_mid) * (k - k_mid)
            if rest < 0.0:
                continue
            l_mid = -(D * k + E * h) / (2 * C)
            l_half = np.sqrt(rest / C)
            l_low = int(np.ceil(l_mid - l_half))
            l_high = int(np.floor(l_mid + l_half))
            if not signed_l or (h == 0 and (k == 0 or not signed_k)) or (order == 1 and h == k):
                l_low = max(l_low, 0)
            if h == 0 and k == 0:
                l_low = max(l_low, 1)
            if order == 2:
                l_high = min(l_high, k)
            base = A * h * h + B * k * k + F * h * k
            linear = D * k + E * h
            step = 1
            if centring == 1:  # A
                step = 2
                l_low += (k + l_low) & 1
            elif centring == 2:  # B
                step = 2
                l_low += (h + l_low) & 1
            elif centring == 3:  # C
                if (h + k) & 1:
                    continue
            elif centring == 4:  # I
                step = 2
                l_low += (h + k + l_low) & 1
            elif centring == 5:  # F
                if (h + k) & 1:
                    continue
                step = 2
                l_low += (h + l_low) & 1
            elif centring == 6:  # R obverse on hexagonal axes: -h + k + l = 3n
                step = 3
                if (h - k) % 3 == 0:  # then l and -l are both present, and one line
                    l_low = max(l_low, 0)
                l_low += (h - k - l_low) % 3
            for l in range(l_low, l_high + 1, step):
                count += 1
                place = int((base + (linear + C * l) * l) * scale + 0.5)
                total += place
                mask |= table[place]
            if count > most:
                return mask, most + 1, 0
    return mask, count, total
