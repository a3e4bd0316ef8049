"""The lines that a search works on, with windows, tables and scores made once for all lattices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlindex.indexing.search.kernels import Tables, line_table

#: Reflections that a lattice may have for each line searched.
MOST_FACTOR = 8
#: Prior probability that a line belongs to something else.
STRAY = 0.03
#: Searches may take longer the greater the effort, from 0 to this.
MOST_EFFORT = 2


@dataclass(frozen=True)
class Lines:
    """Lines and what the compiled searches need of them.

    Attributes:
        q2: rising q² (n <= 63,), 1/A², a zero shift taken off.
        window: how far from a line a reflection may lie to explain it (n,), 1/A².
        q2_max: where the walk through reciprocal space ends, 1/A².
        table, scale: from :func:`mlindex.indexing.search.kernels.line_table`.
        most: lattices with more reflections up to q2_max are not scored.
        scores: log-likelihood ratio (n + 1, most + 2) of a trial against chance, by the number
            of lines explained and the number of reflections.
        effort: 0 for a quick search, up to :data:`MOST_EFFORT` for ones that leave out less.
    """

    q2: np.ndarray
    window: np.ndarray
    q2_max: float
    table: np.ndarray
    scale: float
    most: int
    scores: np.ndarray
    effort: int = 0

    def __len__(self) -> int:
        return len(self.q2)

    @cached_property
    def tables(self) -> Tables:
        """What the compiled loops take."""
        return Tables(self.table, self.scale, self.q2_max, self.most, self.scores)

    def volume_A3(self, reflections_per_line: float = 1.0) -> float:
        """Primitive volume of a triclinic lattice with so many reflections for each line.

        Half the points of the reciprocal lattice in the sphere, 2/3 pi V q³, are different.
        """
        return reflections_per_line * len(self) / (2 * np.pi / 3 * self.q2_max**1.5)


def lines_of(q2: np.ndarray, window: np.ndarray, effort: int = 0) -> Lines:
    """Tables for lines q2 (n,) with windows (n,), for searches of some effort.

    The score of m lines explained by N reflections: each line comes, but for strays, from one
    of the reflections at random and lies evenly within its window, against anywhere up to q2_max.
    """
    n = len(q2)
    q2_max = float(q2[-1] + window[-1])
    table, scale = line_table(q2, window, q2_max)
    most = MOST_FACTOR * n
    number = np.maximum(np.arange(most + 2), 1)[None]
    explained = np.arange(n + 1)[:, None]
    gain = np.log((1 - STRAY) * q2_max / (2 * window.mean() * number))
    scores = explained * gain + (n - explained) * np.log(STRAY)
    return Lines(q2, window, q2_max, table, scale, most, scores, effort)
