"""The one contract of everything that is trained, after scikit-learn's estimators.

A learner is two parts, because using it must not need the library that trains it:

- **fit**, a function in the wing that uses the learner. It takes rows of the training side,
  settings and a seed, and gives the arrays that ``from_arrays`` takes. The same rows, settings and
  seed give the same arrays, bit for bit. They are ``forest.fit_forest`` (with
  ``forest_arrays``), ``regression.train_group`` (with ``network_arrays``),
  ``assignment.train_assignment``, ``ranking.training.train_ranking``, for a dense network
  ``keras_trainer.Trainer.fit`` (with ``stack_arrays``), and for classes of symmetry the kinds of
  ``learning.learners.registry``.
- :class:`Learner`, a frozen class of plain arrays that predicts with numpy and numba alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.learning.arrays import read_arrays, source_of, write_arrays


class Learner:
    """A trained model of plain arrays.

    Subclasses are frozen dataclasses with :meth:`sound`, or with :meth:`from_arrays` and
    :meth:`arrays` of their own where a field is more than an array, and one way to predict, as
    scikit-learn names it: ``predict`` for numbers, ``predict_proba`` for probabilities. Rows come
    first in what it takes and gives. Input of a shape that does not suit the arrays is a
    ``ValueError``. Predictions depend on nothing but the arrays and the input: a model that was
    saved and loaded predicts the same, bit for bit.
    """

    #: What it is, for the message on arrays that make none.
    what = "model"

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The model with these arrays; here one of a field for each.

        Raises:
            MlindexError: an array of a file is missing, or they make no model.
        """
        made = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        if not made.sound():
            raise MlindexError(
                f"{source_of(arrays)}: its arrays are no {cls.what}; remove it and train again"
            )
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes: the same names, types and values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def sound(self) -> bool:
        """Whether the arrays make a model: predicting ends, inside them, whatever is asked."""
        raise NotImplementedError

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model in a file that :meth:`save` or training wrote.

        Raises:
            MlindexError: the file can't be read, lacks an array, or holds no such model; the
                message names the file.
        """
        return cls.from_arrays(read_arrays(path))

    def save(self, path: str | Path) -> None:
        """Write the model, atomically; the same model always gives the same bytes."""
        write_arrays(path, self.arrays())
