"""Unit cells: direct and reciprocal parameters, one at a time or many at once.

Lengths are in A, angles in degrees, ``x`` are the six reciprocal parameters of
:data:`mlindex.crystal.lattice.QUADRATIC_TERMS` in 1/A². Arrays broadcast over leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.lattice import ANGLES, AXES, quadratic_terms


@dataclass(frozen=True)
class UnitCell:
    """A unit cell: lengths in A, angles in degrees.

    Raises:
        ValueError: if a length is not positive or the angles enclose no volume.
    """

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    def __post_init__(self) -> None:
        lengths = (self.a, self.b, self.c)
        if not all(np.isfinite(v) and v > 0 for v in lengths):
            raise ValueError(f"cell lengths must be positive and finite, got {lengths}")
        volume = self.volume_A3
        if not (np.isfinite(volume) and volume > 0):
            raise ValueError(
                f"cell angles {self.alpha, self.beta, self.gamma} degrees enclose no volume"
            )

    @classmethod
    def from_array(cls, cell: np.ndarray) -> UnitCell:
        """From an array (a, b, c, alpha, beta, gamma)."""
        return cls(*(float(v) for v in cell))

    @property
    def parameters(self) -> tuple[float, ...]:
        """(a, b, c, alpha, beta, gamma)."""
        return tuple(getattr(self, name) for name in AXES + ANGLES)

    @property
    def volume_A3(self) -> float:
        """Volume in A³."""
        return float(cell_volume(np.array(self.parameters)))

    def q2_inv_A2(self, hkl: np.ndarray) -> np.ndarray:
        """1/d² in 1/A² of Miller indices of shape (..., 3)."""
        return quadratic_terms(hkl) @ reciprocal_from_cell(np.array(self.parameters))

    def __str__(self) -> str:
        lengths = " ".join(f"{v:.4f}" for v in self.parameters[:3])
        angles = " ".join(f"{v:.3f}" for v in self.parameters[3:])
        return f"{lengths} {angles}"


def metric_tensor(cell: np.ndarray) -> np.ndarray:
    """Metric tensor in A², shape (..., 3, 3), of cells of shape (..., 6) (Moreau eq. 8)."""
    cell = np.asarray(cell, dtype=float)
    cosines = cosine_of_degrees(cell[..., 3:])
    metric = np.empty((*cell.shape[:-1], 3, 3))
    for i in range(3):
        metric[..., i, i] = cell[..., i] ** 2
        j, k = (i + 1) % 3, (i + 2) % 3
        metric[..., j, k] = metric[..., k, j] = cell[..., j] * cell[..., k] * cosines[..., i]
    return metric


def cosine_of_degrees(angle_deg: np.ndarray) -> np.ndarray:
    """Cosine that is exactly 0 at 90 degrees and exactly -1/2 at 120 degrees."""
    angle_deg = np.asarray(angle_deg, dtype=float)
    cosine = np.cos(np.radians(angle_deg))
    return np.where(angle_deg == 90.0, 0.0, np.where(angle_deg == 120.0, -0.5, cosine))


def cell_from_metric(metric: np.ndarray) -> np.ndarray:
    """Cell parameters (..., 6) from metric tensors (..., 3, 3)."""
    lengths = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    cell = np.empty((*metric.shape[:-2], 6))
    cell[..., :3] = lengths
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        cosine = metric[..., j, k] / (lengths[..., j] * lengths[..., k])
        cell[..., 3 + i] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return cell


def metric_derivatives(cell: np.ndarray) -> np.ndarray:
    """Derivatives (6, 3, 3) of the metric tensor (A²) of a cell by its six parameters."""
    cell = np.asarray(cell, dtype=float)
    metric = metric_tensor(cell)
    derivatives = np.zeros((6, 3, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        derivatives[i, i, :] += metric[i] / cell[i]
        derivatives[i, :, i] += metric[i] / cell[i]
        slope = -cell[j] * cell[k] * np.sin(np.radians(cell[3 + i])) * np.radians(1.0)
        derivatives[3 + i, j, k] = derivatives[3 + i, k, j] = slope
    return derivatives


def cell_change(cell: np.ndarray, metric_change: np.ndarray) -> np.ndarray:
    """Change (6,) of a cell (A, degrees), to first order, with a change (3, 3) of its metric."""
    lengths, cosines = cell[:3], np.cos(np.radians(cell[3:]))
    d_length = np.diagonal(metric_change) / (2 * lengths)
    change = np.empty(6)
    change[:3] = d_length
    for angle in range(3):
        p, q = (angle + 1) % 3, (angle + 2) % 3
        d_cosine = metric_change[p, q] / (lengths[p] * lengths[q]) - cosines[angle] * (
            d_length[p] / lengths[p] + d_length[q] / lengths[q]
        )
        sine = np.sqrt(1 - cosines[angle] ** 2)
        change[3 + angle] = -np.degrees(d_cosine / sine)
    return change


def cell_derivatives(cell: np.ndarray) -> np.ndarray:
    """Derivatives (6, 6) of the cell (A, degrees) by the six reciprocal parameters.

    The metric G is the inverse of the reciprocal one R, so dG = -G dR G.
    """
    metric = metric_tensor(cell)
    derivatives = np.empty((6, 6))
    for column, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
        change = np.zeros((3, 3))
        # The off-diagonal parameters are twice the elements of R.
        change[i, j] = change[j, i] = 1.0 if i == j else 0.5
        derivatives[:, column] = cell_change(cell, -metric @ change @ metric)
    return derivatives


def reciprocal_from_cell(cell: np.ndarray) -> np.ndarray:
    """The six reciprocal parameters x in 1/A², shape (..., 6), of cells (..., 6)."""
    return _packed(_symmetric_inverse(metric_tensor(cell)))


def cell_from_reciprocal(x: np.ndarray) -> np.ndarray:
    """Cells (..., 6) from the six reciprocal parameters x (..., 6).

    Where x is not positive definite the result holds NaN.
    """
    reciprocal = _unpacked(np.asarray(x, dtype=float))
    minors = (
        reciprocal[..., 0, 0],
        reciprocal[..., 0, 0] * reciprocal[..., 1, 1] - reciprocal[..., 0, 1] ** 2,
        np.linalg.det(reciprocal),
    )
    valid = np.all([m > 0 for m in minors], axis=0)
    safe = np.where(valid[..., None, None], reciprocal, np.eye(3))
    with np.errstate(invalid="ignore"):
        # Rounding can spoil a matrix whose minors are barely positive: that is no cell either.
        cell = cell_from_metric(_symmetric_inverse(safe))
    return np.where(valid[..., None], cell, np.nan)


def cell_volume(cell: np.ndarray) -> np.ndarray:
    """Volume in A³, shape (...), of cells (..., 6); NaN where the angles are impossible."""
    determinant = np.linalg.det(metric_tensor(cell))
    return np.sqrt(np.where(determinant > 0, determinant, np.nan))


def _packed(reciprocal: np.ndarray) -> np.ndarray:
    x = np.empty((*reciprocal.shape[:-2], 6))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        x[..., i] = reciprocal[..., i, i]
        x[..., 3 + i] = 2 * reciprocal[..., j, k]
    return x


def _unpacked(x: np.ndarray) -> np.ndarray:
    reciprocal = np.empty((*x.shape[:-1], 3, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        reciprocal[..., i, i] = x[..., i]
        reciprocal[..., j, k] = reciprocal[..., k, j] = x[..., 3 + i] / 2
    return reciprocal


def _symmetric_inverse(m: np.ndarray) -> np.ndarray:
    # Cofactors keep the zeros of orthogonal axes exact, where LAPACK's inverse leaves 1e-18.
    inverse = np.empty(m.shape)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        inverse[..., i, i] = m[..., j, j] * m[..., k, k] - m[..., j, k] * m[..., j, k]
        cofactor = m[..., i, j] * m[..., i, k] - m[..., j, k] * m[..., i, i]
        inverse[..., j, k] = inverse[..., k, j] = cofactor
    determinant = (
        m[..., 0, 0] * inverse[..., 0, 0]
        + m[..., 0, 1] * inverse[..., 0, 1]
        + m[..., 0, 2] * inverse[..., 0, 2]
    )
    # A flat cell has no inverse: its infinities are for the caller to leave out.
    with np.errstate(divide="ignore", invalid="ignore"):
        return inverse / determinant[..., None, None]
