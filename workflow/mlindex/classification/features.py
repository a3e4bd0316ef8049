"""What a classifier sees of a list of lines: numbers that do not depend on the wavelength."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.classification.quick.axes import AXES
from mlindex.classification.quick.fits import quick_fits
from mlindex.crystal.bragg import q2_per_radian
from mlindex.learning.learners.contract import Inputs

#: Lines whose ratios, gaps and intensities are features.
N_LINES = 20
#: Points of the grid of log q, from just below the first line to so many times its q.
GRID_POINTS, _GRID_FIRST, _GRID_LAST = 512, 0.95, 7.0
#: A line is a Gaussian of so many points (standard deviation) on the grid.
_GRID_SIGMA = 0.8
#: How far a line may be off the reflection that explains it, in degrees of 2theta for Cu K-alpha1:
#: two standard errors of an ordinary list with a small zero shift; and of a very good one, for with
#: errors so small a lattice is told from one that it nearly has. Not tuned.
_TOLERANCES_DEG, _WAVELENGTH_A = (0.05, 0.005), 1.5406
#: Weight of the weakest lines in the fits; the strongest have 1.
_LEAST_WEIGHT = 0.3
_FAINT = 1e-4

_KINDS = ("cubic", "tetragonal", "hexagonal", "orthorhombic", "monoclinic")
_OF_FIT = (
    *("evidence", "explained", "lines", "P", "I", "F", "R", "face", "misfit"),
    "narrow evidence",
)
#: Groups of features by name, in their order, with the number of each.
GROUPS: dict[str, int] = {
    "ratios of q²": N_LINES - 1,
    "gaps of q²": N_LINES - 1,
    "intensities": N_LINES,
    "fits of lattices": len(_KINDS) * len(_OF_FIT),
    "evidence over the best": 2 * len(_KINDS),
    "repeated differences": AXES,
    "exact fits of lattices": len(_KINDS) * len(_OF_FIT),
    "exact evidence over the best": 2 * len(_KINDS),
    "repeated exact differences": AXES,
    "scale and counts": 7,
}
N_FEATURES = sum(GROUPS.values())


def inputs_of(
    q2_inv_A2: Sequence[np.ndarray],
    intensity: Sequence[np.ndarray | None],
    last_q2_inv_A2: Sequence[float],
    grid: bool = False,
) -> Inputs:
    """The inputs of classifiers for n lists of lines.

    Args:
        q2_inv_A2: q² of the lines of each list, rising, in 1/A²; one line at least.
        intensity: their intensities in any unit, None where none are known.
        last_q2_inv_A2: where each pattern ends, in 1/A².
        grid: whether a learner needs the pattern on a grid as well.
    """
    x = features_of(q2_inv_A2, intensity, last_q2_inv_A2)
    return Inputs(x, grids_of(q2_inv_A2, intensity) if grid else None)


def features_of(
    q2_inv_A2: Sequence[np.ndarray],
    intensity: Sequence[np.ndarray | None],
    last_q2_inv_A2: Sequence[float],
) -> np.ndarray:
    """Features (n, N_FEATURES) of lists of lines, NaN where unknown; see :func:`inputs_of`."""
    x = np.full((len(q2_inv_A2), N_FEATURES), np.nan, dtype=np.float32)
    for row, (q2, heights, last) in enumerate(
        zip(q2_inv_A2, intensity, last_q2_inv_A2, strict=True)
    ):
        x[row] = _features(np.asarray(q2, dtype=float), _shares(heights), float(last))
    return x


def grids_of(q2_inv_A2: Sequence[np.ndarray], intensity: Sequence[np.ndarray | None]) -> np.ndarray:
    """Patterns on a grid (n, GRID_POINTS) of log q that begins at the first line."""
    table = np.zeros((len(q2_inv_A2), GRID_POINTS), dtype=np.float32)
    for row, (q2, heights) in enumerate(zip(q2_inv_A2, intensity, strict=True)):
        table[row] = _on_grid(np.asarray(q2, dtype=float), _shares(heights))
    return table


def _shares(intensity: np.ndarray | None) -> np.ndarray | None:
    """Intensities over the strongest (n,)."""
    if intensity is None:
        return None
    heights = np.asarray(intensity, dtype=float)
    return heights / heights.max()


def _features(q2: np.ndarray, share: np.ndarray | None, last: float) -> np.ndarray:
    weight = np.ones(len(q2)) if share is None else _LEAST_WEIGHT + np.sqrt(np.maximum(share, 0))
    weight = np.minimum(weight, 1.0)
    strong = len(q2) if share is None else int((share > 0.1).sum())
    scale = (
        np.log(q2[0]),
        len(q2),
        strong,
        np.log(q2[min(9, len(q2) - 1)] / q2[0]),
        np.log(q2[min(19, len(q2) - 1)] / q2[0]),
        np.log(last / q2[0]),
        np.log(len(q2) / last**1.5),
    )
    parts = (
        _padded(np.log(q2[1:] / q2[0]), N_LINES - 1),
        _padded(np.diff(q2) / q2[:-1], N_LINES - 1),
        _padded(np.empty(0) if share is None else np.log(np.maximum(share, _FAINT)), N_LINES),
        *(part for off in _TOLERANCES_DEG for part in _of_fits(q2, weight, off)),
        np.array(scale),
    )
    return np.concatenate(parts)


def _of_fits(
    q2: np.ndarray, weight: np.ndarray, off_deg: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Figures of the fits, evidence over the best, and how surprising repeated differences are."""
    fits, surprises = quick_fits(q2, weight, _tolerance(q2, off_deg))
    evidence = fits[:, [_OF_FIT.index("evidence"), _OF_FIT.index("narrow evidence")]]
    known = np.isfinite(evidence)
    best = np.max(np.where(known, evidence, -np.inf), axis=0, initial=-1e9)
    return fits.ravel(), np.where(known, evidence - best, np.nan).ravel(), surprises


def _tolerance(q2: np.ndarray, off_deg: float) -> np.ndarray:
    """How far lines may be off (n,), in 1/A²; beyond 90 degrees as at 90."""
    sine = np.minimum(np.sqrt(q2) * _WAVELENGTH_A / 2, np.sqrt(0.5))
    return q2_per_radian(2 * np.arcsin(sine), _WAVELENGTH_A) * np.radians(off_deg)


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    """The first values, NaN where there are fewer."""
    padded = np.full(length, np.nan)
    padded[: min(len(values), length)] = values[:length]
    return padded


def _on_grid(q2: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """Roots of the intensities as Gaussians on the grid of log q that begins at the first line."""
    step = np.log(_GRID_LAST / _GRID_FIRST) / GRID_POINTS
    place = (0.5 * np.log(q2 / q2[0]) - np.log(_GRID_FIRST)) / step
    height = np.ones(len(q2)) if share is None else np.sqrt(np.maximum(share, 0))
    inside = place < GRID_POINTS + 4
    off = (np.arange(GRID_POINTS) - place[inside, None]) / _GRID_SIGMA
    return np.max(height[inside, None] * np.exp(-0.5 * off**2), axis=0, initial=0.0)
