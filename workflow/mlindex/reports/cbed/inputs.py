"""What the page on stacks shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlindex.cbed.settings import Cbed
from mlindex.crystal.symmetry_classes import classes_of

#: Columns of CBED_FEATURES that the page needs.
COLUMNS = (
    *("entry_id", "stack", "formula", "spacegroup_number", "energy_keV", "thickness_A"),
    *("zones", "reasoning", "features"),
)


@dataclass(frozen=True)
class CbedData:
    """Tables of the stacks and of their model; ``names`` are those of the features.

    ``studies`` are rows of CLASSIFIER_STUDIES by study, ``learning`` the tables ACTIVE_LEARNING and
    ACTIVE_WORTH where the config asks for them.
    """

    stacks: pd.DataFrame
    rejects: pd.DataFrame
    examples: pd.DataFrame
    parts: pd.DataFrame
    scores: pd.DataFrame
    tests: pd.DataFrame
    settings: Cbed
    names: tuple[str, ...]
    studies: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    learning: tuple[pd.DataFrame, pd.DataFrame] | None = None

    @property
    def chosen(self) -> pd.DataFrame:
        """Scores of the learner of the model, a row for each level."""
        return self.scores[self.scores["chosen"]].set_index("level")


def group_name(number: int) -> str:
    """Number and symbol of a space group: ``14, P 1 21/c 1``."""
    return f"{number}, {classes_of('space_group').names[number - 1]}"


def point_groups(numbers: pd.Series) -> np.ndarray:
    """The point group (n,) of each space group, by name."""
    classes = classes_of("point_group")
    return np.array(classes.names)[classes.of(numbers.to_numpy())]
