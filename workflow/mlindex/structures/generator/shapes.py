"""Shapes of cells as coordinates in which real crystals have simple distributions.

A lattice is described by the logarithm of its conventional volume and by numbers that do not
depend on the setting an author chose: ratios of sorted axes, or of the reduced cell. Where a
coordinate has an edge (two equal axes, a right angle, the limit of reduction) a draw beyond the
edge is folded back, so that a mixture of Gaussians can be fitted on the unfolded line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_volume
from mlindex.crystal.niggli import FIXED_EPSILON_A2, niggli_reduction
from mlindex.crystal.plane import reduce_planes

_REDUCTION_STEPS = 100


@dataclass(frozen=True)
class Coordinate:
    """One number of a shape.

    ``fold`` says where draws are reflected: "none", "zero" (at 0) or "unit" (at 0 and 1).
    """

    name: str
    fold: str = "none"

    def folded(self, values: np.ndarray) -> np.ndarray:
        """``values`` (any shape) brought into the allowed range."""
        if self.fold == "none":
            return values
        values = np.abs(values)
        if self.fold == "zero":
            return values
        values = values % 2.0
        return np.where(values > 1.0, 2.0 - values, values)


@dataclass(frozen=True)
class CellShape:
    """How the cells of one lattice system are written as coordinates and back.

    ``canonical`` brings cells (n, 6) of any setting, with their unique axes (n,), to the
    canonical cell; ``ratios`` gives the coordinates but the volume, shape (n, k), of canonical
    cells; ``build`` gives canonical cells (n, 6) of arbitrary volume from them.
    """

    coordinates: tuple[Coordinate, ...]
    canonical: Callable[[np.ndarray, np.ndarray], np.ndarray]
    ratios: Callable[[np.ndarray], np.ndarray]
    build: Callable[[np.ndarray], np.ndarray]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all coordinates, the logarithm of the volume in A³ first."""
        return ("ln_volume", *(c.name for c in self.coordinates))

    def describe(self, cells: np.ndarray, unique_axes: np.ndarray) -> np.ndarray:
        """Coordinates (n, 1 + k) of cells (n, 6) in A and degrees.

        Args:
            cells: conventional cells.
            unique_axes: position of the unique axis of each cell, 1 where there is none.
        """
        canonical = self.canonical(np.asarray(cells, dtype=float), np.asarray(unique_axes))
        return np.column_stack([np.log(cell_volume(canonical)), self.ratios(canonical)])

    def cells(self, coordinates: np.ndarray) -> np.ndarray:
        """Canonical cells (n, 6) from coordinates (n, 1 + k), NaN where there is none."""
        coordinates = np.asarray(coordinates, dtype=float)
        folded = [c.folded(coordinates[:, i + 1]) for i, c in enumerate(self.coordinates)]
        cells = self.build(np.column_stack(folded) if folded else np.empty((len(coordinates), 0)))
        scale = np.cbrt(np.exp(coordinates[:, 0]) / cell_volume(cells))
        cells[:, :3] *= scale[:, None]
        return cells


def _as_given(cells: np.ndarray, unique_axes: np.ndarray) -> np.ndarray:
    return cells.copy()


def _on_hexagonal_axes(cells: np.ndarray, unique_axes: np.ndarray) -> np.ndarray:
    rhombohedral = np.abs(cells[:, 5] - 120.0) > 1e-6
    out = cells.copy()
    a, angle = cells[:, 0], np.radians(cells[:, 3])
    out[rhombohedral, 0] = out[rhombohedral, 1] = (2 * a * np.sin(angle / 2))[rhombohedral]
    out[rhombohedral, 2] = (a * np.sqrt(np.maximum(3 + 6 * np.cos(angle), 0)))[rhombohedral]
    out[rhombohedral, 3:] = (90.0, 90.0, 120.0)
    return out


def rhombohedral_axes(cell: np.ndarray) -> np.ndarray:
    """The cell (6,) on rhombohedral axes of a cell (6,) on hexagonal axes."""
    a, c = cell[0], cell[2]
    length = np.sqrt(3 * a * a + c * c) / 3
    angle = np.degrees(2 * np.arcsin(1.5 * a / np.sqrt(3 * a * a + c * c)))
    return np.array([length] * 3 + [angle] * 3)


def _sorted_axes(cells: np.ndarray, unique_axes: np.ndarray) -> np.ndarray:
    out = cells.copy()
    out[:, :3] = np.sort(cells[:, :3], axis=1)
    return out


def _reduced_plane(cells: np.ndarray, unique_axes: np.ndarray) -> np.ndarray:
    """Unique axis b, a and c the two shortest vectors across it, a <= c, beta >= 90."""
    rows = np.arange(len(cells))
    first, second = np.where(unique_axes == 0, 1, 0), np.where(unique_axes == 2, 1, 2)
    p2, q2 = cells[rows, first] ** 2, cells[rows, second] ** 2
    cosine = np.cos(np.radians(cells[rows, 3 + unique_axes]))
    _, p2, dot, q2 = reduce_planes(p2, np.sqrt(p2 * q2) * cosine, q2, most_steps=_REDUCTION_STEPS)
    angle = np.degrees(np.arccos(-np.abs(dot) / np.sqrt(p2 * q2)))
    right = np.full(len(cells), 90.0)
    unique = cells[rows, unique_axes]
    return np.column_stack([np.sqrt(p2), unique, np.sqrt(q2), right, angle, right])


def _niggli(cells: np.ndarray, unique_axes: np.ndarray) -> np.ndarray:
    return np.array([niggli_cell(cell) for cell in cells]).reshape(-1, 6)


def niggli_cell(cell: np.ndarray) -> np.ndarray:
    """The Niggli cell (6,) of a primitive cell (6,), NaN where the cell is impossible."""
    if not np.all(np.isfinite(cell)) or not np.isfinite(cell_volume(cell)):
        return np.full(6, np.nan)
    return niggli_reduction(cell, epsilon=FIXED_EPSILON_A2).cell


def _no_ratios(cells: np.ndarray) -> np.ndarray:
    return np.empty((len(cells), 0))


def _build_cubic(ratios: np.ndarray) -> np.ndarray:
    return np.tile([1.0, 1.0, 1.0, 90.0, 90.0, 90.0], (len(ratios), 1))


def _uniaxial_ratios(cells: np.ndarray) -> np.ndarray:
    return np.log(cells[:, [2]] / cells[:, [0]])


def _build_uniaxial(gamma_deg: float) -> Callable[[np.ndarray], np.ndarray]:
    def build(ratios: np.ndarray) -> np.ndarray:
        cells = np.tile([1.0, 1.0, 1.0, 90.0, 90.0, gamma_deg], (len(ratios), 1))
        cells[:, 2] = np.exp(ratios[:, 0])
        return cells

    return build


def _sorted_ratios(cells: np.ndarray) -> np.ndarray:
    return np.log(cells[:, 1:3] / cells[:, 0:2])


def _build_orthorhombic(ratios: np.ndarray) -> np.ndarray:
    cells = np.tile([1.0, 1.0, 1.0, 90.0, 90.0, 90.0], (len(ratios), 1))
    cells[:, 1] = np.exp(ratios[:, 0])
    cells[:, 2] = np.exp(ratios.sum(axis=1))
    return cells


def _plane_ratios(cells: np.ndarray) -> np.ndarray:
    a, b, c = cells[:, :3].T
    shear = -2 * c * np.cos(np.radians(cells[:, 4])) / a
    return np.column_stack([np.log(b / np.cbrt(cell_volume(cells))), np.log(c / a), shear])


def _build_monoclinic(ratios: np.ndarray) -> np.ndarray:
    unique, plane, shear = ratios.T
    c = np.exp(plane)
    cosine = -shear / (2 * c)
    # For volume 1 and b = exp(unique), a² c sin(beta) b = 1 fixes the scale of the plane.
    scale = np.sqrt(np.exp(-unique) / (c * np.sqrt(1 - cosine**2)))
    right = np.full(len(ratios), 90.0)
    beta = np.degrees(np.arccos(cosine))
    return np.column_stack([scale, np.exp(unique), c * scale, right, beta, right])


def _niggli_ratios(cells: np.ndarray) -> np.ndarray:
    a, b, c = cells[:, :3].T
    cosine = np.cos(np.radians(cells[:, 3:]))
    signs = np.where(cosine.sum(axis=1) > 0, 0.25, 0.75)
    shears = [2 * c * cosine[:, 0] / b, 2 * c * cosine[:, 1] / a, 2 * b * cosine[:, 2] / a]
    return np.column_stack([np.log(b / a), np.log(c / b), *np.abs(shears), signs])


def _build_triclinic(ratios: np.ndarray) -> np.ndarray:
    b = np.exp(ratios[:, 0])
    c = b * np.exp(ratios[:, 1])
    sign = np.where(ratios[:, 5] < 0.5, 1.0, -1.0)
    cosine = np.column_stack(
        [ratios[:, 2] * b / (2 * c), ratios[:, 3] / (2 * c), ratios[:, 4] / (2 * b)]
    )
    angles = np.degrees(np.arccos(sign[:, None] * cosine))
    cells = np.column_stack([np.ones(len(ratios)), b, c, angles])
    return np.array([niggli_cell(cell) for cell in cells]).reshape(-1, 6)


_RATIO = Coordinate("ln_c_over_a")

#: Shape of each lattice system by its name in :data:`mlindex.crystal.lattice.SYSTEMS`.
SHAPES: dict[str, CellShape] = {
    "cubic": CellShape((), _as_given, _no_ratios, _build_cubic),
    "tetragonal": CellShape((_RATIO,), _as_given, _uniaxial_ratios, _build_uniaxial(90.0)),
    "hexagonal": CellShape((_RATIO,), _as_given, _uniaxial_ratios, _build_uniaxial(120.0)),
    "rhombohedral": CellShape(
        (_RATIO,), _on_hexagonal_axes, _uniaxial_ratios, _build_uniaxial(120.0)
    ),
    "orthorhombic": CellShape(
        (Coordinate("ln_b_over_a", "zero"), Coordinate("ln_c_over_b", "zero")),
        _sorted_axes,
        _sorted_ratios,
        _build_orthorhombic,
    ),
    "monoclinic": CellShape(
        (
            Coordinate("ln_b_over_cbrt_volume"),
            Coordinate("ln_c_over_a", "zero"),
            Coordinate("shear", "unit"),
        ),
        _reduced_plane,
        _plane_ratios,
        _build_monoclinic,
    ),
    "triclinic": CellShape(
        (
            Coordinate("ln_b_over_a", "zero"),
            Coordinate("ln_c_over_b", "zero"),
            Coordinate("shear_alpha", "unit"),
            Coordinate("shear_beta", "unit"),
            Coordinate("shear_gamma", "unit"),
            Coordinate("niggli_type", "unit"),
        ),
        _niggli,
        _niggli_ratios,
        _build_triclinic,
    ),
}
