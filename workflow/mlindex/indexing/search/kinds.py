"""What trials of a lattice system may be: sizes that make sense for the lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np

from mlindex.crystal.lattice import (
    CENTRING_CODES,
    CENTRING_TRANSLATIONS,
    LatticeSystem,
    quadratic_terms,
)
from mlindex.indexing.search.kernels import Kind
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.walked import walk_of

Deadline = Callable[[], bool]

#: No reciprocal axis is longer than that of a hexagonal net with this direct axis.
SHORTEST_AXIS_A = 2.0
#: Reflections per line, counted as a triclinic lattice would have them, that the least volume has.
_LEAST_PER_LINE = 0.5


def kind_of(lines: Lines, system: LatticeSystem, letter: str) -> Kind:
    """What trials of a system and a centring letter may be.

    The most reflections that are scored bound the volume from above: a general line stands for
    ``multiplicity`` points of the reciprocal lattice, counted in Friedel pairs.
    """
    points = points_per_cell(letter)
    multiplicity = general_multiplicity(system) / 2
    high = lines.volume_A3(multiplicity * lines.most / len(lines)) * points
    low = lines.volume_A3(_LEAST_PER_LINE) * points
    return Kind(*walk_of(system).domain, CENTRING_CODES[letter], 1 / high**2, 1 / low**2)


def points_per_cell(letter: str) -> int:
    """Lattice points in the walked cell of that centring letter."""
    return 3 if letter == "R" else len(CENTRING_TRANSLATIONS[letter]) + 1


@cache
def general_multiplicity(system: LatticeSystem) -> int:
    """Points of the reciprocal lattice on which one general q² of the system falls."""
    hkl = np.array(list(product(range(-7, 8), repeat=3)))
    rows = quadratic_terms(hkl) @ walk_of(system).matrix.T
    # The row of (4, 2, 1) or its like, irrational weights apart, meets no other orbit below 8.
    target = quadratic_terms(np.array([4, 1, 2])) @ walk_of(system).matrix.T
    return int(np.sum(np.all(rows == target, axis=1)))
