"""Defaults of the method that differ between lattice systems (Moreau, ML-Index Methods)."""

from __future__ import annotations

from dataclasses import dataclass

from mlindex.crystal.lattice import LatticeSystem


@dataclass(frozen=True)
class MethodDefaults:
    """What the method takes for one lattice system.

    Attributes:
        n_reference: length of the reference list of Miller indices (2.3.1).
        reference_order: weights of the quadratic terms by which that list is first ordered.
        perturbation: how augmentation perturbs the scaled cell, "svd" or "random" (2.1.5).
        separation_bins_inv_A2: lower and upper edge, in 1/A², of the separations binned for eq. 19.
    """

    n_reference: int = 500
    reference_order: tuple[float, ...] = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
    perturbation: str = "svd"
    separation_bins_inv_A2: tuple[float, float] = (1e-4, 1e-2)


#: By name of the lattice system in ``lattice.SYSTEMS``.
METHOD_DEFAULTS: dict[str, MethodDefaults] = {
    "cubic": MethodDefaults(
        n_reference=100, perturbation="random", separation_bins_inv_A2=(1e-3, 1e-2)
    ),
    "tetragonal": MethodDefaults(),
    "hexagonal": MethodDefaults(reference_order=(4 / 3, 4 / 3, 1.0, 0.0, 0.0, 4 / 3)),
    "rhombohedral": MethodDefaults(),
    "orthorhombic": MethodDefaults(),
    "monoclinic": MethodDefaults(),
    "triclinic": MethodDefaults(),
}


def defaults_of(system: LatticeSystem) -> MethodDefaults:
    """The method's defaults for a lattice system."""
    return METHOD_DEFAULTS[system.name]
