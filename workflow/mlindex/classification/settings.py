"""Settings of the classification of symmetry."""

from __future__ import annotations

from typing import Literal

from mlindex.base.section import Section, setting

#: The levels of :data:`mlindex.crystal.symmetry_classes.LEVELS`, which takes long to import.
Level = Literal["crystal_system", "bravais", "extinction_symbol", "space_group"]

Study = Literal["imbalance", "peers", "bias_variance", "multitask"]


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
    compared_with_search: bool = setting(
        False,
        "Whether `results/classification.html` compares them with searches for the cell, list by "
        "list: the cells of `joining.crystals` of each lattice are searched for, which takes long.",
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


class ClassifierStudies(Section):
    """What helps classifiers of symmetry, and what does not."""

    studies: tuple[Study, ...] = setting(
        ("imbalance", "peers", "bias_variance", "multitask"),
        "Studies that `results/classification.html` shows; each is made as "
        "`results/classifier_studies/NAME.parquet`.",
    )
    seeds: int = setting(3, "Draws and fits of each variant.", ge=1, le=100)
    resamples: int = setting(200, "Draws of test crystals that intervals are from.", ge=20)
    crystals: int = setting(
        500, "Crystals that a study learns from, at most; not that of imbalance.", ge=100
    )
    imbalance_levels: tuple[Level, ...] = setting(
        ("extinction_symbol",), "Levels at which imbalance is studied."
    )
    imbalance_learner: str = setting(
        "extra_trees", "Kind of learner of the study of imbalance, with its default parameters."
    )
    imbalance_crystals: int = setting(
        1500, "Crystals that the study of imbalance learns from, at most.", ge=100
    )
    least_crystals: int = setting(
        2,
        "Crystals of each class in the study of imbalance, at least: by their share many classes "
        "would have none, and nothing could help them.",
        ge=0,
    )
    threshold: float = setting(
        0.02,
        "Mean F1 of the 20 largest classes that the mixed strategy of source 003 gives up.",
        ge=0,
        le=1,
    )
    peers_levels: tuple[Level, ...] = setting(
        ("bravais", "crystal_system"), "Levels at which recipes of others are compared with ours."
    )
    peers_learner: str = setting("boosting", "Kind of learner that stands for our classifier.")
    curve_levels: tuple[Level, ...] = setting(
        ("bravais",), "Levels at which bias and variance are studied."
    )
    curve_learners: tuple[str, ...] = setting(
        ("boosting", "logistic"), "Kinds of learners whose bias and variance are studied."
    )
    multitask_levels: tuple[Level, ...] = setting(
        ("space_group",), "Levels that further outputs of the network are to help."
    )
    epochs: int = setting(10, "Epochs of each network in the study of further outputs.", gt=0)


class Explanation(Section):
    """How it is found out what a classifier goes by; training does not depend on it."""

    permuted_lists: int = setting(
        500,
        "Lists of the test part whose features are permuted, at most, of each kind (calculated, "
        "measured).",
        gt=0,
    )
    repeats: int = setting(5, "Permutations of each group of features.", gt=0, le=1000)
    occluded_lists: int = setting(
        150,
        "Lists of the test part of which single lines are left out, at most, of each kind. Their "
        "features are calculated again for each line.",
        ge=0,
    )


class Joining(Section):
    """How the classifiers of symmetry are joined with a search for the cell."""

    crystals: int = setting(
        30,
        "Crystals of each Bravais lattice to search, at most, of those that all levels are tested "
        "on; each as calculated and as measured once.",
        gt=0,
    )
    time_limit_s: float = setting(60.0, "Seconds for the search of a list.", gt=0)
    folds: int = setting(5, "Folds of the figures; none cuts a structure type.", ge=2, le=20)
