"""Stacks: a crystal's patterns along several zones, at one energy and thickness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.atoms import Atoms
from mlindex.cbed.detector import measured, pattern_of
from mlindex.cbed.orientation import Orientation, orientation_of
from mlindex.cbed.potential import potential_of
from mlindex.cbed.rocking import Exposure, Rocking, Used, rocking_of
from mlindex.cbed.settings import BeamChoice, Detector, Specimen
from mlindex.cbed.zones import ZoneChoice


@dataclass(frozen=True)
class Stack:
    """Patterns of one crystal, as a file of the challenge holds them.

    ``patterns`` float32 (n, y, x) for n zones; ``zones`` whole numbers and ``y_uvw`` float, (n, 3)
    each; ``semi_angle_rad`` and ``d_A`` (n,); ``cell`` (6,) in A and degrees; ``space_group``,
    ``thickness_A`` and ``pixel_inv_A`` are None where they are not stated, ``material`` and
    ``formula`` "" then.
    """

    patterns: np.ndarray
    zones: np.ndarray
    y_uvw: np.ndarray
    semi_angle_rad: np.ndarray
    d_A: np.ndarray
    cell: np.ndarray
    energy_keV: float
    space_group: int | None
    material: str
    formula: str
    thickness_A: float | None = None
    pixel_inv_A: float | None = None


@dataclass(frozen=True)
class Simulated:
    """A stack, and what the convergence rule came to in each zone."""

    stack: Stack
    used: tuple[Used, ...]


@dataclass(frozen=True)
class Asked:
    """What stacks are made: each energy with each thickness, all with the same zones."""

    zones: tuple[ZoneChoice, ...]
    energy_keV: tuple[float, ...]
    thickness_A: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.zones or not self.energy_keV or not self.thickness_A:
            raise MlindexError("give at least one zone, one energy and one thickness")


def simulated_stacks(
    atoms: Atoms,
    asked: Asked,
    material: str,
    specimen: Specimen,
    choice: BeamChoice,
    detector: Detector,
    rng: np.random.Generator,
) -> Iterator[Simulated]:
    """The stacks of a crystal: of each energy all thicknesses, in the order asked for.

    Misalignment is drawn for each zone and energy, noise for each pattern.

    Args:
        atoms: the crystal.
        asked: zones, energies, thicknesses.
        material: what the crystal is called in the file.
        specimen, choice, detector: the settings.
        rng: for misalignment and noise.
    """
    potential = potential_of(atoms, 2 * choice.q_max_inv_A)
    oriented = [orientation_of(atoms, one.zone) for one in asked.zones]
    rising = tuple(sorted(set(asked.thickness_A)))
    for energy in asked.energy_keV:
        rockings: list[Rocking] = []
        for one, orientation in zip(asked.zones, oriented, strict=True):
            tilt = tuple(rng.normal(size=2) * detector.tilt_mrad)
            exposure = Exposure(energy, one.semi_angle_mrad, rising, tilt)
            rockings.append(rocking_of(potential, orientation, exposure, specimen, choice))
        for thickness in asked.thickness_A:
            index = rising.index(thickness)
            images = [measured(pattern_of(r, index, detector), detector, rng) for r in rockings]
            yield Simulated(
                _stack(atoms, asked, oriented, images, energy, thickness, material, detector),
                tuple(r.used for r in rockings),
            )


def _stack(
    atoms: Atoms,
    asked: Asked,
    oriented: Sequence[Orientation],
    images: Sequence[np.ndarray],
    energy_keV: float,
    thickness_A: float,
    material: str,
    detector: Detector,
) -> Stack:
    return Stack(
        patterns=np.stack(images),
        zones=np.array([one.zone for one in oriented]),
        y_uvw=np.array([one.y_uvw for one in oriented]),
        semi_angle_rad=np.array([one.semi_angle_mrad for one in asked.zones]) * 1e-3,
        d_A=np.array([one.d_A for one in asked.zones]),
        cell=atoms.cell,
        energy_keV=energy_keV,
        space_group=atoms.space_group,
        material=material,
        formula=atoms.formula,
        thickness_A=thickness_A,
        pixel_inv_A=detector.pixel_inv_A,
    )
