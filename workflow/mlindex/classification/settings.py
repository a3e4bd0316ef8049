"""Settings of the classification of symmetry."""

from __future__ import annotations

from mlindex.base.section import Section, setting


class SymmetryExamples(Section):
    """The patterns that classifiers learn from and are tested on."""

    crystals: int = setting(
        2000,
        "Crystals of each Bravais lattice, at most: as many as can be of each extinction symbol.",
        gt=0,
        le=1_000_000,
    )
    measured: int = setting(
        2, "Measurements drawn of each crystal, beside its calculated lines.", ge=0, le=100
    )
    lines: int = setting(
        60, "Lines of an example, at most: those at the largest spacings.", ge=4, le=400
    )
