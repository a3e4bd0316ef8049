"""Rows of discs along a net's mirror lines: alternation, and Gjonnes-Moodie lines.

Where a screw axis or a glide plane forbids every second reflection of such a row, its discs are
weak, and dark along the row through their centres (Gjonnes & Moodie, Acta Cryst. 19 (1965) 65).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from mlindex.cbed.discs import Discs
from mlindex.cbed.likeness import Operation
from mlindex.cbed.net import POWER

#: Half the width of the dark line that is looked for, over the radius; in pixels at least.
_HALF_WIDTH, _LEAST_PIXELS = 0.12, 0.6
#: The line is compared with what lies so far from it, over the radius.
_ASIDE = 0.4


@dataclass(frozen=True)
class Row:
    """The discs n g, n = ±1, ±2 ..., along a mirror line.

    ``spacing_inv_A``: |g|; ``odd``: intensity (to the power 0.25) of odd over that of even ones;
    ``line``: intensity of odd discs on the row's line over that beside it, 0 for a black line.
    """

    spacing_inv_A: float
    odd: float
    line: float


def row_of(pattern: np.ndarray, pixel_inv_A: float, discs: Discs, mirror: Operation) -> Row | None:
    """The row along a mirror line; None if no two of its discs lie in the pattern."""
    along = np.all(discs.at @ mirror.matrix == discs.at, axis=1)
    at = discs.at[along]
    if len(at) < 5:
        return None
    step = at[1]
    rows, number = np.flatnonzero(along)[1:], (at[1:] @ step) / (step @ step)
    odd = np.rint(number).astype(int) % 2 == 1
    strength = discs.mean[rows] ** POWER
    if odd.all() or not odd.any():
        return None
    direction = np.array([np.cos(mirror.angle_rad), np.sin(mirror.angle_rad)])
    on, aside = _line(
        np.ascontiguousarray(pattern, dtype=np.float64),
        discs.q_inv_A[rows[odd]] / pixel_inv_A + len(pattern) // 2,
        discs.radius_inv_A / pixel_inv_A,
        direction,
        max(_HALF_WIDTH * discs.radius_inv_A / pixel_inv_A, _LEAST_PIXELS),
    )
    weight = strength[odd] / np.maximum(discs.mean[rows[odd]], 1e-300)
    bottom = float(weight @ aside)
    line = float(weight @ on) / bottom if bottom > 0 else 1.0
    return Row(
        float(np.linalg.norm(step @ discs.net.basis_inv_A)),
        float(min(strength[odd].mean() / strength[~odd].mean(), 2.0)),
        min(line, 2.0),
    )


@numba.njit(cache=True)
def _line(pattern, place, radius, direction, half_width):
    """Mean intensity (n,) of discs on a line through their centres, and beside it."""
    n, side = len(place), len(pattern)
    on, aside = np.zeros(n), np.zeros(n)
    rim = 0.9 * radius
    for disc in range(n):
        cx, cy = place[disc, 0], place[disc, 1]
        n_on, n_aside = 0, 0
        for row in range(max(0, int(np.ceil(cy - rim))), min(side - 1, int(cy + rim)) + 1):
            for column in range(max(0, int(np.ceil(cx - rim))), min(side - 1, int(cx + rim)) + 1):
                x, y = column - cx, row - cy
                if x * x + y * y > rim * rim:
                    continue
                off = abs(x * direction[1] - y * direction[0])
                if off <= half_width:
                    on[disc] += pattern[row, column]
                    n_on += 1
                elif off >= _ASIDE * radius:
                    aside[disc] += pattern[row, column]
                    n_aside += 1
        on[disc] /= max(n_on, 1)
        aside[disc] /= max(n_aside, 1)
    return on, aside
