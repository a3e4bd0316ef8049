"""What the page is made from: examples, and the tables of each level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from mlindex.classification.settings import Classifiers

_LEARNERS = {
    "majority": "always the largest class",
    "frequency": "shares of the classes",
    "logistic": "logistic regression",
    "neighbours": "k nearest neighbours",
    "extra_trees": "ExtraTrees",
    "boosting": "gradient boosting",
    "convolution": "convolutional network",
}
#: Columns of SYMMETRY_EXAMPLES that the page needs.
EXAMPLE_COLUMNS = (
    "entry_id",
    "spacegroup_number",
    "measurement",
    "q2_inv_A2",
    "intensity",
    "last_q2_inv_A2",
)
#: Learners that look at no pattern.
BASELINES = ("majority", "frequency")


def learner_title(name: str) -> str:
    """A learner in words."""
    return _LEARNERS.get(name, name)


def level_title(name: str) -> str:
    """A level in words."""
    return name.replace("_", " ").replace("bravais", "Bravais lattice").capitalize()


@dataclass(frozen=True)
class LevelTables:
    """The tables of one level; all are empty where nothing was trained."""

    level: str
    search: pd.DataFrame
    scores: pd.DataFrame
    tests: pd.DataFrame
    importance: pd.DataFrame
    occlusion: pd.DataFrame

    @property
    def trained(self) -> bool:
        """Whether there is a classifier with tests."""
        return not (self.scores.empty or self.tests.empty)

    @property
    def title(self) -> str:
        """The level in words."""
        return level_title(self.level)

    @cached_property
    def chosen(self) -> str:
        """The learner of the classifier."""
        return self.scores.loc[self.scores["chosen"], "learner"].iloc[0]

    @cached_property
    def own(self) -> pd.DataFrame:
        """Tests of the chosen learner."""
        return self.tests[self.tests["learner"] == self.chosen]

    def on(self, split: str) -> pd.DataFrame:
        """Scores on the test part of one split."""
        return self.scores[self.scores["split"] == split]


@dataclass(frozen=True)
class ClassifierData:
    """All that the page shows.

    ``examples`` are rows of SYMMETRY_EXAMPLES (EXAMPLE_COLUMNS), ``levels`` the tables by level, in
    the order of the page, ``settings`` what the classifiers were trained with, ``studies`` the rows
    of CLASSIFIER_STUDIES by study, ``evidence`` those of SYMMETRY_EVIDENCE, none where nothing was
    searched, ``learning`` rows of ACTIVE_LEARNING and of ACTIVE_WORTH by level.
    """

    examples: pd.DataFrame
    levels: Mapping[str, LevelTables]
    settings: Classifiers
    studies: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    evidence: pd.DataFrame = field(default_factory=pd.DataFrame)
    learning: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]] = field(default_factory=dict)

    @property
    def trained(self) -> list[LevelTables]:
        """The levels that have a classifier."""
        return [tables for tables in self.levels.values() if tables.trained]
