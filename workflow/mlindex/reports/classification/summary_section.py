"""The answer in short, and what was left out."""

from __future__ import annotations

from mlindex.classification.summary import CALCULATED, MEASURED, is_right, of_lists, paired
from mlindex.crystal.symmetry_classes import LEVELS
from mlindex.learning.learners.registry import KINDS
from mlindex.learning.parts import lacking
from mlindex.reports.classification.inputs import (
    BASELINES,
    ClassifierData,
    LevelTables,
    learner_title,
    level_title,
)
from mlindex.reports.classification.pieces import NOTHING, p_value, share_of
from mlindex.reports.html import good, note, warning

#: A difference that chance makes less often than this is called one.
_SIGNIFICANT = 0.05
_WITHOUT = {
    "crystal_system": "it follows from the Bravais lattice",
    "bravais": "it is not among the levels of the config",
    "extinction_symbol": "it is not among the levels of the config",
    "space_group": "groups of one extinction symbol have lines at the same places, and only "
    "intensities could tell them apart; they are ranked by how often each is met",
}


def answer(data: ClassifierData) -> str:
    """Whether each classifier beats an answer without a look at the pattern."""
    if not data.trained:
        return warning(NOTHING)
    return "".join(_answer(one, kind) for one in data.trained for kind in (CALCULATED, MEASURED))


def _answer(level: LevelTables, kind: str) -> str:
    own = of_lists(level.own, kind)
    if own.empty:
        return ""
    right = is_right(own)
    text = (
        f"{level.title}, {kind} lists: {learner_title(level.chosen)} is right for "
        f"{share_of(int(right.sum()), len(right))} of {len(right):,}"
    )
    against = paired(of_lists(level.tests, kind), level.chosen)
    against = against[against["learner"].isin(BASELINES)]
    if level.chosen in BASELINES:
        return warning(f"{text}. It is chosen although it looks at no pattern: nothing was learnt.")
    if against.empty:
        return note(f"{text}. No baseline was trained beside it.")
    closest = against.sort_values(["p", "learner"]).iloc[-1]
    other = of_lists(level.tests, kind)
    base = is_right(other[other["learner"] == closest["learner"]])
    text += (
        f"; without a look at the pattern ({learner_title(closest['learner'])}) it is "
        f"{share_of(int(base.sum()), len(base))}. Paired test: p {p_value(closest['p'])}"
    )
    if closest["p"] < _SIGNIFICANT and closest["only_chosen"] > closest["only_other"]:
        return good(f"{text}. It does something useful.")
    return warning(f"{text}. It is not shown to be better than no look at the pattern.")


def left_out(data: ClassifierData) -> str:
    """Levels without a classifier, learners that were not tried, what the lists are not."""
    parts = []
    for level in LEVELS:
        tables = data.levels.get(level)
        if tables is None:
            parts.append(f"{level_title(level)}: no classifier is shown: {_WITHOUT[level]}.")
        elif not tables.trained:
            why = lacking(data.examples, level) or "its tables are empty"
            parts.append(f"{level_title(level)}: nothing was trained: {why}.")
    others = [learner_title(name) for name in KINDS if name not in data.settings.learners]
    if others:
        parts.append(
            f"Learners that were not tried (classifiers.learners in the config): "
            f"{', '.join(others)}."
        )
    parts.append(
        "Measured lists are lines of calculated patterns with the faults that a measurement has "
        "(section realism of the config). Patterns from a diffractometer are in none of the "
        "figures here: benchmarks/symmetry.py counts them."
    )
    return "".join(note(part) for part in parts)
