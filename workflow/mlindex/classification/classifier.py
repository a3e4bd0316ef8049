"""Probability of each space group, by a chain of classifiers from the Bravais lattice down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.symmetry_classes import N_GROUPS, classes_of, prior_of_groups
from mlindex.learning.arrays import Arrays, source_of
from mlindex.learning.labels import at_level
from mlindex.learning.learners.common import require, softmax_rows
from mlindex.learning.learners.contract import Classifier, Inputs
from mlindex.learning.learners.registry import KINDS, learner_of

#: Levels that learners answer; below the last of them only intensities could tell classes apart.
LEARNED = ("bravais", "extinction_symbol")
#: The file of a classifier in its folder.
FILE = "symmetry.npz"
_WHAT = "classifier of symmetry"
#: The sum of a prior may differ from 1 by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Fitted:
    """A learner of one level: the ``kind`` it is of, and the ``temperature`` T that calibrates it.

    What it gives is log p / T, normalized: above 1 it is less sure than the learner itself.
    """

    kind: str
    learner: Classifier
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no learner {self.kind!r}; there are {', '.join(KINDS)}")
        if not 0 < self.temperature < np.inf:
            raise ValueError(f"temperature {self.temperature}: give a number above 0")

    def logits(self, inputs: Inputs, level: str) -> np.ndarray:
        """log p / T of each class (n, k) of a level; -inf where the learner gives 0.

        Raises:
            ValueError: the inputs do not suit the learner, or it has other classes.
        """
        probability = self.learner.predict_proba(inputs)
        if probability.shape[1] != len(classes_of(level)):
            raise ValueError(
                f"the learner of level {level} gives {probability.shape[1]} classes, and there are "
                f"{len(classes_of(level))}"
            )
        with np.errstate(divide="ignore"):
            return np.log(probability) / self.temperature


@dataclass(frozen=True, eq=False)
class SymmetryClassifier(Classifier):
    """Learners of the Bravais lattice and of the extinction symbol, and the prior of space groups.

    Either learner may be missing, not both. ``prior`` (230,) is by default the share of each space
    group among known structures; each group has one.

    Raises:
        ValueError: there is no learner, or the prior is none.
    """

    bravais: Fitted | None = None
    extinction_symbol: Fitted | None = None
    prior: np.ndarray = field(default_factory=prior_of_groups)

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("no learner of the Bravais lattice or the extinction symbol is given")
        if not _is_prior(np.asarray(self.prior)):
            raise ValueError(f"a prior is {N_GROUPS} numbers above 0 that add up to 1")

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that a learner answers, from the top down."""
        return tuple(level for level in LEARNED if getattr(self, level) is not None)

    @property
    def sees_grid(self) -> bool:
        """Whether a learner needs the pattern on a grid."""
        return any(getattr(self, level).learner.sees_grid for level in self.levels)

    @classmethod
    def load(cls, path: str | Path) -> SymmetryClassifier:
        """The classifier in a file, or in the folder that holds it as :data:`FILE`.

        Raises:
            MlindexError: it can't be read, or is no classifier; the message names the file.
        """
        path = Path(path)
        if path.is_dir():
            if not (path / FILE).exists():
                raise MlindexError(
                    f"{path}: holds no {FILE}; give the folder of a trained classifier of the "
                    "Bravais lattice or the extinction symbol, such as results/classifiers/bravais"
                )
            path /= FILE
        return super().load(path)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> SymmetryClassifier:
        """The classifier with these arrays.

        Raises:
            MlindexError: an array of a file is missing, or they make no classifier.
        """
        fitted = {level: fitted_of(level, arrays) for level in LEARNED if f"{level}.kind" in arrays}
        require(bool(fitted) and "prior" in arrays, arrays, _WHAT)
        prior = arrays["prior"]
        require(_is_prior(prior), arrays, _WHAT)
        return cls(**fitted, prior=prior)

    def arrays(self) -> dict[str, np.ndarray]:
        """What :meth:`from_arrays` takes: names of arrays of a level begin with it."""
        found = {"prior": self.prior}
        for level in self.levels:
            found |= fitted_arrays(level, getattr(self, level))
        return found

    def predict_proba(self, inputs: Inputs) -> np.ndarray:
        """Probability of each space group, shape (n, 230).

        It is P(Bravais lattice) P(extinction symbol | lattice) P(space group | symbol). The second
        is the learner's within the lattice, weighted by how often each symbol is met: in training
        all symbols of a lattice are shown equally often. The last is the prior. Where a learner is
        missing, or gives a lattice nothing, the prior takes its place; without one of the Bravais
        lattice, all 14 are equally probable.

        Raises:
            ValueError: the inputs do not suit the learners.
        """
        bravais, symbol = (classes_of(level).of_group for level in LEARNED)
        of_lattice = self.lattices(inputs)[:, bravais]
        of_symbol = self._symbols(inputs, len(of_lattice))[:, symbol]
        return of_lattice * of_symbol * (self.prior / self._summed("extinction_symbol")[symbol])

    def _summed(self, level: str) -> np.ndarray:
        """The prior (k,) of the classes of a level."""
        return at_level(self.prior[None], level)[0]

    def lattices(self, inputs: Inputs) -> np.ndarray:
        """Probability of each Bravais lattice (n, 14), without a look at what is below them."""
        if self.bravais is not None:
            return softmax_rows(self.bravais.logits(inputs, "bravais"))
        k = len(classes_of("bravais"))
        return np.full((len(inputs.x), k), 1 / k)

    def _symbols(self, inputs: Inputs, n: int) -> np.ndarray:
        """Probability of each extinction symbol (n, k) within its Bravais lattice."""
        prior, lattices = self._summed("extinction_symbol"), _lattice_of_symbol()
        share = prior / self._summed("bravais")[lattices]
        if self.extinction_symbol is None:
            return np.tile(share, (n, 1))
        # The equal share of training is the same for all symbols of a lattice, and cancels.
        logits = self.extinction_symbol.logits(inputs, "extinction_symbol") + np.log(share)
        found = np.empty_like(logits)
        for lattice in range(len(classes_of("bravais"))):
            own = lattices == lattice
            part = logits[:, own]
            seen = np.isfinite(part).any(axis=1)
            found[:, own] = share[own]
            found[np.ix_(seen, own)] = softmax_rows(part[seen])
        return found


def _lattice_of_symbol() -> np.ndarray:
    """The Bravais lattice (k,) of each extinction symbol."""
    bravais, symbols = (classes_of(level) for level in LEARNED)
    found = np.empty(len(symbols), dtype=np.int64)
    found[symbols.of_group] = bravais.of_group
    return found


def _is_prior(prior: np.ndarray) -> bool:
    number = prior.shape == (N_GROUPS,) and np.issubdtype(prior.dtype, np.floating)
    return bool(number and np.all(prior > 0) and abs(prior.sum() - 1) < _ROUNDING)


def fitted_arrays(level: str, fitted: Fitted) -> dict[str, np.ndarray]:
    """What :func:`fitted_of` takes: names of arrays begin with the level."""
    own = {
        "kind": np.array(fitted.kind),
        "temperature": np.array(fitted.temperature, dtype=float),
    }
    own |= {f"learner.{name}": array for name, array in fitted.learner.arrays().items()}
    return {f"{level}.{name}": array for name, array in own.items()}


def fitted_of(level: str, arrays: Mapping[str, np.ndarray]) -> Fitted:
    """The learner of a level with its arrays, whatever others are among them.

    Raises:
        MlindexError: an array is missing, or they make no learner.
    """
    begin = f"{level}."
    names = {name.removeprefix(begin): name for name in arrays if name.startswith(begin)}
    own = Arrays(source_of(arrays), {short: arrays[name] for short, name in names.items()})
    kind, temperature = own["kind"], own["temperature"]
    sound = kind.shape == () and kind.dtype.kind == "U" and str(kind) in KINDS
    sound &= temperature.shape == () and temperature.dtype.kind == "f"
    require(bool(sound and 0 < temperature < np.inf), arrays, _WHAT)
    learner = learner_of(str(kind)).from_arrays(_learner_arrays(own))
    return Fitted(str(kind), learner, float(temperature))


def _learner_arrays(own: Arrays) -> Arrays:
    begin = "learner."
    names = {name.removeprefix(begin): name for name in own if name.startswith(begin)}
    return Arrays(own.path, {short: own[name] for short, name in names.items()})
