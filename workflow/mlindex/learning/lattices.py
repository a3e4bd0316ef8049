"""What every learner takes for a lattice system, keyed by the names of ``lattice.SYSTEMS``."""

from __future__ import annotations

from mlindex.crystal.lattice import LatticeSystem

#: Observed lines that go into every model (Moreau, ML-Index Methods, 2.2).
N_PEAKS: dict[str, int] = {
    "cubic": 10,
    "tetragonal": 20,
    "hexagonal": 20,
    "rhombohedral": 20,
    "orthorhombic": 20,
    "monoclinic": 20,
    "triclinic": 20,
}


def n_peaks_of(system: LatticeSystem) -> int:
    """Observed lines that go into every model of a lattice system."""
    return N_PEAKS[system.name]
