"""What is known of real crystals' cells and compositions, and draws from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.lattice import BRAVAIS
from mlindex.structures.generator.shapes import SHAPES, CellShape

#: Edges of the volume classes (A³, conventional cell) by which compositions are counted.
VOLUME_CLASSES_A3 = (200.0, 700.0)

#: Edges of the histograms that compare real and generated crystals, by quantity.
BINS: dict[str, np.ndarray] = {
    "log10_volume_A3": np.linspace(1.2, 3.8, 27),
    "second_over_first_axis": np.linspace(0.0, 4.0, 41),
    "third_over_second_axis": np.linspace(0.0, 4.0, 41),
    "alpha_deg": np.linspace(60.0, 120.0, 31),
    "beta_deg": np.linspace(60.0, 120.0, 31),
    "gamma_deg": np.linspace(60.0, 120.0, 31),
}
_ANGLE_COLUMNS = {"alpha_deg": 3, "beta_deg": 4, "gamma_deg": 5}
_MAX_DRAWS = 200
#: Longest to shortest axis of a cell that is still drawn; the few beyond defeat indexing anyway.
_MAX_ELONGATION = 12.0


def quantities(
    cells: np.ndarray, unique_axes: np.ndarray, shape: CellShape
) -> dict[str, np.ndarray]:
    """What the histograms show, by name: arrays (n,) of the canonical cells of ``cells`` (n, 6).

    Ratios are of the axes a, b, c of the canonical cell, first to second and second to third;
    only quantities that the lattice system leaves free are given.
    """
    canonical = shape.canonical(np.asarray(cells, dtype=float), np.asarray(unique_axes))
    out = {"log10_volume_A3": np.log10(cell_volume(canonical))}
    ratios = {
        "second_over_first_axis": canonical[:, 1] / canonical[:, 0],
        "third_over_second_axis": canonical[:, 2] / canonical[:, 1],
    }
    angles = {name: canonical[:, column] for name, column in _ANGLE_COLUMNS.items()}
    fixed = (1.0, 90.0, 120.0)
    free = {k: v for k, v in (ratios | angles).items() if not _constant(v, fixed)}
    return out | free


def _constant(values: np.ndarray, fixed: tuple[float, ...]) -> bool:
    return any(np.all(np.abs(values - value) < 0.02) for value in fixed)


@dataclass(frozen=True)
class CellMixture:
    """The mixture of Gaussians from which the cells of a Bravais lattice are drawn."""

    shape: CellShape
    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    ln_volume_range: tuple[float, float]

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One canonical cell (6,) in A and degrees.

        Raises:
            MlindexError: no draw lies in the range of the real cells: the file is damaged.
        """
        low, high = self.ln_volume_range
        for _ in range(_MAX_DRAWS):
            component = rng.choice(len(self.weights), p=self.weights)
            noise = rng.standard_normal(self.means.shape[1])
            values = self.means[component] + self.factors[component] @ noise
            if not low <= values[0] <= high:
                continue
            cell = self.shape.cells(values[None])[0]
            if np.all(np.isfinite(cell)) and cell[:3].max() <= _MAX_ELONGATION * cell[:3].min():
                return cell
        raise MlindexError(
            "cell_statistics.json: none of its cells lies in its range of volumes; "
            "restore the file or fit it again with fit_cell_statistics.py"
        )


@dataclass(frozen=True)
class Compositions:
    """Element sets of one volume class: mean fractions and chances."""

    elements: tuple[tuple[str, ...], ...]
    fractions: tuple[tuple[float, ...], ...]
    probabilities: np.ndarray

    def draw(self, rng: np.random.Generator) -> tuple[tuple[str, ...], np.ndarray]:
        """Elements and their fractions, those varied a little from the mean of their set."""
        row = rng.choice(len(self.elements), p=self.probabilities)
        mean = np.array(self.fractions[row])
        varied = mean * np.exp(0.2 * rng.standard_normal(len(mean)))
        return self.elements[row], varied / varied.sum()


@lru_cache(maxsize=8)
def load_statistics(resources: Path) -> dict:
    """The content of cell_statistics.json.

    Raises:
        MlindexError: the file is missing or not what the fit writes.
    """
    path = resources / "cell_statistics.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        missing = set(BRAVAIS) - set(content["bravais"])
    except (OSError, ValueError, KeyError) as error:
        raise MlindexError(
            f"{path}: no cell statistics ({error!r}); restore the file that came with mlindex or "
            "fit it with fit_cell_statistics.py beside it"
        ) from error
    if missing:
        raise MlindexError(f"{path}: no statistics of {', '.join(sorted(missing))}; fit it again")
    return content


@lru_cache(maxsize=64)
def cell_mixture(resources: Path, bravais: str) -> CellMixture:
    """The mixture of one Bravais lattice."""
    fit = load_statistics(resources)["bravais"][bravais]
    weights = np.array(fit["mixture"]["weights"])
    return CellMixture(
        SHAPES[BRAVAIS[bravais].system.name],
        weights / weights.sum(),
        np.array(fit["mixture"]["means"]),
        np.linalg.cholesky(np.array(fit["mixture"]["covariances"])),
        tuple(fit["ln_volume_range"]),
    )


@lru_cache(maxsize=64)
def compositions(resources: Path, lattice_system: str) -> tuple[Compositions, ...]:
    """Compositions of a lattice system, one for each volume class."""
    classes = load_statistics(resources)["compositions"][lattice_system]
    return tuple(_compositions(rows) for rows in classes)


def _compositions(rows: list) -> Compositions:
    counts = np.array([row[2] for row in rows], dtype=float)
    return Compositions(
        tuple(tuple(row[0].split()) for row in rows),
        tuple(tuple(row[1]) for row in rows),
        counts / counts.sum(),
    )
