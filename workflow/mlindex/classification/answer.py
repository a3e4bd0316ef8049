"""What a classifier of symmetry says of one pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlindex.crystal.symmetry_classes import LEVELS, N_GROUPS, classes_of
from mlindex.learning.labels import at_level, downward

#: A class is called sure from this probability on: of ten such answers nine are right, if the
#: probabilities are. A round number, not tuned.
SURE = 0.9
#: The best Bravais lattice has to be so many times as probable as one of 14.
_OVER_EQUAL = 2.0
#: Probabilities this close are the same: learners add in 32 bits.
_ROUNDING = 1e-5


class Ranked(NamedTuple):
    """A class with its probability."""

    name: str
    probability: float


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """Probabilities of crystal system, Bravais lattice, extinction symbol and space group.

    Raises:
        ValueError: the probabilities are not those of 230 space groups.
    """

    #: Name of the list or pattern.
    name: str
    #: Of each space group, 1 to 230.
    probability: np.ndarray
    #: Most that lines at random places were given for the best Bravais lattice.
    by_chance: float
    #: Levels that the classifier has learnt; what is below them is the prior.
    learned: tuple[str, ...]
    #: Lines that were looked at.
    n_lines: int
    #: Remarks on the lines.
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if np.shape(self.probability) != (N_GROUPS,):
            raise ValueError(f"expected {N_GROUPS} probabilities, got {np.shape(self.probability)}")

    def __repr__(self) -> str:
        shares = {level: dict(self.ranked(level)) for level in LEVELS[1:]}
        best = ", ".join(f"{(c := self.downward[x])} {of[c]:.0%}" for x, of in shares.items())
        aside = "" if self.above_chance else "; no class stands out"
        return f"Answer({self.name!r}, {best}{aside})"

    def ranked(self, level: str, most: int | None = None) -> tuple[Ranked, ...]:
        """The classes of a level, the most probable first.

        Args:
            level: crystal_system, bravais, extinction_symbol or space_group.
            most: how many; all by default.

        Raises:
            KeyError: there is no such level.
        """
        names = classes_of(level).names
        share = at_level(self.probability[None], level)[0]
        order = np.argsort(-share, kind="stable")[:most]
        return tuple(Ranked(names[i], float(share[i])) for i in order)

    def best(self, level: str) -> Ranked:
        """The most probable class of a level."""
        return self.ranked(level, 1)[0]

    @property
    def downward(self) -> dict[str, str]:
        """The class of each level, chosen from the top down: none contradicts the one above it."""
        chosen = downward(self.probability[None])
        return {level: classes_of(level).names[chosen[level][0]] for level in LEVELS}

    @property
    def sure(self) -> dict[str, Ranked]:
        """The class of each level that has a probability of 0.9 or more, from the top down.

        Of a level that the classifier has not learnt none is sure. What is sure of one level is
        part of what is sure above it.
        """
        learned = {*self.learned, *(LEVELS[:2] if self.learned else ())}
        best = {level: self.best(level) for level in LEVELS if level in learned}
        return {level: one for level, one in best.items() if one.probability >= SURE}

    @property
    def above_equal_shares(self) -> bool:
        """Whether the best Bravais lattice is at least twice as probable as one of 14."""
        return self.best("bravais").probability >= _OVER_EQUAL / len(classes_of("bravais"))

    @property
    def above_chance(self) -> bool:
        """Whether anything stands out.

        The best Bravais lattice must be at least twice as probable as one of 14, and more probable
        than it is in each of 19 lists of as many lines at random places of the same range (evenly
        in q, the first line where it is, intensities shuffled): one list of noise in twenty would
        pass. Lines of a triclinic crystal are as irregular as lines at random, so that this is
        hard to reach for aP.
        """
        over = self.best("bravais").probability - self.by_chance
        return self.above_equal_shares and over > _ROUNDING
