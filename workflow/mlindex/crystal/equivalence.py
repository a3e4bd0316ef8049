"""Whether two cells describe the same lattice.

Both are brought to their reduced primitive cells. Reduction is not stable: a lattice near the
border of two Niggli types reduces to either, by an error of the last digit. So the reduced bases
are not compared number by number; instead one is sought among the bases that small integer
combinations of the other's vectors make. Between two reduced bases of one lattice, combinations
with coefficients -1, 0 and 1 are enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import gemmi
import numpy as np

from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.niggli import niggli_reduction, relative_epsilon
from mlindex.crystal.tolerances import FOUND_LATTICE

_VECTORS = np.array([v for v in product((-1, 0, 1), repeat=3) if any(v)])


@dataclass(frozen=True)
class Lattice:
    """A lattice given by a cell (A, degrees) and the centring letter in that setting."""

    cell: tuple[float, ...]
    centring: str

    @cached_property
    def reduced(self) -> np.ndarray:
        """The Niggli cell (6,) of the primitive lattice."""
        epsilon = relative_epsilon(self.cell)
        return niggli_reduction(self.cell, self.centring, epsilon=epsilon).cell

    @cached_property
    def volume_A3(self) -> float:
        """Volume of the primitive cell in A³."""
        return float(gemmi.UnitCell(*self.reduced).volume)

    @cached_property
    def metric(self) -> np.ndarray:
        """Metric tensor (3, 3) of the reduced cell, A²."""
        return metric_tensor(self.reduced)

    @cached_property
    def short_lengths(self) -> np.ndarray:
        """Lengths of the short vectors :data:`_VECTORS` on the reduced basis, A."""
        return np.sqrt(np.einsum("ni,ij,nj->n", _VECTORS, self.metric, _VECTORS))


def lattice_of(cell: np.ndarray, centring: str) -> Lattice:
    """The lattice of six cell parameters and a centring letter."""
    return Lattice(tuple(float(v) for v in cell), centring)


def same(
    first: Lattice, second: Lattice, length_tolerance: float, angle_tolerance_deg: float
) -> bool:
    """Whether two lattices agree: see :func:`same_lattice`."""
    ratio = first.volume_A3 / second.volume_A3
    if abs(math.log(ratio)) > volume_tolerance(length_tolerance, angle_tolerance_deg):
        return False
    target = second.reduced
    near = np.abs(first.short_lengths - target[:3, None]) <= length_tolerance * target[:3, None]
    if not near.any(axis=1).all():
        return False
    fitting = [_VECTORS[row] for row in near]
    return _some_basis_fits(first.metric, fitting, target, angle_tolerance_deg)


def volume_tolerance(length_tolerance: float, angle_tolerance_deg: float) -> float:
    """ln of the greatest ratio of the volumes of two lattices that may agree."""
    # Errors of lengths and angles add up in the volume; angles count more in flat cells.
    return 6 * (length_tolerance + math.radians(angle_tolerance_deg))


def _some_basis_fits(
    metric: np.ndarray, fitting: list[np.ndarray], target: np.ndarray, angle_tolerance_deg: float
) -> bool:
    grids = np.meshgrid(*(np.arange(len(f)) for f in fitting), indexing="ij")
    bases = np.stack([f[g.ravel()] for f, g in zip(fitting, grids, strict=True)], axis=-2)
    bases = bases[np.abs(np.round(np.linalg.det(bases))) == 1]
    if not len(bases):
        return False
    angles = cell_from_metric(bases @ metric @ bases.swapaxes(-1, -2))[:, 3:]
    return bool(np.any(np.all(np.abs(angles - target[3:]) <= angle_tolerance_deg, axis=1)))


def same_lattice(
    cell_a: np.ndarray,
    centring_a: str,
    cell_b: np.ndarray,
    centring_b: str,
    length_tolerance: float = FOUND_LATTICE.length_rel,
    angle_tolerance_deg: float = FOUND_LATTICE.angle_deg,
) -> bool:
    """Whether two cells, with their centring letters, describe the same lattice.

    Args:
        cell_a, cell_b: six cell parameters (A, degrees), any setting.
        centring_a, centring_b: P, A, B, C, I, F or R (obverse, hexagonal axes) in that setting.
        length_tolerance: relative difference of reduced lengths that is forgiven.
        angle_tolerance_deg: difference of reduced angles that is forgiven.
    """
    first, second = lattice_of(cell_a, centring_a), lattice_of(cell_b, centring_b)
    return same(first, second, length_tolerance, angle_tolerance_deg)
