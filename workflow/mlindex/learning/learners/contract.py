"""What every learner of classes takes and gives, so that all can be fitted and asked alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from mlindex.learning.learner import Learner

#: Wraps the steps of a fit, to show how far it is.
Progress = Callable[[Iterable], Iterable]


class Inputs(NamedTuple):
    """What a learner sees of n patterns.

    ``x`` (n, m) are features, NaN where one is not known; ``grid`` (n, g) is the pattern on a grid
    of log q, None where there is none.
    """

    x: np.ndarray
    grid: np.ndarray | None = None


class Classifier(Learner):
    """A learner of classes, numbered from 0.

    ``sees_grid`` says whether it needs the pattern on a grid.
    """

    sees_grid = False

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each class, shape (n, n_classes); rows add to 1.

        A class without training rows has 0.

        Raises:
            ValueError: the inputs have other widths than in training, or lack what is needed.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Rows:
    """Patterns of known class.

    ``x`` (n, m) float32, NaN where unknown; ``grid`` (n, g) float32 or None; ``y`` (n,) the class;
    ``weight`` (n,) how much a row counts, 0 or more.
    """

    x: np.ndarray
    grid: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.y)
        shapes = {"y": np.shape(self.y), "weight": np.shape(self.weight)}
        tables = {"x": self.x} if self.grid is None else {"x": self.x, "grid": self.grid}
        for name, shape in shapes.items():
            if shape != (n,):
                raise ValueError(f"{name} has shape {shape}, expected ({n},)")
        for name, table in tables.items():
            if np.ndim(table) != 2 or len(table) != n:
                raise ValueError(f"{name} has shape {np.shape(table)}, expected ({n}, width)")
        if not (np.issubdtype(np.asarray(self.y).dtype, np.integer) and np.all(self.y >= 0)):
            raise ValueError("classes must be whole numbers from 0")
        if not (np.all(np.isfinite(self.weight)) and np.all(self.weight >= 0)):
            raise ValueError("weights must be finite numbers, 0 or more")

    @classmethod
    def of(
        cls,
        y: np.ndarray,
        x: np.ndarray,
        grid: np.ndarray | None = None,
        weight: np.ndarray | None = None,
    ) -> Rows:
        """From arrays of any type; without weights every row counts alike."""
        y = np.asarray(y)
        return cls(
            np.asarray(x, dtype=np.float32),
            None if grid is None else np.asarray(grid, dtype=np.float32),
            y,
            np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float),
        )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def inputs(self) -> Inputs:
        """What a learner sees of the rows."""
        return Inputs(self.x, self.grid)

    def take(self, index: np.ndarray) -> Rows:
        """Some of the rows: by their numbers, or by a mask (n,)."""
        grid = None if self.grid is None else self.grid[index]
        return Rows(self.x[index], grid, self.y[index], self.weight[index])


@dataclass(frozen=True)
class Kind:
    """A kind of learner.

    Attributes:
        name: as in the registry.
        fit: from rows, the number of classes, all parameters, a seed and ``progress`` to the
            arrays that the learner is made of. The rows count all (no weight is 0), their weights
            have the mean 1, and what the kind uses is there.
        learner: the class that predicts.
        uses: "features", "grid" or "both".
        needs: what must be installed to fit it, "" for nothing more than to predict.
        parameters: default parameters.
        searched: values to search, of some of them.
    """

    name: str
    fit: Callable[[Rows, int, Mapping[str, Any], int, Progress], dict[str, np.ndarray]]
    learner: type[Classifier]
    uses: str
    needs: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    searched: Mapping[str, tuple] = field(default_factory=dict)

    def train(
        self,
        rows: Rows,
        n_classes: int,
        parameters: Mapping[str, Any] | None = None,
        seed: int = 0,
        progress: Progress = iter,
    ) -> dict[str, np.ndarray]:
        """Arrays of the fitted learner; the same rows, parameters and seed give the same bytes.

        Numerical libraries are held to one thread, for their sums depend on the number of them.

        Args:
            rows: training rows; those of weight 0 are left out.
            n_classes: number of classes, those without rows included.
            parameters: those that differ from the defaults.
            seed: of all that is random.
            progress: wraps the steps of the fit.

        Raises:
            ValueError: there are no rows, a class is beyond ``n_classes``, the rows have no grid
                where one is used, or a parameter is unknown.
        """
        given = dict(parameters or {})
        if unknown := given.keys() - self.parameters.keys():
            raise ValueError(
                f"{self.name}: no parameter {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.parameters) or 'none'}"
            )
        if self.uses != "features" and rows.grid is None:
            raise ValueError(f"{self.name}: needs the pattern on a grid, and the rows have none")
        rows = rows.take(rows.weight > 0)
        if not len(rows):
            raise ValueError(f"{self.name}: no row has a weight above 0; give it rows of a class")
        if rows.y.max() >= n_classes:
            raise ValueError(f"{self.name}: class {rows.y.max()} of {n_classes}, counted from 0")
        rows = Rows(rows.x, rows.grid, rows.y, rows.weight / rows.weight.mean())
        with threadpool_limits(1):
            return self.fit(rows, n_classes, {**self.parameters, **given}, seed, progress)

    def trained(
        self,
        rows: Rows,
        n_classes: int,
        parameters: Mapping[str, Any] | None = None,
        seed: int = 0,
        progress: Progress = iter,
    ) -> Classifier:
        """The fitted learner; see :meth:`train`."""
        arrays = self.train(rows, n_classes, parameters, seed, progress)
        return self.learner.from_arrays(arrays)
