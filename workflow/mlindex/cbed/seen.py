"""What is seen of one pattern, before anybody draws conclusions from it.

Only what a microscopist has is used: the pattern, the energy, the semi-angle and the camera
constant (pixel size; the challenge's 0.01 1/A where a file states none). Nets, spacings and angles
are measured from the patterns. Indices of zones, directions in the crystal, its cell and the
spacings that a file states are not looked at: who knows them has indexed the crystal already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.dark_lines import Row, row_of
from mlindex.cbed.discs import Discs, discs_of
from mlindex.cbed.likeness import (
    Likeness,
    Operation,
    bright_field,
    dark_fields,
    operations_of,
    plus_minus,
    whole_pattern,
)
from mlindex.cbed.net import net_of
from mlindex.cbed.potential import wavelength_A
from mlindex.cbed.stack import Stack
from mlindex.cbed.upper_zones import UpperZones, upper_zones

#: Size of a pixel where a file states none: the challenge's.
PIXEL_INV_A = 0.01


@dataclass(frozen=True)
class Seen:
    """What is seen of one pattern: its discs, each operation its net allows, rows, upper zones."""

    discs: Discs
    operations: tuple[Operation, ...]
    whole: tuple[Likeness, ...]
    bright: tuple[Likeness, ...]
    dark: tuple[Likeness, ...]
    opposite: Likeness
    rows: tuple[Row, ...]
    upper: UpperZones

    @property
    def overlap(self) -> float:
        """Diameter of the discs over the shortest vector of the net: above 1 discs overlap."""
        return float(2 * self.discs.radius_inv_A / self.discs.net.lengths_inv_A[0])


def seen(pattern: np.ndarray, pixel_inv_A: float, radius_inv_A: float) -> Seen:
    """What a pattern (n, n) shows.

    Args:
        pattern: intensities, with the direct beam on pixel (n // 2, n // 2).
        pixel_inv_A: size of a pixel.
        radius_inv_A: radius of the discs.

    Raises:
        MlindexError: it shows no net of discs.
    """
    # Intensities have any unit; the brightest pixel is 1.
    pattern = np.asarray(pattern, dtype=float) / max(float(np.max(pattern)), 1e-300)
    net = net_of(pattern, pixel_inv_A, radius_inv_A)
    discs = discs_of(pattern, pixel_inv_A, radius_inv_A, net)
    operations = operations_of(net)
    rows = (row_of(pattern, pixel_inv_A, discs, one) for one in operations if one.order == 0)
    return Seen(
        discs=discs,
        operations=operations,
        whole=tuple(whole_pattern(discs, one) for one in operations),
        bright=tuple(bright_field(discs, one) for one in operations),
        dark=tuple(dark_fields(discs, one) for one in operations),
        opposite=plus_minus(discs),
        rows=tuple(sorted((row for row in rows if row), key=lambda row: row.odd)),
        upper=upper_zones(pattern, pixel_inv_A, radius_inv_A, net),
    )


def seen_in(stack: Stack) -> list[Seen | None]:
    """What each zone of a stack shows, None where no net is found."""
    pixel = PIXEL_INV_A if stack.pixel_inv_A is None else stack.pixel_inv_A
    radii = np.sin(stack.semi_angle_rad) / wavelength_A(stack.energy_keV)
    found: list[Seen | None] = []
    for pattern, radius in zip(stack.patterns, radii, strict=True):
        try:
            found.append(seen(pattern, pixel, float(radius)))
        except MlindexError:
            found.append(None)
    return found
