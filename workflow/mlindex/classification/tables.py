"""Tables of the classification of symmetry."""

from __future__ import annotations

from mlindex.base.columns import BRAVAIS, ENTRY_ID
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT32, FLOAT64, INT16, INT32, STRING, Column, Table, list_of

SYMMETRY_EXAMPLES = Table(
    "symmetry_examples",
    "a list of lines of an entry, as calculated or as one measurement of it finds them",
    (
        ENTRY_ID,
        Column("spacegroup_number", INT16, "Space group, 1 to 230"),
        BRAVAIS,
        Column("structure_type", STRING, "Space group, anonymous formula, atoms a lattice point"),
        Column("composition_family", STRING, "Elements but hydrogen"),
        Column("measurement", INT32, "0 as calculated, else the number of the measurement"),
        Column("wavelength_A", FLOAT64, "Wavelength", "A"),
        Column("q2_inv_A2", list_of(FLOAT64), "q² of the lines", "1/A²"),
        Column("intensity", list_of(FLOAT64), "Their intensities, the strongest 1"),
        Column("last_q2_inv_A2", FLOAT64, "End of the pattern", "1/A²"),
        Column("features", list_of(FLOAT32), "What classifiers see of it; NaN where unknown"),
    ),
    places=(Place("symmetry_examples/{system}.parquet"),),
    equally_long=(("q2_inv_A2", "intensity"),),
)

_LEVEL = Column("level", STRING, "crystal_system, bravais, extinction_symbol or space_group")
_LEARNER = Column("learner", STRING, "Kind of learner")

CLASSIFIER_SEARCH = Table(
    "classifier_search",
    "a set of parameters in one round of the search, and what it gave",
    (
        _LEVEL,
        _LEARNER,
        Column("parameters", STRING, "Parameters that are not the defaults, as JSON"),
        Column("rows", INT32, "Training rows of the round"),
        Column("folds", INT32, "Folds"),
        Column("accuracy", FLOAT64, "Mean accuracy over the folds"),
        Column("log_loss", FLOAT64, "Mean log-loss over the folds", "nat"),
        Column("kept", BOOL, "Whether it went on to the next round"),
    ),
    places=(Place("classifier_search/{level}.parquet", rule="train_classifier"),),
)

CLASSIFIER_SCORES = Table(
    "classifier_scores",
    "a learner on the test part of one split",
    (
        _LEVEL,
        _LEARNER,
        Column("split", STRING, "What never stands in two parts"),
        Column("lists", STRING, "calculated or measured"),
        Column("chosen", BOOL, "Whether it is the learner of the classifier"),
        Column("count", INT32, "Lists"),
        Column("accuracy", FLOAT64, "Share of right classes"),
        Column("accuracy_low", FLOAT64, "Lower end of its 95 % interval"),
        Column("accuracy_high", FLOAT64, "Upper end"),
        Column("top_3", FLOAT64, "Share with the right class among the first three"),
        Column("top_5", FLOAT64, "Share with the right class among the first five"),
        Column("macro_f1", FLOAT64, "Mean F1 over the classes"),
        Column("weighted_f1", FLOAT64, "Mean F1 over the lists"),
        Column("log_loss", FLOAT64, "Mean log-loss", "nat"),
        Column("calibration_error", FLOAT64, "Expected calibration error, ten bins"),
    ),
    places=(Place("classifier_scores/{level}.parquet", rule="train_classifier"),),
)

CLASSIFIER_TESTS = Table(
    "classifier_tests",
    "a list of the test part, and the class that a learner gives it",
    (
        ENTRY_ID,
        Column("measurement", INT32, "0 as calculated, else the number of the measurement"),
        _LEARNER,
        Column("true_class", STRING, "Class of the entry"),
        Column("predicted_class", STRING, "Most probable class"),
        Column("probability", FLOAT64, "Its probability"),
        Column("true_probability", FLOAT64, "Probability of the class of the entry"),
    ),
    places=(Place("classifier_tests/{level}.parquet", rule="train_classifier"),),
)

CLASSIFIER_STUDIES = Table(
    "classifier_studies",
    "a measure of a variant in a study of what helps classifiers",
    (
        Column("study", STRING, "Name of the study"),
        _LEVEL,
        Column("variant", STRING, "What was done"),
        Column("rows", INT32, "Lists that it was fitted to, copies included"),
        Column("seed", INT32, "Number of the draw and fit, from 1; 0 for the mean of all"),
        Column("part", STRING, "Which lists were judged, or how they count"),
        Column(
            "metric",
            STRING,
            "The measure; `_gain` at its end: less that of the variant compared with",
        ),
        Column("class", STRING, "Class that it is of; empty for all"),
        Column("value", FLOAT64, "Its value"),
        Column("low", FLOAT64, "Lower end of its 95 % interval, where it has one", nullable=True),
        Column("high", FLOAT64, "Upper end", nullable=True),
    ),
    places=(
        Place("classifier_studies/{study}.parquet"),
        Place("cbed/studies/{study}.parquet"),
    ),
)

_LISTS = Column("lists", STRING, "calculated or measured")

CLASSIFIER_IMPORTANCE = Table(
    "classifier_importance",
    "a group of features of one kind of lists, and what the chosen learner loses without it",
    (
        _LEVEL,
        _LISTS,
        Column("features", STRING, "The group, or several together"),
        Column("count", INT32, "Lists of the test part whose features were permuted"),
        Column("repeats", INT32, "Permutations"),
        Column("accuracy", FLOAT64, "Share of right answers with all features"),
        Column("accuracy_loss", FLOAT64, "How much of it is lost when the group is permuted"),
        Column("accuracy_loss_low", FLOAT64, "Lower end of its 95 % interval"),
        Column("accuracy_loss_high", FLOAT64, "Upper end"),
        Column("log_loss", FLOAT64, "Mean log-loss with all features", "nat"),
        Column("log_loss_rise", FLOAT64, "How much it rises when the group is permuted", "nat"),
        Column("log_loss_rise_low", FLOAT64, "Lower end of its 95 % interval", "nat"),
        Column("log_loss_rise_high", FLOAT64, "Upper end", "nat"),
    ),
    places=(Place("classifier_importance/{level}.parquet", rule="explain_classifier"),),
)

CLASSIFIER_OCCLUSION = Table(
    "classifier_occlusion",
    "a line by its number in lists of one kind, and what the answer is without it",
    (
        _LEVEL,
        _LISTS,
        Column("line", INT16, "The line that is left out, from 1"),
        Column("count", INT32, "Lists that have this line"),
        Column("probability", FLOAT64, "Mean probability of the true class with all lines"),
        Column("probability_loss", FLOAT64, "How much of it is lost without the line"),
        Column("probability_loss_low", FLOAT64, "Lower end of its 95 % interval"),
        Column("probability_loss_high", FLOAT64, "Upper end"),
        Column("changed", FLOAT64, "Share of lists whose most probable class is another then"),
        Column("accuracy", FLOAT64, "Share of right answers with all lines"),
        Column("accuracy_without", FLOAT64, "Share of right answers without the line"),
    ),
    places=(Place("classifier_occlusion/{level}.parquet", rule="explain_classifier"),),
)

SYMMETRY_EVIDENCE = Table(
    "symmetry_evidence",
    "a list of lines of a crystal unknown to the classifiers, and what a search for its cell says "
    "of each Bravais lattice",
    (
        ENTRY_ID,
        Column("measurement", INT32, "0 as calculated, else the number of the measurement"),
        Column("spacegroup_number", INT16, "Space group, 1 to 230"),
        BRAVAIS,
        Column("structure_type", STRING, "Space group, anonymous formula, atoms a lattice point"),
        Column("probability", list_of(FLOAT64), "Of the lattices, in the order of groups"),
        Column("log_evidence", list_of(FLOAT64), "Of their best cells; NaN where none was found"),
        Column(
            "convincing", STRING, "Lattice of a convincing cell, if there is one", nullable=True
        ),
        Column("volume_A3", list_of(FLOAT64), "Of their best primitive cells; NaN if none", "A³"),
        Column("symbols", list_of(FLOAT64), "Extinction symbols within a lattice; NaN if unknown"),
    ),
    places=(Place("symmetry_evidence/{system}.parquet"),),
    equally_long=(("probability", "log_evidence", "volume_A3"),),
)

JOINED_SCORES = Table(
    "joined_scores",
    "a way to tell symmetry, on lists that nothing of it was fitted to",
    (
        Column("lists", STRING, "all, calculated, measured, with a convincing cell, without one"),
        _LEVEL,
        Column("way", STRING, "classifier, search, or joined"),
        Column("count", INT32, "Lists"),
        Column("accuracy", FLOAT64, "Share of right classes"),
        Column("accuracy_low", FLOAT64, "Lower end of its 95 % interval"),
        Column("accuracy_high", FLOAT64, "Upper end"),
        Column("top_3", FLOAT64, "Share with the right class among the first three"),
        Column("macro_f1", FLOAT64, "Mean F1 over the classes"),
        Column("log_loss", FLOAT64, "Mean log-loss", "nat"),
        Column("calibration_error", FLOAT64, "Expected calibration error, ten bins"),
        Column("only_joined", INT32, "Lists that only both joined have right"),
        Column("only_other", INT32, "Lists that only this way has right"),
        Column("p", FLOAT64, "Of so unequal a split by chance (exact McNemar test)"),
    ),
    places=(Place("joined/scores.parquet"),),
)

SYMMETRY_ANSWERS = Table(
    "symmetry_answers",
    "a class of a sample at one level of symmetry, or a sample that could not be read",
    (
        Column("sample", STRING, "The file, or what the table of peak lists calls it"),
        Column(
            "level",
            STRING,
            "crystal_system, bravais, extinction_symbol or space_group; empty with an error",
            nullable=True,
        ),
        Column("rank", INT16, "Place of the class within its level, from 1", nullable=True),
        Column("class", STRING, "Its name", nullable=True),
        Column("probability", FLOAT64, "Its probability", nullable=True),
        Column(
            "stands_out",
            BOOL,
            "Whether the best Bravais lattice of the sample stands out of chance",
            nullable=True,
        ),
        Column("n_lines", INT32, "Lines of the sample that were looked at", nullable=True),
        Column("error", STRING, "Why it was not read; empty where it was", nullable=True),
    ),
)
