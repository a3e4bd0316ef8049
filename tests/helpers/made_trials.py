"""Cells without chance symmetry, their lines, and trials made of them."""

from __future__ import annotations

import numpy as np

from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES
from mlindex.indexing.search.observed import Observed, observe
from mlindex.indexing.search.trials import Trial, walked, weigh
from mlindex.patterns.peaklist import PeakList

_GENERIC = {"a": 6.1, "b": 8.3, "c": 11.7, "alpha": 79.3, "beta": 99.1, "gamma": 84.7}


def generic_cell(bravais: str) -> np.ndarray:
    """A cell (6,) with no more symmetry than its Bravais lattice asks for."""
    system = BRAVAIS[bravais].system
    return system.cell_from_free(np.array([_GENERIC[n] for n in system.free_parameters]))


def trial_of(
    bravais: str, cell: np.ndarray, centring: str, q2: np.ndarray
) -> tuple[Trial, Observed]:
    """A cell weighed with lines of which it is known to explain some, and these lines."""
    observed = observe(PeakList("made", q2, None, 1.5406), len(q2), 0.01)
    lattice = BRAVAIS[bravais]
    x, letter = walked(cell, lattice, centring)
    codes = np.array([CENTRING_CODES[letter]])
    (trial,) = weigh(lattice, x[None], codes, observed, 0.0, False).values()
    return trial, observed
