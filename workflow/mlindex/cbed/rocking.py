"""Intensities of the beams of one zone for all directions of a disc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from mlindex.base.errors import MlindexError
from mlindex.cbed.beams import (
    Beams,
    Thresholds,
    chosen_beams,
    excitation_errors,
    thresholds,
)
from mlindex.cbed.orientation import Orientation
from mlindex.cbed.potential import ENERGY_KEV, Potential, relativistic_factor, wavelength_A
from mlindex.cbed.propagation import StructureMatrix, intensities
from mlindex.cbed.settings import BeamChoice, Specimen

#: Largest semi-angle of convergence, mrad; thickness, A; tilt, mrad.
MOST_SEMI_ANGLE_MRAD, MOST_THICKNESS_A, MOST_TILT_MRAD = 100.0, 10_000.0, 100.0
#: Half the directions across a disc, at least.
_LEAST_ACROSS = 4
#: Beams nearer to the plane of the zero Laue zone than this lie in it.
_IN_ZONE_INV_A = 1e-6


@dataclass(frozen=True)
class Exposure:
    """How a zone is illuminated.

    ``thickness_A`` rise; ``tilt_mrad`` is that of the crystal about y and x: the direction of the
    beam in the crystal moves by so much along x and y, the discs stay.

    Raises:
        MlindexError: a value is out of its range.
    """

    energy_keV: float
    semi_angle_mrad: float
    thickness_A: tuple[float, ...]
    tilt_mrad: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        _require("energy", self.energy_keV, *ENERGY_KEV, "keV")
        _require("semi-angle", self.semi_angle_mrad, 0.05, MOST_SEMI_ANGLE_MRAD, "mrad")
        for thickness in self.thickness_A:
            _require("thickness", thickness, 1.0, MOST_THICKNESS_A, "A")
        for tilt in self.tilt_mrad:
            _require("tilt", tilt, -MOST_TILT_MRAD, MOST_TILT_MRAD, "mrad")
        if not self.thickness_A or list(self.thickness_A) != sorted(set(self.thickness_A)):
            raise MlindexError(f"thicknesses {list(self.thickness_A)}: give rising ones")

    @property
    def radius_inv_A(self) -> float:
        """Radius of the discs."""
        return float(np.sin(self.semi_angle_mrad * 1e-3) / wavelength_A(self.energy_keV))


@dataclass(frozen=True)
class Used:
    """What the convergence rule came to, and what is left out.

    Of ``n_beams`` beams ``n_strong`` interact and ``n_perturbing`` perturb them, weak ones and
    those that aren't seen; ``weights`` are the least of each kind, beams lie up to ``q_max_inv_A``
    from the centre of the Laue circle.
    """

    n_strong: int
    n_beams: int
    n_perturbing: int
    weights: Thresholds
    q_max_inv_A: float
    n_directions: int
    pitch_inv_A: float
    matrix_products: int


@dataclass(frozen=True)
class Rocking:
    """What every beam does for every direction.

    ``intensity`` (t, n, m) of t thicknesses, n beams and m directions, fractions of the incident
    intensity; ``grid`` (m, 2) whole steps of ``used.pitch_inv_A`` along x and y from the disc's
    centre.
    """

    exposure: Exposure
    orientation: Orientation
    beams: Beams
    grid: np.ndarray
    intensity: np.ndarray
    used: Used

    @property
    def inside(self) -> np.ndarray:
        """Which directions lie in the disc, (m,)."""
        return np.linalg.norm(self.grid, axis=1) * self.used.pitch_inv_A <= (
            self.exposure.radius_inv_A * (1 + 1e-9)
        )

    def disc_intensities(self) -> np.ndarray:
        """Mean intensity of each disc, (t, n)."""
        return self.intensity[:, :, self.inside].mean(axis=2)


def rocking_of(
    potential: Potential,
    orientation: Orientation,
    exposure: Exposure,
    specimen: Specimen,
    choice: BeamChoice,
) -> Rocking:
    """The intensities of all beams of a zone.

    Args:
        potential: of the crystal, up to twice ``choice.q_max_inv_A`` where it reaches so far.
        orientation: the zone.
        exposure: energy, semi-angle, thicknesses, tilt.
        specimen: absorption.
        choice: the convergence rule.
    """
    # Small products are slower on several threads, and differ in their last digits.
    with threadpool_limits(1, user_api="blas"):
        return _rocking(potential, orientation, exposure, specimen, choice)


def _rocking(
    potential: Potential,
    orientation: Orientation,
    exposure: Exposure,
    specimen: Specimen,
    choice: BeamChoice,
) -> Rocking:
    vacuum = 1 / wavelength_A(exposure.energy_keV)
    tilt = np.sin(np.array(exposure.tilt_mrad) * 1e-3) * vacuum
    beams = chosen_beams(
        potential,
        orientation,
        vacuum,
        relativistic_factor(exposure.energy_keV),
        exposure.radius_inv_A,
        exposure.thickness_A[-1],
        choice,
        tilt,
    )
    pitch = _pitch(beams, exposure, choice)
    grid = _grid(exposure.radius_inv_A / pitch)
    found, products = diffracted(
        beams, grid * pitch + tilt, np.array(exposure.thickness_A), specimen.absorption
    )
    used = Used(
        beams.n_strong,
        len(beams.hkl),
        beams.n_perturbing,
        thresholds(choice, exposure.thickness_A[-1]),
        min(choice.q_max_inv_A, potential.reach_inv_A),
        len(grid),
        pitch,
        products,
    )
    return Rocking(exposure, orientation, beams, grid, found, used)


def diffracted(
    beams: Beams, transverse_inv_A: np.ndarray, thickness_A: np.ndarray, absorption: float
) -> tuple[np.ndarray, int]:
    """Intensities of the beams for any directions, float32 (t, n, m), and the matrix products.

    Args:
        beams: n beams that were chosen for discs which hold the directions.
        transverse_inv_A: x and y components of the incident wave vectors, shape (m, 2).
        thickness_A: rising thicknesses, shape (t,).
        absorption: the imaginary part of the potential over its real part.
    """
    diagonal = excitation_errors(beams.q_inv_A, transverse_inv_A, beams.wave_number_inv_A)
    matrix = StructureMatrix(
        diagonal / beams.normal[:, None],
        beams.coupling,
        absorption,
        beams.mean_potential_inv_A2 / (2 * beams.wave_number_inv_A),
        beams.dressing,
    )
    return intensities(matrix, thickness_A)


def _pitch(beams: Beams, exposure: Exposure, choice: BeamChoice) -> float:
    """Step between directions: a share of the finest fringe, in a disc at least a few."""
    q = beams.q_inv_A[: beams.n_strong]
    # Those of upper Laue zones make finer lines, which few detectors resolve.
    strong = np.linalg.norm(q[np.abs(q[:, 2]) < _IN_ZONE_INV_A, :2], axis=1)
    fringe = beams.wave_number_inv_A / (max(strong.max(), 0.1) * exposure.thickness_A[-1])
    coarsest = exposure.radius_inv_A / _LEAST_ACROSS
    finest = 2 * exposure.radius_inv_A / choice.max_directions_across
    return float(max(min(fringe / choice.points_per_fringe, coarsest), finest))


def _grid(radius_steps: float) -> np.ndarray:
    """Whole steps (m, 2) within the disc and a rim that interpolation needs."""
    reach = int(np.ceil(radius_steps + 1.5))
    x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1), indexing="ij")
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    return grid[np.sum(grid**2, axis=1) <= (radius_steps + 1.5) ** 2]


def _require(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not (np.isfinite(value) and low <= value <= high):
        raise MlindexError(f"{what} {value:g} {unit}: give one from {low:g} to {high:g} {unit}")
