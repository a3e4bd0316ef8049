"""Settings of the classification of symmetry."""

from __future__ import annotations

from typing import Literal

from mlindex.base.section import Section, setting

#: The levels of :data:`mlindex.crystal.symmetry_classes.LEVELS`, which takes long to import.
Level = Literal["crystal_system", "bravais", "extinction_symbol", "space_group"]


class SymmetryExamples(Section):
    """The patterns that classifiers learn from and are tested on."""

    crystals: int = setting(
        2000,
        "Crystals of each Bravais lattice, at most: as many as can be of each extinction symbol.",
        gt=0,
        le=1_000_000,
    )
    measured: int = setting(
        1, "Measurements drawn of each crystal, beside its calculated lines.", ge=0, le=100
    )
    lines: int = setting(
        60, "Lines of an example, at most: those at the largest spacings.", ge=4, le=400
    )


class Classifiers(Section):
    """How classifiers of symmetry are trained, chosen and tested."""

    levels: tuple[Level, ...] = setting(
        ("bravais", "extinction_symbol"),
        "Levels that `results/classification.html` covers: crystal_system, bravais, "
        "extinction_symbol, space_group.",
        min_length=1,
    )
    learners: tuple[str, ...] = setting(
        ("majority", "frequency", "logistic", "neighbours", "extra_trees", "boosting"),
        "Kinds of learners that are compared; there is also convolution, which takes long.",
        min_length=1,
    )
    split: Literal["structure_type", "composition_family", "entry_id"] = setting(
        "structure_type",
        "What never stands in two parts: a structure type, a composition family, or an entry (a "
        "random split, which flatters).",
    )
    test_share: float = setting(0.2, "Share of the entries to test on.", gt=0, lt=0.5)
    calibration_share: float = setting(
        0.1, "Share of the entries to calibrate probabilities with.", gt=0, lt=0.4
    )
    candidates: int = setting(
        4, "Parameter sets of each learner that the search begins with.", gt=0, le=1000
    )
    folds: int = setting(5, "Folds of the cross-validation.", ge=2, le=20)
    search_rows: int = setting(
        3000, "Training rows that the search of parameters uses, at most.", ge=100
    )
