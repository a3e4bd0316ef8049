"""Lists of known class that a study is made of: parts, shares among known structures, crystals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.classification.features import grids_of
from mlindex.classification.settings import Classifiers
from mlindex.crystal.symmetry_classes import classes_of, prior_of_groups
from mlindex.learning.learners.contract import Rows
from mlindex.learning.parts import TEST, TRAIN, assign_parts


@dataclass(frozen=True)
class Material:
    """Lists (n,) in parts that share no structure type (or what else the split keeps together).

    ``entries`` are the names of the crystals, ``crystal`` (n,) the place of each list's among them,
    ``measured`` (n,) whether a list is one of a measurement.
    """

    level: str
    rows: Rows
    part: np.ndarray
    entries: np.ndarray
    crystal: np.ndarray
    measured: np.ndarray

    @classmethod
    def of(
        cls,
        examples: pd.DataFrame,
        level: str,
        settings: Classifiers,
        seed: int,
        grid: bool = False,
    ) -> Material:
        """From rows of SYMMETRY_EXAMPLES, split as the settings of the classifiers say.

        Args:
            examples: the rows.
            level: one of :data:`mlindex.crystal.symmetry_classes.LEVELS`.
            settings: the split and the shares of its parts.
            seed: of the split.
            grid: whether the patterns on a grid of log q are needed.
        """
        columns = (examples[name].tolist() for name in ("q2_inv_A2", "intensity"))
        y = classes_of(level).of(examples["spacegroup_number"].to_numpy())
        features = np.stack(examples["features"].to_list())
        rng = np.random.default_rng(derive_seed(seed, "parts", settings.split))
        shares = (settings.test_share, settings.calibration_share)
        entries, crystal = np.unique(examples["entry_id"].to_numpy(str), return_inverse=True)
        return cls(
            level,
            Rows.of(y, features, grids_of(*columns) if grid else None),
            assign_parts(examples, settings.split, *shares, rng),
            entries,
            crystal,
            examples["measurement"].to_numpy() > 0,
        )

    @property
    def n_classes(self) -> int:
        """Classes of the level."""
        return len(classes_of(self.level))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return classes_of(self.level).names

    def lists(self, part: str) -> np.ndarray:
        """The lists (m,) of a part."""
        return np.flatnonzero(self.part == part)

    @cached_property
    def class_of(self) -> np.ndarray:
        """The class of each crystal."""
        found = np.zeros(len(self.entries), dtype=np.int64)
        found[self.crystal] = self.rows.y
        return found

    def crystals(self, part: str) -> np.ndarray:
        """The crystals of a part, in the order of their names."""
        return np.unique(self.crystal[self.part == part])

    def some(self, part: str, count: int, seed: int) -> np.ndarray:
        """So many crystals of a part at random, in random order; all where it has fewer."""
        rng = np.random.default_rng(derive_seed(seed, "crystals"))
        return rng.permutation(self.crystals(part))[:count]

    def lists_of(self, crystals: np.ndarray) -> np.ndarray:
        """All lists of some crystals; of one that is named twice they come twice."""
        order, count = self._by_crystal
        last = np.cumsum(count)[crystals]
        first = last - count[crystals]
        parts = [order[a:b] for a, b in zip(first, last, strict=True)]
        return np.concatenate([np.empty(0, dtype=np.int64), *parts])

    @cached_property
    def _by_crystal(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.crystal, kind="stable")
        return order, np.bincount(self.crystal, minlength=len(self.entries))

    @cached_property
    def prior(self) -> np.ndarray:
        """Share of each class (k,) among known structures; 0 where no crystal is to learn from."""
        classes = classes_of(self.level)
        share = np.bincount(classes.of_group, prior_of_groups(), len(classes))
        seen = np.bincount(self.class_of[self.crystals(TRAIN)], minlength=len(classes)) > 0
        share = np.where(seen, share, 0.0)
        return share / share.sum()

    def judged(self, part: str = TEST) -> np.ndarray:
        """The lists (m,) of a part whose class can be learnt."""
        lists = self.lists(part)
        return lists[self.prior[self.rows.y[lists]] > 0]

    def natural_weight(self, lists: np.ndarray) -> np.ndarray:
        """Weights (m,) by which lists count as often as their class is met; their mean is 1."""
        count = np.bincount(self.rows.y[lists], minlength=self.n_classes)
        weight = (self.prior / np.maximum(count, 1))[self.rows.y[lists]]
        return weight / weight.mean()

    def equal_weight(self, lists: np.ndarray) -> np.ndarray:
        """Weights (m,) by which each class counts as much; their mean is 1."""
        count = np.bincount(self.rows.y[lists], minlength=self.n_classes)
        weight = 1 / count[self.rows.y[lists]]
        return weight / weight.mean()
