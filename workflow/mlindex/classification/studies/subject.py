"""What every study is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from mlindex.classification.settings import Classifiers, ClassifierStudies
from mlindex.learning.learners.contract import Progress


@dataclass(frozen=True)
class Subject:
    """Lists, settings and seed of a study.

    ``examples`` are rows of SYMMETRY_EXAMPLES, ``cells`` rows of CELLS (empty where the study needs
    none), ``level`` that at which classes are told apart, ``classifiers`` the split; ``progress``
    wraps the steps.
    """

    examples: pd.DataFrame
    cells: pd.DataFrame
    level: str
    classifiers: Classifiers
    settings: ClassifierStudies
    seed: int
    progress: Progress = iter

    def at(self, level: str) -> Subject:
        """The same at another level."""
        return replace(self, level=level)
