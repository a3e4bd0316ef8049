"""Settings of grouping and of the split."""

from __future__ import annotations

from typing import Literal

from mlindex.base.section import Section, setting


class Grouping(Section):
    """How entries are grouped by reflection conditions (Moreau 2.1.2)."""

    min_entries: int = setting(
        400,
        "Patterns of reflection conditions with fewer usable entries, training and validation "
        "together, are joined to the most similar pattern of the same Bravais lattice and unique "
        "axis.",
        gt=0,
    )


class Split(Section):
    """Training and validation sides (Moreau 2.1.3)."""

    validation_fraction: float = setting(0.2, "Share of the validation side.", gt=0, lt=1)
    unit: Literal["structure_type", "composition_family"] = setting(
        "structure_type",
        "What never stands on both sides: a structure type (space group, anonymous formula, "
        "atoms in the primitive cell) or a composition family (set of elements but hydrogen).",
    )
