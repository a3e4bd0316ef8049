"""Crystals whose patterns may be simulated next, to learn their symmetry from them.

The cell and the class of a crystal are known before any pattern of it is simulated; what is to be
learnt from its pattern is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.classification.settings import Classifiers
from mlindex.classification.studies.material import Material
from mlindex.learning.learners.contract import Classifier
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import CALIBRATION, TRAIN
from mlindex.learning.pool import Learnt
from mlindex.learning.scores import LEAST

_AXES = ("niggli_a_A", "niggli_b_A", "niggli_c_A")
_ANGLES = ("niggli_alpha_deg", "niggli_beta_deg", "niggli_gamma_deg")
#: Columns of CELLS that are known of a crystal.
CELL_COLUMNS = ("entry_id", "volume_A3", "n_points", *_AXES, *_ANGLES)
#: Parts of the labelled crystals: each is judged by a learner of the others.
_FOLDS = 3


@dataclass(frozen=True)
class CrystalPool:
    """Crystals of the training part; a learner of some is judged on those of the calibration part.

    The test part is not looked at. Every crystal costs 1.
    """

    material: Material
    kind: str
    crystals: np.ndarray
    features: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(
        cls,
        examples: pd.DataFrame,
        cells: pd.DataFrame,
        level: str,
        kind: str,
        settings: Classifiers,
        seed: int,
    ) -> CrystalPool:
        """From rows of SYMMETRY_EXAMPLES and of CELLS (:data:`CELL_COLUMNS` at least).

        Args:
            examples: the lists of the crystals.
            cells: the cells, of these crystals at least.
            level: that at which classes are told apart.
            kind: the kind of learner.
            settings: the split.
            seed: of the split.
        """
        grid = kind_of(kind).uses != "features"
        material = Material.of(examples, level, settings, seed, grid)
        crystals = material.crystals(TRAIN)
        own = cells.set_index("entry_id").loc[material.entries[crystals]]
        features, groups = _known(own, material.class_of[crystals])
        return cls(material, kind, crystals, features, groups)

    @property
    def cost(self) -> np.ndarray:
        """Simulations that a crystal takes (n,)."""
        return np.ones(len(self.crystals))

    def learn(self, items: np.ndarray, seed: int) -> Learnt:
        """Learn from all lists of some crystals (m,), each of which is judged out of fold too."""
        fold = np.random.default_rng(derive_seed(seed, "folds")).permutation(len(items)) % _FOLDS
        loss = np.zeros(len(items))
        for number in np.unique(fold) if len(items) >= _FOLDS else ():
            apart = fold == number
            learner = self._learner(items[~apart], derive_seed(seed, "fold", int(number)))
            own = self.material.lists_of(self.crystals[items[apart]])
            of_lists = pd.Series(self._judged(learner, own)[1])
            loss[apart] = of_lists.groupby(self.material.crystal[own]).mean()[
                self.crystals[items[apart]]
            ]
        learner = self._learner(items, derive_seed(seed, "all"))
        right, of_lists = self._judged(learner, self.material.judged(CALIBRATION))
        return Learnt(loss, float(right.mean()), float(of_lists.mean()))

    def _learner(self, items: np.ndarray, seed: int) -> Classifier:
        """Learn from items; each class counts as in the whole pool, however many were chosen."""
        rows = self.material.rows.take(self.material.lists_of(self.crystals[items]))
        n = self.material.n_classes
        share = np.bincount(self.material.class_of[self.crystals], minlength=n)
        weight = (share / np.maximum(np.bincount(rows.y, minlength=n), 1))[rows.y]
        rows = replace(rows, weight=weight / weight.mean())
        return kind_of(self.kind).trained(rows, n, {}, seed)

    def _judged(self, learner: Classifier, lists: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether each answer is right, and its log-loss."""
        own = self.material.rows.take(lists)
        probability = learner.predict_proba(own.inputs)
        of_truth = probability[np.arange(len(lists)), own.y]
        return probability.argmax(axis=1) == own.y, -np.log(np.maximum(of_truth, LEAST))


def _known(cells: pd.DataFrame, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features in the unit box, and their groups: volume, shape of the Niggli cell, class."""
    edges = np.log(cells[list(_AXES)].to_numpy(dtype=float))
    numbers = np.column_stack(
        [
            np.log(cells["volume_A3"].to_numpy(dtype=float) / cells["n_points"].to_numpy()),
            edges[:, 1:] - edges[:, :-1],
            np.cos(np.radians(cells[list(_ANGLES)].to_numpy(dtype=float))),
        ]
    )
    spread = np.ptp(numbers, axis=0)
    unit = (numbers - numbers.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    classes = np.unique(y)
    groups = [*range(unit.shape[1]), *(unit.shape[1] for _ in classes)]
    return np.column_stack([unit, y[:, None] == classes]), np.array(groups)
