"""Settings of the measurement of ab initio indexing."""

from __future__ import annotations

from mlindex.base.section import Section, setting
from mlindex.crystal.tolerances import FOUND_LATTICE


class Indexing(Section):
    """Ab initio indexing of validation entries, of calculated and of spoiled lists."""

    entries: int = setting(
        10, "Validation entries of each Bravais lattice to index as calculated; 0: none.", ge=0
    )
    degraded_entries: int = setting(
        4,
        "Validation entries of each lattice system, drawn evenly from its Bravais lattices, to "
        "index spoiled in each way as well; 0: none.",
        ge=0,
    )
    shift_deg: tuple[float, ...] = setting(
        (0.025, 0.05, 0.075, 0.1), "Zero shifts of 2theta.", "degree"
    )
    noise_deg: tuple[float, ...] = setting(
        (0.005, 0.01, 0.02, 0.03, 0.05), "Standard deviations of noise on 2theta.", "degree"
    )
    impurities: tuple[int, ...] = setting(
        (1, 3, 6, 9), "Number of 20 lines that are replaced by lines at random positions."
    )
    missing: tuple[int, ...] = setting(
        (2, 4, 6, 8),
        "Number of the first 20 lines that are left out; further lines take their places.",
    )
    time_limit_s: float = setting(
        60.0, "Time limit of each search, that of `mlindex index`.", "s", gt=0
    )
    length_tolerance: float = setting(
        FOUND_LATTICE.length_rel,
        "Relative difference of reduced lengths that counts as the same lattice.",
        gt=0,
    )
    angle_tolerance_deg: float = setting(
        FOUND_LATTICE.angle_deg,
        "Difference of reduced angles that counts as the same lattice.",
        "degree",
        gt=0,
    )

    def ways(self) -> list[tuple[str, float]]:
        """Every way of spoiling, by the names of :mod:`mlindex.patterns.spoil`, and its amounts."""
        amounts = {
            "shift": self.shift_deg,
            "noise": self.noise_deg,
            "impurities": self.impurities,
            "missing": self.missing,
        }
        return [(kind, float(value)) for kind, values in amounts.items() for value in values]
