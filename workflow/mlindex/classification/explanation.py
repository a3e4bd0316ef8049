"""What a classifier goes by: groups of features permuted, and single lines left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.base.statistics import NORMAL_95
from mlindex.classification.classifier import Fitted
from mlindex.classification.features import GROUPS, N_LINES, inputs_of
from mlindex.classification.settings import Explanation
from mlindex.classification.summary import CALCULATED, MEASURED, of_lists
from mlindex.classification.tables import CLASSIFIER_IMPORTANCE, CLASSIFIER_OCCLUSION
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.common import softmax_rows
from mlindex.learning.learners.contract import Inputs, Progress
from mlindex.learning.scores import LEAST

#: Words in the names of groups that say nearly the same, so that one stands in for another that is
#: permuted: permuted together they have a name of their own.
ALIKE = {
    "all fits and differences": ("fits", "evidence", "differences"),
    "ratios and gaps": ("ratios", "gaps"),
}
#: What some learners see beside the features.
GRID = "pattern on a grid"
#: Columns of SYMMETRY_EXAMPLES that are looked at.
COLUMNS = (
    *("entry_id", "spacegroup_number", "measurement"),
    *("q2_inv_A2", "intensity", "last_q2_inv_A2"),
)


class Mean(NamedTuple):
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float


def importance(
    tested: pd.DataFrame, level: str, fitted: Fitted, settings: Explanation, seed: int
) -> pd.DataFrame:
    """What is lost when groups of features are permuted among the lists (Breiman 2001).

    Intervals are over crystals, for lists of one crystal are alike; of the permutations of a list
    the mean counts.

    Args:
        tested: rows of SYMMETRY_EXAMPLES of the test part, :data:`COLUMNS` at least.
        level: the level that the learner answers.
        fitted: the learner.
        settings: how many lists and permutations.
        seed: of the lists that are taken, and of the permutations.

    Returns:
        Rows of CLASSIFIER_IMPORTANCE.
    """
    rows = []
    for kind, frame in _kinds(tested, settings.permuted_lists, seed):
        lists = _Lists.of(frame, level, fitted)
        right, loss = lists.judged(lists.inputs)
        for name, columns in _groups(lists.inputs):
            rng = np.random.default_rng(derive_seed(seed, kind, name))
            worse = [lists.judged(lists.mixed(columns, rng)) for _ in range(settings.repeats)]
            lost = np.mean([right - r for r, _ in worse], axis=0)
            risen = np.mean([x - loss for _, x in worse], axis=0)
            rows.append(
                (
                    *(level, kind, name, len(right), settings.repeats),
                    *(right.mean(), *_mean(lost, lists.entry)),
                    *(loss.mean(), *_mean(risen, lists.entry)),
                )
            )
    return pd.DataFrame(rows, columns=CLASSIFIER_IMPORTANCE.names)


def occlusion(
    tested: pd.DataFrame,
    level: str,
    fitted: Fitted,
    settings: Explanation,
    seed: int,
    progress: Progress = iter,
) -> pd.DataFrame:
    """What the answer is when one line is left out, for each line of whose place features know.

    Args:
        tested: rows of SYMMETRY_EXAMPLES of the test part, :data:`COLUMNS` at least.
        level: the level that the learner answers.
        fitted: the learner.
        settings: how many lists.
        seed: of the lists that are taken.
        progress: wraps the lines.

    Returns:
        Rows of CLASSIFIER_OCCLUSION.
    """
    rows = []
    whole = [
        (kind, frame, _Lists.of(frame, level, fitted).probability())
        for kind, frame in _kinds(tested, settings.occluded_lists, seed)
    ]
    for line in progress(range(N_LINES)):
        for kind, frame, with_all in whole:
            # A list of one line has no other that could be asked.
            has = (frame["q2_inv_A2"].map(len) > max(line, 1)).to_numpy()
            if not has.any():
                continue
            lists = _Lists.of(_without(frame[has], line), level, fitted)
            before, after = with_all[has], lists.probability()
            every = np.arange(len(before))
            lost = before[every, lists.truth] - after[every, lists.truth]
            given, again = before.argmax(axis=1), after.argmax(axis=1)
            rows.append(
                (
                    *(level, kind, line + 1, len(before), before[every, lists.truth].mean()),
                    *_mean(lost, lists.entry),
                    *((given != again).mean(), (given == lists.truth).mean()),
                    (again == lists.truth).mean(),
                )
            )
    rows.sort(key=lambda row: row[:3])
    return pd.DataFrame(rows, columns=CLASSIFIER_OCCLUSION.names)


@dataclass(frozen=True)
class _Lists:
    """Lists of lines as a learner sees them, with their entries and true classes (n,)."""

    fitted: Fitted
    level: str
    inputs: Inputs
    entry: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, level: str, fitted: Fitted) -> _Lists:
        columns = (frame[name].tolist() for name in COLUMNS[3:])
        truth = classes_of(level).of(frame["spacegroup_number"].to_numpy())
        inputs = inputs_of(*columns, grid=fitted.learner.sees_grid)
        return cls(fitted, level, inputs, frame["entry_id"].to_numpy(), truth)

    def probability(self, inputs: Inputs | None = None) -> np.ndarray:
        """Probability of each class (n, k)."""
        return softmax_rows(self.fitted.logits(inputs or self.inputs, self.level))

    def judged(self, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
        """Whether each answer is right (n,), and its log-loss (n,)."""
        probability = self.probability(inputs)
        of_truth = probability[np.arange(len(self.truth)), self.truth]
        right = probability.argmax(axis=1) == self.truth
        return right.astype(float), -np.log(np.maximum(of_truth, LEAST))

    def mixed(self, columns: np.ndarray | None, rng: np.random.Generator) -> Inputs:
        """The inputs with some columns of the features permuted among lists; the grid if None."""
        order = rng.permutation(len(self.truth))
        x, grid = self.inputs
        if columns is None:
            return Inputs(x, grid[order])
        x = x.copy()
        x[:, columns] = x[np.ix_(order, columns)]
        return Inputs(x, grid)


def _groups(inputs: Inputs) -> Iterator[tuple[str, np.ndarray | None]]:
    """Each group of features by name with its columns; the grid has None."""
    ends = np.cumsum(list(GROUPS.values()))
    of = {
        name: np.arange(end - width, end)
        for (name, width), end in zip(GROUPS.items(), ends, strict=True)
    }
    yield from of.items()
    for together, words in ALIKE.items():
        alike = [own for name, own in of.items() if any(word in name for word in words)]
        yield together, np.concatenate(alike)
    if inputs.grid is not None:
        yield GRID, None


def _kinds(tested: pd.DataFrame, most: int, seed: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Calculated and measured lists, so many of each at most, in the order of the table."""
    for kind in (CALCULATED, MEASURED):
        frame = of_lists(tested, kind)
        rng = np.random.default_rng(derive_seed(seed, "lists", kind))
        places = np.sort(rng.permutation(len(frame))[:most])
        if len(places):
            yield kind, frame.iloc[places]


def _without(frame: pd.DataFrame, line: int) -> pd.DataFrame:
    """Lists without one of their lines, counted from 0."""
    kept = {
        name: [np.delete(values, line) for values in frame[name]]
        for name in ("q2_inv_A2", "intensity")
    }
    return frame.assign(**kept)


def _mean(values: np.ndarray, entry: np.ndarray) -> Mean:
    """Mean of values (n,) of lists whose crystals (n,) are independent, lists of one are not.

    The interval is that of Liang & Zeger (1986), Biometrika 73, 13.
    """
    mean = float(values.mean())
    summed = pd.Series(values - mean).groupby(entry).sum().to_numpy()
    n = max(len(summed), 2)
    half = NORMAL_95 * np.sqrt((summed**2).sum() * n / (n - 1)) / len(values)
    return Mean(mean, mean - float(half), mean + float(half))
